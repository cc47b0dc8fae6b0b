//! Maps of the image that are finer than its embedding, for masks with sharper edges.
//!
//! SAM 2 (`sam2/modeling/sam/mask_decoder.py`, `use_high_res_features`).

use tch::Tensor;

use super::sizes::MaskDecoderSizes;
use crate::{Scope, TorchResult, nn::Linear};

/// Two maps of an image, in the order in which the decoder enlarges an embedding: each of its places
/// has become 2x2, and each of these 2x2. Clones share the numbers.
#[derive(Debug)]
pub struct FineFeatures {
    /// `[places, 4, channels / 4]`
    pub(super) halves: Tensor,
    /// `[places, 4, 4, channels / 8]`
    pub(super) quarters: Tensor,
}

impl Clone for FineFeatures {
    fn clone(&self) -> Self {
        Self {
            halves: self.halves.shallow_clone(),
            quarters: self.quarters.shallow_clone(),
        }
    }
}

impl FineFeatures {
    /// Bytes of memory held.
    pub fn bytes(&self) -> u64 {
        4 * (self.halves.numel() + self.quarters.numel()) as u64
    }

    /// The two maps as maps, `[4 · grid, 4 · grid, channels / 8]` and
    /// `[2 · grid, 2 · grid, channels / 4]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn maps(&self) -> TorchResult<[Tensor; 2]> {
        let (places, _, _) = self.halves.size3()?;
        let grid = (places as f64).sqrt().round() as i64;
        let quarters = self
            .quarters
            .f_view(&[grid, grid, 2, 2, 2, 2, -1] as &[i64])?
            .f_permute([0, 2, 4, 1, 3, 5, 6])?
            .f_reshape([4 * grid, 4 * grid, -1])?;
        let halves = self
            .halves
            .f_view([grid, grid, 2, 2, -1])?
            .f_permute([0, 2, 1, 3, 4])?
            .f_reshape([2 * grid, 2 * grid, -1])?;
        Ok([quarters, halves])
    }
}

/// To the channels at which the maps are added.
#[derive(Clone, Debug)]
pub(super) struct FineProjections {
    to_quarters: Linear,
    to_halves: Linear,
    grid: i64,
}

impl FineProjections {
    pub(super) fn load(scope: &Scope<'_>, sizes: &MaskDecoderSizes) -> TorchResult<Self> {
        let channels = sizes.channels;
        let project = |name, output| Linear::pointwise(&scope.at(name), channels, output);
        Ok(Self {
            to_quarters: project("conv_s0", channels / 8)?,
            to_halves: project("conv_s1", channels / 4)?,
            grid: sizes.grid,
        })
    }

    /// Maps `[4 · grid, 4 · grid, channels]` and `[2 · grid, 2 · grid, channels]`.
    pub(super) fn forward(&self, [fine, coarse]: [&Tensor; 2]) -> TorchResult<FineFeatures> {
        let grid = self.grid;
        let quarters = self
            .to_quarters
            .forward(fine)?
            .f_view(&[grid, 2, 2, grid, 2, 2, -1] as &[i64])?
            .f_permute([0, 3, 1, 4, 2, 5, 6])?
            .f_reshape([grid * grid, 4, 4, -1])?;
        let halves = self
            .to_halves
            .forward(coarse)?
            .f_view([grid, 2, grid, 2, -1])?
            .f_permute([0, 2, 1, 3, 4])?
            .f_reshape([grid * grid, 4, -1])?;
        Ok(FineFeatures { halves, quarters })
    }
}
