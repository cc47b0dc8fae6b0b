//! What a stage is made of: blocks, and the step to the next stage.

use tch::Tensor;

use super::{
    EPSILON,
    attention::{Attention, Edges},
    filled_up,
    layout::Layout,
    sizes::Stage,
};
use crate::{
    Scope, TorchResult,
    nn::{FeedForward, LayerNorm, Linear},
};

/// Attention, then an MLP, both of what a norm gives and added to what came in.
#[derive(Clone, Debug)]
pub(super) struct Block {
    norm1: LayerNorm,
    attention: Attention,
    norm2: LayerNorm,
    mlp: FeedForward,
}

impl Block {
    pub(super) fn load(scope: &Scope<'_>, stage: &Stage) -> TorchResult<Self> {
        let Stage {
            channels, hidden, ..
        } = *stage;
        Ok(Self {
            norm1: LayerNorm::load(&scope.at("norm1"), channels, EPSILON),
            attention: Attention::load(&scope.at("attn"), stage)?,
            norm2: LayerNorm::load(&scope.at("norm2"), channels, EPSILON),
            mlp: FeedForward {
                expand: Linear::load(&scope.at("mlp.fc1"), channels, hidden),
                contract: Linear::load(&scope.at("mlp.fc2"), hidden, channels),
            },
        })
    }

    /// A map `[rows, columns, channels]` to the same.
    pub(super) fn forward(
        &self,
        x: &Tensor,
        layout: &Layout,
        edges: &Edges,
    ) -> TorchResult<Tensor> {
        let map = x.size();
        let x = x.f_flatten(0, 1)?;
        let mut x = self
            .attention
            .forward(&self.norm1.forward(&x)?, layout, edges)?
            .f_add_(&x)?;
        let thought = self.mlp.forward(&self.norm2.forward(&x)?)?;
        x.f_add_(&thought)?.f_view(&*map)
    }
}

/// Each 2x2 tokens become one of the next stage.
#[derive(Clone, Debug)]
pub(super) struct PatchMerging {
    norm: LayerNorm,
    reduction: Linear,
    channels: i64,
}

impl PatchMerging {
    pub(super) fn load(scope: &Scope<'_>, channels: i64, next: i64) -> Self {
        let weight = scope.weight("reduction.weight", &[next, 4 * channels]);
        Self {
            norm: LayerNorm::load(&scope.at("norm"), 4 * channels, EPSILON),
            reduction: Linear { weight, bias: None },
            channels,
        }
    }

    /// A map `[rows, columns, channels]`, with a row or column of zeros where there is an odd one
    /// out, to `[rows / 2, columns / 2, next channels]`.
    pub(super) fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        let x = filled_up(x, 2)?;
        let (rows, columns, _) = x.size3()?;
        // The four in the order left top, left bottom, right top, right bottom.
        let fours = x
            .f_view([rows / 2, 2, columns / 2, 2, self.channels])?
            .f_permute([0, 2, 3, 1, 4])?
            .f_reshape([rows / 2, columns / 2, 4 * self.channels])?;
        self.reduction.forward(&self.norm.forward(&fours)?)
    }
}
