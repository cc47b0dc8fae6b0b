//! The SegGPT network.
//!
//! Wang et al., *SegGPT: Segmenting Everything In Context*, 2023 (arXiv 2304.03284); official project
//! `baaivision/Painter`, and its form in Hugging Face's `transformers`, whose checkpoints have its names.

mod told;
mod config;
mod names;
mod encoder;
mod decoder;

use som_core::{Call, Example, Image, Result, Size};
use som_torch::{
    Compute, Encoded, Loader, Scope, Source, TorchResult, numbers, resize, threads, torch_error,
};
use tch::{Kind, Tensor};

pub(crate) use self::config::Config;
use self::{
    decoder::Decoder,
    encoder::{Embeddings, Encoder},
    told::Told,
};
use crate::{params::EmbeddingType, prompt::Prompt};

/// As messages name it.
const NAME: &str = "SegGPT";

/// What a `config` may hold, for messages.
const TOLD: &str =
    "image_size, merge_index, intermediate_hidden_state_indices and others that the README names";

/// Embeddings, encoder and decoder. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub config: Config,
    embeddings: Embeddings,
    encoder: Encoder,
    decoder: Decoder,
    compute: Compute,
}

/// An image as the network sees it.
#[derive(Debug)]
pub struct EncodedImage {
    /// `[side, side, 3]`, normalised.
    pub(crate) picture: Tensor,
    /// Of the image.
    pub(crate) size: Size,
}

impl Network {
    /// Loads the network of `source`.
    ///
    /// # Errors
    /// Invalid, if the checkpoint holds another network, with every tensor that does not fit, or the
    /// config contradicts it; Exhausted, if memory runs out.
    pub(crate) fn load(source: &Source) -> Result<Self> {
        let told: Told = source.told(NAME, TOLD)?.unwrap_or_default();
        let checkpoint = names::of_hugging_face(&source.checkpoint);
        let loader = Loader::new(&checkpoint, source.compute.device)?;
        let root = loader.root(source.compute.kind());
        let config = source.sizes(NAME, &told, |told| Config::of(&root, told))?;
        config.contradictions(&told).none_in(source)?;
        let network = Self::build(&root, config, source.compute).map_err(torch_error);
        // First what does not fit: with placeholders in it, the network may not have been built.
        loader.finish()?;
        network
    }

    fn build(root: &Scope<'_>, config: Config, compute: Compute) -> TorchResult<Self> {
        Ok(Self {
            embeddings: Embeddings::load(&root.at("model.embeddings"), &config)?,
            encoder: Encoder::load(&root.at("model.encoder"), &config)?,
            decoder: Decoder::load(&root.at("decoder"), &config)?,
            config,
            compute,
        })
    }

    /// The image as the network sees it, whatever its proportions.
    ///
    /// # Errors
    /// Exhausted, if memory runs out.
    pub(crate) fn encode(&self, image: &Image<'_>) -> Result<EncodedImage> {
        let side = self.config.side() as u32;
        let inside = Size::new(side, side);
        let resized = resize::bicubic(image, inside);
        let picture = self
            .config
            .normalization
            .apply(&resized, inside, self.compute.device)
            .map_err(torch_error)?;
        let (width, height) = image.dimensions();
        Ok(EncodedImage {
            picture,
            size: Size::new(width, height),
        })
    }

    /// An example as the network sees it, its classes in the colours of `palette`.
    ///
    /// # Errors
    /// Exhausted, if memory runs out.
    pub(crate) fn prompt(&self, example: &Example, palette: Option<&[[u8; 3]]>) -> Result<Prompt> {
        let (side, normalization) = (self.config.side() as u32, &self.config.normalization);
        Prompt::new(example, palette, side, normalization, self.compute.device).map_err(torch_error)
    }

    /// The image painted as `prompts` are: `[side, side, 3]`, in 0..=255 but for what the network paints
    /// beyond that.
    ///
    /// # Errors
    /// Cancelled; Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    pub(crate) fn paint(
        &self,
        image: &EncodedImage,
        prompts: &[Prompt],
        kind: EmbeddingType,
        call: &Call<'_>,
    ) -> Result<Tensor> {
        self.require(prompts.len())?;
        threads::use_all();
        let tokens = self.embeddings.forward(&image.picture, prompts, kind);
        let seen = self.encoder.forward(tokens.map_err(torch_error)?, call)?;
        numbers::require(&seen, "encoder")?;
        // Of several prompts, the image is the same but for its edge to the first one's picture.
        let painted = self.decode(&seen).map_err(torch_error)?;
        numbers::require(&painted, "decoder")?;
        let normalization = &self.config.normalization;
        let side = self.config.side();
        let scaled = || {
            let numbers = |of: [f32; 3]| Tensor::f_from_slice(&of)?.f_to_device(painted.device());
            painted
                .f_narrow(0, side, side)?
                .f_mul(&numbers(normalization.deviation)?)?
                .f_add(&numbers(normalization.mean)?)
        };
        scaled().map_err(torch_error)
    }

    /// What the layers saw to the normalised painting `[2 · side, side, 3]` of the first prompt.
    fn decode(&self, seen: &Tensor) -> TorchResult<Tensor> {
        let first = seen.f_select(0, 0)?;
        self.decoder.forward(&first)?.f_to_kind(Kind::Float)
    }

    /// Checks that there is room for what the network holds at its peak: the tokens of all prompts, what
    /// is inside an MLP or the logits of attention, and what the decoder is shown.
    fn require(&self, prompts: usize) -> Result<()> {
        let Config {
            width,
            hidden,
            rows,
            columns,
            decoder,
            patch,
            ..
        } = self.config;
        let (tokens, batch) = (rows * columns, 2 * prompts as i64);
        let layers = self.config.seen.len() as i64;
        let attending = batch * tokens * 7 * width + (1 << 22);
        let thinking = batch * tokens * (3 * width + 2 * hidden);
        let decoding = tokens * (batch * layers * width + 4 * patch * patch * decoder);
        let count = attending.max(thinking).max(decoding).unsigned_abs();
        let bytes = self.compute.kind().elt_size_in_bytes() as u64 * count;
        self.compute.require(bytes, "the network's activations")
    }
}

impl Clone for EncodedImage {
    fn clone(&self) -> Self {
        Self {
            picture: self.picture.shallow_clone(),
            size: self.size,
        }
    }
}

impl Encoded for EncodedImage {
    fn bytes(&self) -> u64 {
        4 * self.picture.numel() as u64
    }
}

#[cfg(test)]
mod tests;
