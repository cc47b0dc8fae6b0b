//! The SEEM network.
//!
//! Zou et al., *Segment Everything Everywhere All at Once*, 2023 (arXiv 2304.06718); official project
//! `UX-Decoder/Segment-Everything-Everywhere-All-At-Once`, whose names the tensors carry: the second
//! generation of the released checkpoints, `seem_focalt_v1` and `seem_focall_v1`
//! (`modeling/architectures/seem_model_v1.py`).

mod config;
mod decoder;
mod layer;
mod spatial;
mod told;

use som_core::{Call, Error, Image, Result, Size};
use som_torch::{
    Compute, Encoded, Loader, Source, backbone::Focal, decoder::PyramidDecoder,
    input::Normalization, numbers, resize, stages::stage, text::LanguageEncoder, threads,
    torch_error,
};
use tch::{Kind, Tensor};

use self::told::Told;
pub(crate) use self::{
    config::{Config, Settings},
    decoder::{ClassWeights, Company, Decoder, unit},
    layer::Level,
    spatial::{Draws, Pixels, Spatial},
};

/// What a `config` may hold, for messages.
const TOLD: &str = "som_text_size, an official configuration under official_config, and interactive_seed under capture";

/// More pixels than any network of this kind was ever run on.
const MOST_PIXELS: u64 = 1 << 28;

/// Backbone, pixel decoder, decoder and text encoder. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub config: Config,
    pub backbone: Focal,
    pub pixel_decoder: PyramidDecoder,
    pub decoder: Decoder,
    /// What strokes on an image mean to the decoder.
    pub spatial: Spatial,
    pub language: LanguageEncoder,
    pub compute: Compute,
}

/// An image of which all is known that depends neither on classes nor on hints.
#[derive(Debug)]
pub struct EncodedImage {
    /// What queries look at, from the coarsest to the finest.
    pub(crate) levels: Vec<Level>,
    /// `[height / 4, width / 4, mask channels]`
    pub(crate) mask_features: Tensor,
    pub(crate) frame: Frame,
}

/// How an image lies in the network's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Of the image.
    pub size: Size,
    /// Of the image in the input, at its top left.
    pub inside: Size,
    /// Of the input.
    pub padded: Size,
}

impl Network {
    /// Loads the network of `source`. The precision is the backbone's; all else computes in single
    /// precision.
    ///
    /// # Errors
    /// Invalid, if the checkpoint holds another network, with every tensor that does not fit, or
    /// its config contradicts it; Exhausted, if memory runs out.
    pub(crate) fn load(source: &Source) -> Result<Self> {
        let told: Told = source.told("SEEM", TOLD)?.unwrap_or_default();
        let loader = Loader::new(&source.checkpoint, source.compute.device)?;
        let root = loader.root(Kind::Float);
        let config = source.sizes("SEEM", &told, |told| Config::of(&root, told))?;
        config.contradictions(&told).none_in(source)?;
        let network = Self::build(&loader, config, source.compute);
        // First what does not fit: with placeholders in it, the network may not have been built.
        loader.finish()?;
        network
    }

    /// The network of what `loader` has.
    fn build(loader: &Loader<'_>, config: Config, compute: Compute) -> Result<Self> {
        let root = loader.root(Kind::Float);
        let images = loader.root(compute.kind());
        let head = root.at("sem_seg_head");
        let predictor = head.at("predictor");
        let backbone = Focal::load(&images.at("backbone"), &config.backbone);
        let pixel_decoder = PyramidDecoder::load(&head.at("pixel_decoder"), &config.pixels);
        let decoder = Decoder::load(&predictor, &config);
        let spatial = Spatial::load(&predictor, &config);
        let text = predictor.at("lang_encoder");
        let language = LanguageEncoder::load(&text, config.embedding, config.text_heads);
        // The losses' weights of classes and what widens strokes, from training.
        root.leave("criterion.empty_weight");
        root.leave("dilation_kernel");
        Ok(Self {
            backbone: backbone.map_err(torch_error)?,
            pixel_decoder: pixel_decoder.map_err(torch_error)?,
            decoder: decoder.map_err(torch_error)?,
            spatial,
            language: language?,
            config,
            compute,
        })
    }

    /// Runs everything that depends neither on classes nor on hints, on an image whose shorter side
    /// becomes `text_size`.
    ///
    /// # Errors
    /// Cancelled; Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    pub(crate) fn encode(
        &self,
        image: &Image<'_>,
        text_size: u32,
        call: &Call<'_>,
    ) -> Result<EncodedImage> {
        let frame = self.frame(Size::new(image.width(), image.height()), text_size);
        self.require(frame)?;
        threads::use_all();
        let input = self.input(image, frame).map_err(torch_error)?;
        let maps = self.backbone.forward(&input, call)?;
        drop(input);
        let single = maps.iter().map(|map| map.f_to_kind(Kind::Float));
        let maps: Vec<Tensor> = single.collect::<Result<_, _>>().map_err(torch_error)?;
        for map in &maps {
            numbers::require(map, "backbone")?;
        }
        let features = self.pixel_decoder.forward(&maps, call)?;
        drop(maps);
        numbers::require(&features.mask_features, "pixel decoder")?;
        // A part of each of its layers, and the same for all queries.
        let levels = stage("decoder", || self.decoder.levels(&features));
        Ok(EncodedImage {
            levels: levels.map_err(torch_error)?,
            mask_features: features.mask_features,
            frame,
        })
    }

    /// An image as the backbone takes it.
    fn input(&self, image: &Image<'_>, frame: Frame) -> som_torch::TorchResult<Tensor> {
        let resized = resize::bicubic(image, frame.inside);
        let Settings {
            pixel_mean: mean,
            pixel_std: deviation,
            ..
        } = self.config.settings;
        let normalization = Normalization { mean, deviation };
        normalization.apply(&resized, frame.padded, self.compute.device)
    }

    /// Where an image of `size` lies in the input, if its shorter side becomes `text_size`.
    pub(crate) fn frame(&self, size: Size, text_size: u32) -> Frame {
        let inside = resize::shortest_side(size, text_size);
        let multiple = self.config.settings.size_divisibility.max(1);
        let padded = |side: u32| side.div_ceil(multiple).saturating_mul(multiple);
        Frame {
            size,
            inside,
            padded: Size::new(padded(inside.width), padded(inside.height)),
        }
    }

    /// Checks that memory suffices for an image that lies so in the input.
    fn require(&self, frame: Frame) -> Result<()> {
        let Config {
            backbone,
            pixels,
            decoder,
            ..
        } = &self.config;
        let Size { width, height } = frame.padded;
        let what = format!("the activations of an input of {width}x{height} pixels");
        if frame.padded.pixels() > MOST_PIXELS {
            return Err(Error::exhausted(format!(
                "{what} fit no memory: the image is too narrow for its shorter side to become so long (set a smaller text_size)"
            )));
        }
        let (height, width) = (height.into(), width.into());
        let numbers = [
            backbone.activations(height, width),
            pixels.activations(height, width),
            decoder.activations(height, width),
        ];
        let most = numbers.into_iter().max().unwrap_or_default();
        let bytes = size_of::<f32>() as u64 * most;
        self.compute.require(bytes, &what)
    }
}

impl Clone for EncodedImage {
    fn clone(&self) -> Self {
        Self {
            levels: self.levels.iter().map(Level::share).collect(),
            mask_features: self.mask_features.shallow_clone(),
            frame: self.frame,
        }
    }
}

impl Encoded for EncodedImage {
    fn bytes(&self) -> u64 {
        let levels: usize = self.levels.iter().map(Level::numbers).sum();
        4 * (levels + self.mask_features.numel()) as u64
    }
}

#[cfg(test)]
mod tests;
