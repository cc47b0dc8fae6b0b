//! Swin: a transformer whose blocks attend in windows that every other block shifts, on maps that
//! halve from stage to stage.
//!
//! Liu et al., *Swin Transformer: Hierarchical Vision Transformer using Shifted Windows*, 2021
//! (arXiv 2103.14030); the form that detection and segmentation projects share, such as
//! `UX-Decoder/Semantic-SAM`, `semantic_sam/backbone/swin.py`, or `IDEA-Research/MaskDINO`,
//! `maskdino/modeling/backbone/swin.py`: images of any size, and a norm of each stage's output.

mod attention;
mod block;
mod layout;
mod sizes;

use som_core::{Call, Result};
use tch::Tensor;

pub use self::sizes::{Stage, SwinSizes};
use self::{
    attention::Edges,
    block::{Block, PatchMerging},
    layout::Layout,
};
use crate::{
    Scope, TorchResult,
    nn::{LayerNorm, PatchConv},
    stages::stage,
    torch_error,
};

/// Of all its norms.
const EPSILON: f64 = 1e-5;

/// Image to one feature map per stage. Clones share the weights.
#[derive(Clone, Debug)]
pub struct Swin {
    patches: PatchConv,
    patch_norm: Option<LayerNorm>,
    stages: Vec<StageBlocks>,
    sizes: SwinSizes,
    kind: tch::Kind,
}

#[derive(Clone, Debug)]
struct StageBlocks {
    blocks: Vec<Block>,
    edges: Edges,
    /// `None` for stages that are not asked for.
    norm: Option<LayerNorm>,
    /// To the next stage.
    merging: Option<PatchMerging>,
}

impl Swin {
    /// The backbone at `scope`: `patch_embed`, `layers.N`, and `normN` of the stages that are outputs.
    /// [`SwinSizes::of`] reads the sizes there.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn load(scope: &Scope<'_>, sizes: &SwinSizes) -> TorchResult<Self> {
        let width = sizes.stages.first().map_or(0, |stage| stage.channels);
        let patches = scope.at("patch_embed");
        let norm = |scope: &Scope<'_>, channels| LayerNorm::load(scope, channels, EPSILON);
        let stages = sizes.stages.iter().enumerate();
        let stages = stages.map(|(index, stage)| {
            let layer = scope.at("layers").at(index);
            let blocks =
                (0..stage.blocks).map(|block| Block::load(&layer.at("blocks").at(block), stage));
            let next = sizes.stages.get(index + 1).map(|next| next.channels);
            TorchResult::Ok(StageBlocks {
                blocks: blocks.collect::<TorchResult<_>>()?,
                edges: Edges::new(stage.window, scope.kind(), scope.device())?,
                norm: stage
                    .is_output
                    .then(|| norm(&scope.at(format_args!("norm{index}")), stage.channels)),
                merging: next
                    .map(|next| PatchMerging::load(&layer.at("downsample"), stage.channels, next)),
            })
        });
        Ok(Self {
            patches: PatchConv::load(&patches.at("proj"), 3, width, sizes.patch)?,
            patch_norm: sizes.patch_norm.then(|| norm(&patches.at("norm"), width)),
            stages: stages.collect::<TorchResult<_>>()?,
            sizes: sizes.clone(),
            kind: scope.kind(),
        })
    }

    /// Its sizes.
    pub const fn sizes(&self) -> &SwinSizes {
        &self.sizes
    }

    /// A normalised image `[height, width, 3]` to the outputs of the stages that have one, each
    /// `[rows, columns, channels]`: as many rows and columns as patches in the first stage, and half
    /// of them, rounded up, in each further one.
    ///
    /// # Errors
    /// Cancelled, between blocks; what libtorch reports.
    pub fn forward(&self, image: &Tensor, call: &Call<'_>) -> Result<Vec<Tensor>> {
        stage("backbone", || self.run(image, call))
    }

    fn run(&self, image: &Tensor, call: &Call<'_>) -> Result<Vec<Tensor>> {
        let mut x = self.embed(image).map_err(torch_error)?;
        let mut outputs = Vec::new();
        for stage in &self.stages {
            x = stage.forward(x, call)?;
            let output = stage.norm.as_ref().map(|norm| norm.forward(&x));
            outputs.extend(output.transpose().map_err(torch_error)?);
            if let Some(merging) = &stage.merging {
                x = merging.forward(&x).map_err(torch_error)?;
            }
        }
        Ok(outputs)
    }

    /// Patches of a normalised image, which zeros fill up at the right and at the bottom.
    fn embed(&self, image: &Tensor) -> TorchResult<Tensor> {
        let image = filled_up(&image.f_to_kind(self.kind)?, self.sizes.patch)?;
        let patches = self.patches.forward(&image)?;
        self.patch_norm.as_ref().map_or_else(
            || Ok(patches.shallow_clone()),
            |norm| norm.forward(&patches),
        )
    }
}

impl StageBlocks {
    /// A map `[rows, columns, channels]` through all blocks.
    fn forward(&self, mut x: Tensor, call: &Call<'_>) -> Result<Tensor> {
        let layouts = self.layouts(&x).map_err(torch_error)?;
        for (index, block) in self.blocks.iter().enumerate() {
            call.check()?;
            let layout = &layouts[index % 2];
            x = block
                .forward(&x, layout, &self.edges)
                .map_err(torch_error)?;
        }
        Ok(x)
    }

    /// How the blocks see a map: the even ones in plain windows, the odd ones in shifted windows.
    fn layouts(&self, x: &Tensor) -> TorchResult<[Layout; 2]> {
        let (rows, columns, _) = x.size3()?;
        let layout = |shift| Layout::new([rows, columns], self.edges.window(), shift, x.device());
        Ok([layout(0)?, layout(self.edges.window() / 2)?])
    }
}

/// `[height, width, channels]` with zeros at the bottom and at the right, up to whole multiples.
fn filled_up(x: &Tensor, multiple: i64) -> TorchResult<Tensor> {
    let (height, width, _) = x.size3()?;
    let short = |extent: i64| (multiple - extent % multiple) % multiple;
    if short(height) == 0 && short(width) == 0 {
        return Ok(x.shallow_clone());
    }
    x.f_constant_pad_nd([0, 0, 0, short(width), 0, short(height)])
}

#[cfg(test)]
mod tests;
