//! The Segment Anything network.
//!
//! Kirillov et al., *Segment Anything*, 2023 (arXiv 2304.02643); official project
//! `facebookresearch/segment-anything`, whose names the tensors carry. Where the arithmetic is
//! arranged otherwise than there, the result is the same and the place says why.

mod config;
mod image_encoder;

use som_core::Result;
use som_torch::{
    Loader, Source,
    decoder::{MaskDecoder, PromptEncoder},
    torch_error,
};
use tch::Kind;

pub(crate) use self::{config::Config, image_encoder::ImageEncoder};

/// Image encoder, prompt encoder and mask decoder. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct Sam {
    pub config: Config,
    pub image_encoder: ImageEncoder,
    pub prompt_encoder: PromptEncoder,
    pub mask_decoder: MaskDecoder,
}

impl Sam {
    /// Loads the network of `source`.
    ///
    /// The precision is the image encoder's, which does nearly all the work. Prompt encoder and
    /// mask decoder always compute in single precision.
    ///
    /// # Errors
    /// Invalid, if the files hold another network, with every
    /// tensor that does not fit; Exhausted, if memory runs out.
    pub(crate) fn load(source: &Source) -> Result<Self> {
        let compute = source.compute;
        let loader = Loader::new(&source.checkpoint, compute.device)?;
        let config = Config::of(source)?;
        let whole = loader.root(Kind::Float);
        let image_encoder =
            ImageEncoder::load(&loader.root(compute.kind()).at("image_encoder"), &config);
        let prompt_encoder = PromptEncoder::load(&whole.at("prompt_encoder"), config.prompts);
        let mask_decoder = MaskDecoder::load(&whole.at("mask_decoder"), &config.decoder);
        // First what does not fit: with placeholders in it, the network may not have been built.
        loader.finish()?;
        Ok(Self {
            image_encoder: image_encoder.map_err(torch_error)?,
            prompt_encoder: prompt_encoder.map_err(torch_error)?,
            mask_decoder: mask_decoder.map_err(torch_error)?,
            config,
        })
    }
}
