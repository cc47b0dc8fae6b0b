//! The PolyFormer network.
//!
//! Liu et al., *PolyFormer: Referring Image Segmentation as Sequential Polygon Generation*, 2023 (arXiv
//! 2302.07387); official project `amazon-science/polygon-transformer`. Its code computes in half precision;
//! this in single, where the official weights are as good.

mod told;
mod config;
mod attention;
mod places;
mod codebook;
mod text;
mod encoder;
mod decoder;

use som_core::{Call, Error, Image, Result, Size};
use som_torch::{
    Compute, Encoded, Loader, Source, backbone::Swin, input::Normalization, numbers, resize,
    threads, torch_error,
};
use tch::{Kind, Tensor};

pub(crate) use self::{config::Config, decoder::SEPARATOR, text::Prompt};
use self::{
    config::LayerSizes,
    decoder::Decoder,
    encoder::{Encoder, Memory},
    text::TextEncoder,
    told::Told,
};

/// As messages name it.
const NAME: &str = "PolyFormer";

/// What a `config` may hold, for messages.
const TOLD: &str =
    "patch_image_size, max_src_length, bert.num_attention_heads and others that the README names";

/// Backbone, text encoder, encoder and decoder. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub config: Config,
    backbone: Swin,
    pub text: TextEncoder,
    encoder: Encoder,
    decoder: Decoder,
    compute: Compute,
}

/// An image of which all is known that does not depend on an expression.
#[derive(Debug)]
pub struct EncodedImage {
    /// `[cells, channels]`
    pub(crate) cells: Tensor,
    /// Of the image.
    pub(crate) size: Size,
}

impl Network {
    /// Loads the network of `source`. The precision is the backbone's; all else computes in single
    /// precision.
    ///
    /// # Errors
    /// Invalid, if the checkpoint holds another network, with every tensor that does not fit, or the
    /// config contradicts it; Exhausted, if memory runs out.
    pub(crate) fn load(source: &Source) -> Result<Self> {
        let told: Told = source.told(NAME, TOLD)?.unwrap_or_default();
        let loader = Loader::new(&source.checkpoint, source.compute.device)?;
        let root = loader.root(Kind::Float);
        let config = source.sizes(NAME, &told, |told| Config::of(&root, told))?;
        config.contradictions(&told).none_in(source)?;
        let network = Self::build(&loader, config, source);
        // First what does not fit: with placeholders in it, the network may not have been built.
        loader.finish()?;
        network
    }

    /// The network of what `loader` has.
    fn build(loader: &Loader<'_>, config: Config, source: &Source) -> Result<Self> {
        let root = loader.root(Kind::Float);
        let images = loader.root(source.compute.kind());
        let mut stages = config.backbone.stages.iter();
        let output = stages.find(|stage| stage.is_output);
        let seen = output.map_or(0, |stage| stage.channels);
        let backbone = Swin::load(&images.at("encoder.embed_images"), &config.backbone);
        let encoder = Encoder::load(&root, &config, seen);
        let decoder = Decoder::load(&root, &config);
        let text = TextEncoder::load(loader, source, &config);
        Ok(Self {
            backbone: backbone.map_err(torch_error)?,
            text: text?,
            encoder: encoder.map_err(torch_error)?,
            decoder: decoder.map_err(torch_error)?,
            config,
            compute: source.compute,
        })
    }

    /// Runs everything that does not depend on an expression.
    ///
    /// # Errors
    /// Cancelled; Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    pub(crate) fn encode(&self, image: &Image<'_>, call: &Call<'_>) -> Result<EncodedImage> {
        let side = self.config.settings.image_size.into();
        self.require(self.config.backbone.activations(side, side))?;
        threads::use_all();
        let input = self.input(image)?;
        let maps = self.backbone.forward(&input, call)?;
        drop(input);
        let Some(map) = maps.first() else {
            return Err(Error::internal("the backbone gives nothing"));
        };
        let map = map.f_to_kind(Kind::Float).map_err(torch_error)?;
        numbers::require(&map, "backbone")?;
        let (width, height) = image.dimensions();
        Ok(EncodedImage {
            cells: self.encoder.cells(&map).map_err(torch_error)?,
            size: Size::new(width, height),
        })
    }

    /// The normalised image `[side, side, 3]`, whatever its proportions.
    fn input(&self, image: &Image<'_>) -> Result<Tensor> {
        let settings = &self.config.settings;
        let inside = Size::new(settings.image_size, settings.image_size);
        let normalization = Normalization {
            mean: settings.pixel_mean,
            deviation: settings.pixel_std,
        };
        let resized = resize::bicubic(image, inside);
        normalization
            .apply(&resized, inside, self.compute.device)
            .map_err(torch_error)
    }

    /// What is written about an expression in an image: coordinates in 0..=1 of width and height in
    /// turns, and [`SEPARATOR`]s.
    ///
    /// # Errors
    /// Cancelled; Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    pub(crate) fn refer(
        &self,
        image: &EncodedImage,
        prompt: &Prompt,
        call: &Call<'_>,
    ) -> Result<Vec<f32>> {
        let memory = self.memory(image, prompt, call)?;
        self.decoder.write(&memory, call)
    }

    /// What the decoder looks at.
    fn memory(&self, image: &EncodedImage, prompt: &Prompt, call: &Call<'_>) -> Result<Memory> {
        let cells = image.cells.size().first().copied().unwrap_or_default();
        let tokens = prompt.ids.len() as i64;
        self.require(self.activations(cells + tokens))?;
        threads::use_all();
        let read = self.text.read(prompt, call)?;
        numbers::require(&read, "text encoder")?;
        let tokens = self.encoder.tokens(&read).map_err(torch_error)?;
        let memory = self.encoder.forward(&image.cells, &tokens, call)?;
        numbers::require(&memory.content, "encoder")?;
        Ok(memory)
    }

    /// Numbers that encoder and decoder hold at their peak for so many cells and tokens: of the encoder
    /// products of places and what is added to logits, and what comes in, is asked, and is inside the
    /// MLP; or of the decoder products, and keys and values of each layer.
    fn activations(&self, seen: i64) -> u64 {
        let LayerSizes {
            channels,
            heads,
            hidden,
            ..
        } = self.config.encoder;
        let encoding = 4 * heads * seen * seen + seen * (6 * channels + 2 * hidden);
        let decoder = &self.config.decoder;
        let steps = self.config.settings.most_steps;
        let products = decoder.heads * steps * (steps + seen);
        let kept = 2 * decoder.layers * channels * (steps + seen);
        encoding.max(products + kept).unsigned_abs()
    }

    fn require(&self, count: u64) -> Result<()> {
        let bytes = size_of::<f32>() as u64 * count;
        self.compute.require(bytes, "the network's activations")
    }
}

impl Clone for EncodedImage {
    fn clone(&self) -> Self {
        Self {
            cells: self.cells.shallow_clone(),
            size: self.size,
        }
    }
}

impl Encoded for EncodedImage {
    fn bytes(&self) -> u64 {
        4 * self.cells.numel() as u64
    }
}

#[cfg(test)]
mod tests;
