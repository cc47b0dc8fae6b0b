//! The OpenSeeD network.
//!
//! Zhang et al., *A Simple Framework for Open-Vocabulary Segmentation and Detection*, 2023 (arXiv
//! 2303.08131); official project `IDEA-Research/OpenSeeD`, whose names the tensors carry: Mask DINO
//! whose classes are texts. Both released classes of networks load: `openseed_model`, and
//! `openseed_model_decouple_train` with queries of its own for stuff.

mod config;
mod decoder;

use som_core::{Call, Image, Result, Size};
use som_torch::{
    Compute, Encoded, Loader, Source,
    backbone::Swin,
    decoder::{PixelDecoder, PixelFeatures},
    input::Normalization,
    numbers, resize,
    text::LanguageEncoder,
    threads, torch_error,
};
use tch::{Kind, Tensor};

use self::config::Told;
pub(crate) use self::{
    config::{Config, Settings},
    decoder::{ClassWeights, Decoder, Predictions},
};

/// What a `config` may hold, for messages.
const TOLD: &str = "the settings of an official configuration under effective, and resize_short_side and thresholds under capture";

/// Backbone, pixel decoder, decoder and text encoder. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub config: Config,
    pub backbone: Swin,
    pub pixel_decoder: PixelDecoder,
    pub decoder: Decoder,
    pub language: LanguageEncoder,
    compute: Compute,
}

/// An image of which all is known that does not depend on classes.
#[derive(Debug)]
pub struct EncodedImage {
    pub(crate) features: PixelFeatures,
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

/// How large an image is made: its shorter side, and the most that the longer side may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resize {
    pub(crate) short_side: u32,
    pub(crate) max_size: Option<u32>,
}

impl Network {
    /// Loads the network of `source`. The precision is the backbone's; all else computes in single
    /// precision.
    ///
    /// # Errors
    /// Invalid, if the checkpoint holds another network, with every tensor that does not fit, or
    /// its config contradicts it; Exhausted, if memory runs out.
    pub(crate) fn load(source: &Source) -> Result<Self> {
        let told: Told = source.told("OpenSeeD", TOLD)?.unwrap_or_default();
        let loader = Loader::new(&source.checkpoint, source.compute.device)?;
        let root = loader.root(Kind::Float);
        let config = source.sizes("OpenSeeD", &told, |told| Config::of(&root, told))?;
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
        let backbone = Swin::load(&images.at("backbone"), &config.backbone);
        let pixel_decoder = PixelDecoder::load(&head.at("pixel_decoder"), &config.pixels);
        let decoder = Decoder::load(&predictor, &config);
        let text = predictor.at("lang_encoder");
        let language = LanguageEncoder::load(&text, config.embedding, config.text_heads);
        // The losses' weights of classes, from training.
        for loss in ["criterion", "criterion_coco", "criterion_o365"] {
            root.at(loss).leave("empty_weight");
        }
        Ok(Self {
            backbone: backbone.map_err(torch_error)?,
            pixel_decoder: pixel_decoder.map_err(torch_error)?,
            decoder: decoder.map_err(torch_error)?,
            language: language?,
            config,
            compute,
        })
    }

    /// Runs everything that does not depend on classes.
    ///
    /// # Errors
    /// Cancelled; Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    pub(crate) fn encode(
        &self,
        image: &Image<'_>,
        resize: Resize,
        call: &Call<'_>,
    ) -> Result<EncodedImage> {
        let frame = self.frame(Size::new(image.width(), image.height()), resize);
        self.require(frame)?;
        threads::use_all();
        let resized = resize::bicubic(image, frame.inside);
        let Settings {
            pixel_mean: mean,
            pixel_std: deviation,
            ..
        } = self.config.settings;
        let normalization = Normalization { mean, deviation };
        let input = normalization
            .apply(&resized, frame.padded, self.compute.device)
            .map_err(torch_error)?;
        let maps = self.backbone.forward(&input, call)?;
        drop(input);
        let single = maps.iter().map(|map| map.f_to_kind(Kind::Float));
        let maps: Vec<Tensor> = single.collect::<Result<_, _>>().map_err(torch_error)?;
        for map in &maps {
            numbers::require(map, "backbone")?;
        }
        let features = self.pixel_decoder.forward(&maps, call)?;
        numbers::require(&features.memory, "pixel decoder")?;
        Ok(EncodedImage { features, frame })
    }

    /// Where an image of `size` lies in the input.
    pub(crate) fn frame(&self, size: Size, resize: Resize) -> Frame {
        let mut inside = resize::shortest_side(size, resize.short_side);
        let longer = inside.width.max(inside.height);
        if let Some(most) = resize.max_size.filter(|&most| longer > most) {
            let short = u64::from(most) * u64::from(resize.short_side) / u64::from(longer);
            let short = (short as u32).max(1);
            inside = if size.width <= size.height {
                Size::new(short, most)
            } else {
                Size::new(most, short)
            };
        }
        let multiple = self.config.settings.size_divisibility.max(1);
        let padded = |side: u32| side.div_ceil(multiple) * multiple;
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
        let (height, width) = (frame.padded.height.into(), frame.padded.width.into());
        let cells: i64 = pixels
            .extents(height, width)
            .iter()
            .map(|[height, width]| height * width)
            .sum();
        let queries = (self.config.queries + self.config.stuff_queries).unsigned_abs();
        let numbers = [
            backbone.activations(height, width),
            pixels.activations(height, width),
            decoder.activations(queries, cells.unsigned_abs()),
        ];
        let most = numbers.into_iter().max().unwrap_or_default();
        let bytes = size_of::<f32>() as u64 * most;
        self.compute.require(bytes, "the network's activations")
    }
}

impl Clone for EncodedImage {
    fn clone(&self) -> Self {
        let PixelFeatures {
            mask_features,
            memory,
            levels,
        } = &self.features;
        Self {
            features: PixelFeatures {
                mask_features: mask_features.shallow_clone(),
                memory: memory.shallow_clone(),
                levels: levels.clone(),
            },
            frame: self.frame,
        }
    }
}

impl Encoded for EncodedImage {
    fn bytes(&self) -> u64 {
        let PixelFeatures {
            mask_features,
            memory,
            ..
        } = &self.features;
        4 * (mask_features.numel() + memory.numel()) as u64
    }
}

#[cfg(test)]
mod tests;
