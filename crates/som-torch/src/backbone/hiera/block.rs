//! What a stage is made of.

use tch::Tensor;

use super::{EPSILON, attention::Attention, halved, sizes::BlockSizes};
use crate::{
    Scope, TorchResult,
    nn::{FeedForward, LayerNorm, Linear},
};

/// Attention, then an MLP, both of what a norm gives and added to what came in. The first block of a
/// stage halves the map, and widens it.
#[derive(Clone, Debug)]
pub struct Block {
    norm1: LayerNorm,
    attention: Attention,
    /// To the channels that come out.
    widen: Option<Linear>,
    norm2: LayerNorm,
    mlp: FeedForward,
    pub(super) ends_stage: bool,
}

impl Block {
    pub(super) fn load(scope: &Scope<'_>, sizes: BlockSizes) -> Self {
        let shapes = sizes.shapes;
        let (input, output, hidden) = (shapes.input, shapes.output, shapes.hidden);
        let mlp = scope.at("mlp.layers");
        Self {
            norm1: LayerNorm::load(&scope.at("norm1"), input, EPSILON),
            attention: Attention::load(&scope.at("attn"), sizes),
            widen: shapes
                .pools
                .then(|| Linear::load(&scope.at("proj"), input, output)),
            norm2: LayerNorm::load(&scope.at("norm2"), output, EPSILON),
            mlp: FeedForward {
                expand: Linear::load(&mlp.at(0), output, hidden),
                contract: Linear::load(&mlp.at(1), hidden, output),
            },
            ends_stage: sizes.ends_stage,
        }
    }

    /// A map `[rows, columns, channels]` to the same, or to half as many rows and columns.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        let normed = self.norm1.forward(x)?;
        let mut attended = self.attention.forward(&normed)?;
        let mut x = match &self.widen {
            Some(widen) => {
                let wide = widen.forward(&normed)?.f_unsqueeze(0)?;
                attended.f_add_(&halved(&wide)?.f_squeeze_dim(0)?)?
            }
            None => attended.f_add_(x)?,
        };
        let thought = self.mlp.forward(&self.norm2.forward(&x)?)?;
        x.f_add_(&thought)
    }

    /// What attention adds to the map.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn attend(&self, x: &Tensor) -> TorchResult<Tensor> {
        self.attention.forward(&self.norm1.forward(x)?)
    }
}
