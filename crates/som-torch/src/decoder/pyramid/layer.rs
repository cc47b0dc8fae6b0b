//! Layers of the transformer: each cell of the coarsest map looks at all others.

use tch::Tensor;

use super::{EPSILON, PyramidDecoderSizes};
use crate::{
    Scope, TorchResult,
    attention::MultiHeadAttention,
    nn::{LayerNorm, Linear},
};

/// Attention, then an MLP, both added to what came in and normed.
#[derive(Clone, Debug)]
pub struct PyramidLayer {
    attention: MultiHeadAttention,
    norm1: LayerNorm,
    expand: Linear,
    contract: Linear,
    norm2: LayerNorm,
}

impl PyramidLayer {
    pub(super) fn load(scope: &Scope<'_>, sizes: &PyramidDecoderSizes) -> TorchResult<Self> {
        let PyramidDecoderSizes {
            channels,
            heads,
            hidden,
            ..
        } = *sizes;
        let norm = |name| LayerNorm::load(&scope.at(name), channels, EPSILON);
        Ok(Self {
            attention: MultiHeadAttention::load(&scope.at("self_attn"), channels, heads)?,
            norm1: norm("norm1"),
            expand: Linear::load(&scope.at("linear1"), channels, hidden),
            contract: Linear::load(&scope.at("linear2"), hidden, channels),
            norm2: norm("norm2"),
        })
    }

    /// Tokens `[cells, channels]` to the same; `positions` `[cells, channels]` are added to queries
    /// and keys.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn forward(&self, tokens: &Tensor, positions: &Tensor) -> TorchResult<Tensor> {
        let placed = tokens.f_add(positions)?;
        let mut x = self.attention.forward(&placed, &placed, tokens, None)?;
        let mut x = self.norm1.forward(&x.f_add_(tokens)?)?;
        let hidden = self.expand.forward(&x)?.f_relu_()?;
        self.norm2
            .forward(&x.f_add_(&self.contract.forward(&hidden)?)?)
    }
}
