//! The Semantic-SAM network.
//!
//! Li et al., *Semantic-SAM: Segment and Recognize Anything at Any Granularity*, 2023
//! (arXiv 2307.04767); official project `UX-Decoder/Semantic-SAM`, whose names the tensors carry.
//! Where the arithmetic is arranged otherwise than there, the result is the same and the place says
//! why.

mod config;
mod decoder;

use som_core::Result;
use som_torch::{
    Compute, Loader, Scope, Source, backbone::Swin, decoder::PixelDecoder, torch_error,
};
use tch::Kind;

pub(crate) use self::{
    config::Config,
    decoder::{DecodedPrompts, Prompt, PromptDecoder, PromptKind},
};

/// Backbone, pixel decoder and prompt decoder. Clones share the weights.
#[derive(Clone, Debug)]
pub struct SemanticSam {
    pub(crate) config: Config,
    pub(crate) backbone: Swin,
    pub(crate) pixel_decoder: PixelDecoder,
    pub(crate) prompt_decoder: PromptDecoder,
    pub(crate) compute: Compute,
}

impl SemanticSam {
    /// Loads the network of `source`.
    ///
    /// The precision is the backbone's, which does most of the work. The decoders always compute in
    /// single precision, as officially.
    ///
    /// # Errors
    /// Invalid, if the files hold another network, with every tensor that does not fit, or
    /// contradict each other; Exhausted, if memory runs out.
    pub(crate) fn open(source: &Source) -> Result<Self> {
        let compute = source.compute;
        let loader = Loader::new(&source.checkpoint, compute.device)?;
        let whole = root(&loader, Kind::Float);
        let config = Config::of(&whole, source)?;
        let backbone = root(&loader, compute.kind()).at("backbone");
        let backbone = Swin::load(&backbone, &config.swin);
        let head = whole.at("sem_seg_head");
        let pixel_decoder = PixelDecoder::load(&head.at("pixel_decoder"), &config.pixel_decoder);
        let prompt_decoder = PromptDecoder::load(&head.at("predictor"), &config);
        // First what does not fit: with placeholders in it, the network may not have been built.
        loader.finish()?;
        Ok(Self {
            backbone: backbone.map_err(torch_error)?,
            pixel_decoder: pixel_decoder.map_err(torch_error)?,
            prompt_decoder: prompt_decoder.map_err(torch_error)?,
            config,
            compute,
        })
    }
}

/// Where the network is. The released checkpoints have it in a part of its own, as training wrapped
/// it.
fn root<'a>(loader: &'a Loader<'a>, kind: Kind) -> Scope<'a> {
    let root = loader.root(kind);
    let wrapped = root.at("model");
    if wrapped.shape("backbone.patch_embed.proj.weight").is_some() {
        wrapped
    } else {
        root
    }
}

#[cfg(test)]
mod tests;
