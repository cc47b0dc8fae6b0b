//! The SAM 2 network.
//!
//! Ravi et al., *SAM 2: Segment Anything in Images and Videos*, 2024 (arXiv 2408.00714); official
//! project `facebookresearch/sam2`, whose names the tensors carry. Where the arithmetic is arranged
//! otherwise than there, the result is the same and the place says why.

mod config;
mod contradictions;
mod memory;
mod neck;
mod released;
mod told;

use som_core::{Call, Result};
use som_torch::{
    Loader, Source,
    backbone::Hiera,
    decoder::{FineFeatures, MaskDecoder, PromptEncoder},
    nn::Weight,
    torch_error,
};
use tch::{Kind, Tensor};

use self::contradictions::contradictions;
pub(crate) use self::{
    config::{Config, SingleMask},
    memory::{Bank, Memory},
    neck::Neck,
    told::Told,
};

/// What people call networks of this kind.
pub(crate) const NAME: &str = "Segment Anything 2";

/// Image encoder, prompt encoder, mask decoder and memory. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct Sam2 {
    pub config: Config,
    pub hiera: Hiera,
    pub neck: Neck,
    pub prompt_encoder: PromptEncoder,
    pub mask_decoder: MaskDecoder,
    pub memory: Memory,
    /// What is added to an image that sees no memory, `[channels]`.
    pub no_memory: Weight,
}

/// What the image encoder makes of an image. Clones share the numbers.
#[derive(Debug)]
pub(crate) struct Features {
    /// `[places, channels]`
    pub embedding: Tensor,
    pub fine: Option<FineFeatures>,
}

impl Clone for Features {
    fn clone(&self) -> Self {
        Self {
            embedding: self.embedding.shallow_clone(),
            fine: self.fine.clone(),
        }
    }
}

impl Sam2 {
    /// Loads the network of `source`.
    ///
    /// The precision is the image encoder's, which does nearly all the work. All else always computes in
    /// single precision.
    ///
    /// # Errors
    /// Invalid, if the files hold another network, with every tensor that does not fit, or contradict
    /// each other; Exhausted, if memory runs out.
    pub(crate) fn load(source: &Source) -> Result<Self> {
        let compute = source.compute;
        let loader = Loader::new(&source.checkpoint, compute.device)?;
        let config = Config::of(source)?;
        contradictions(&config).none_in(source)?;
        let whole = loader.root(Kind::Float);
        let encoder = loader.root(compute.kind()).at("image_encoder");
        let hiera = Hiera::load(&encoder.at("trunk"), &config.hiera);
        let neck = Neck::load(&encoder.at("neck"), &config.neck);
        let prompt_encoder = PromptEncoder::load(&whole.at("sam_prompt_encoder"), config.prompts);
        let mask_decoder = MaskDecoder::load(&whole.at("sam_mask_decoder"), &config.decoder);
        let memory = Memory::load(&whole, &config.memory);
        let no_memory = whole.weight("no_mem_embed", &[1, 1, config.neck.channels]);
        // First what does not fit: with placeholders in it, the network may not have been built.
        loader.finish()?;
        Ok(Self {
            hiera: hiera.map_err(torch_error)?,
            neck: neck.map_err(torch_error)?,
            prompt_encoder: prompt_encoder.map_err(torch_error)?,
            mask_decoder: mask_decoder.map_err(torch_error)?,
            memory: memory.map_err(torch_error)?,
            no_memory: no_memory
                .map(|it| it.f_flatten(0, -1))
                .map_err(torch_error)?,
            config,
        })
    }

    /// A normalised image `[side, side, 3]` through the image encoder.
    ///
    /// # Errors
    /// Cancelled; what libtorch reports.
    pub(crate) fn encode(&self, image: &Tensor, call: &Call<'_>) -> Result<Features> {
        let maps = self.hiera.forward(image, call)?;
        call.check()?;
        let merge = || {
            let maps = self.neck.forward(&maps)?;
            // The coarsest is in the one before it already.
            let single = |level: usize| match maps.get(level) {
                Some(map) => map.f_to_kind(Kind::Float),
                None => Ok(Tensor::new()),
            };
            Ok(Features {
                embedding: single(2)?.f_flatten(0, 1)?,
                fine: self.mask_decoder.prepare_fine([&single(0)?, &single(1)?])?,
            })
        };
        merge().map_err(torch_error)
    }
}

#[cfg(test)]
mod tests;
