//! Hiera, a hierarchical vision transformer, as SAM 2 has it: its blocks attend in windows, or globally.
//!
//! Ryali et al., *Hiera: A Hierarchical Vision Transformer without the Bells-and-Whistles*, 2023
//! (arXiv 2306.00989); positions: Bolya et al., *Window Attention is Bugged: How not to Interpolate
//! Position Embeddings*, 2023 (arXiv 2311.05613); `sam2/modeling/backbones/hieradet.py` of
//! `facebookresearch/sam2`.

mod attention;
mod block;
mod sizes;

use som_core::{Call, Result};
use tch::Tensor;

use self::sizes::STRIDE;
pub use self::{
    block::Block,
    sizes::{HieraSettings, HieraShapes, HieraSizes},
};
use crate::{
    Scope, TorchResult,
    nn::{Conv, Weight},
    torch_error,
};

const EPSILON: f64 = 1e-6;

/// Side in pixels of what a token of the first stage sees.
const KERNEL: i64 = 7;

/// An image to a map for each stage.
#[derive(Clone, Debug)]
pub struct Hiera {
    patches: Conv,
    /// Where each token of the first stage lies, `[rows, columns, channels]`.
    pub positions: Weight,
    /// Of all stages, one after the other.
    pub blocks: Vec<Block>,
    kind: tch::Kind,
}

impl Hiera {
    /// The backbone at `scope`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn load(scope: &Scope<'_>, sizes: &HieraSizes) -> TorchResult<Self> {
        let width = sizes.shapes.width;
        let patches = scope.at("patch_embed.proj");
        let blocks = sizes.blocks.iter().enumerate();
        Ok(Self {
            patches: Conv::load(&patches, [3, width, KERNEL], STRIDE, true)?,
            positions: positions(scope, sizes)?,
            blocks: blocks
                .map(|(index, &block)| Block::load(&scope.at("blocks").at(index), block))
                .collect(),
            kind: scope.kind(),
        })
    }

    /// Bytes of each number in it.
    pub fn number_bytes(&self) -> u64 {
        self.kind.elt_size_in_bytes() as u64
    }

    /// A normalised image `[side, side, 3]` to the map of each stage, `[rows, columns, channels]`, from
    /// the finest to the coarsest.
    ///
    /// # Errors
    /// Cancelled, between blocks; what libtorch reports.
    pub fn forward(&self, image: &Tensor, call: &Call<'_>) -> Result<Vec<Tensor>> {
        let embed = || self.embed_patches(image)?.f_add(&self.positions);
        let mut x = embed().map_err(torch_error)?;
        let mut outputs = Vec::new();
        for block in &self.blocks {
            call.check()?;
            x = block.forward(&x).map_err(torch_error)?;
            if block.ends_stage {
                outputs.push(x.shallow_clone());
            }
        }
        Ok(outputs)
    }

    /// A normalised image `[side, side, 3]` to tokens of the first stage, without their positions.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn embed_patches(&self, image: &Tensor) -> TorchResult<Tensor> {
        self.patches.forward(&image.f_to_kind(self.kind)?)
    }
}

/// A table that is enlarged to the whole map, and one for the place within a window, again and again.
fn positions(scope: &Scope<'_>, sizes: &HieraSizes) -> TorchResult<Weight> {
    let [rows, columns] = sizes.shapes.background;
    let (width, tile, grid) = (sizes.shapes.width, sizes.shapes.tile, sizes.grid(0));
    // In single precision, whatever the blocks compute in.
    let exact = scope.as_kind(tch::Kind::Float);
    let tiles = exact.weight("pos_embed_window", &[1, width, tile, tile]);
    exact
        .weight("pos_embed", &[1, width, rows, columns])
        .map(|background| {
            if !tiles.defined() {
                return Ok(background.shallow_clone());
            }
            let times = grid / tile;
            background
                .f_upsample_bicubic2d([grid, grid], false, None, None)?
                .f_add(&tiles.f_tile([1, 1, times, times])?)?
                .f_squeeze_dim(0)?
                .f_permute([1, 2, 0])?
                .f_to_kind(scope.kind())?
                .f_contiguous()
        })
}

/// The largest of each 2x2 cells of maps `[maps, rows, columns, channels]`.
fn halved(x: &Tensor) -> TorchResult<Tensor> {
    let (maps, rows, columns, channels) = x.size4()?;
    x.f_reshape([maps, rows / 2, 2, columns / 2, 2, channels])?
        .f_amax([2, 4], false)
}
