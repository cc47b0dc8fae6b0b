//! Layers of the encoder: each cell looks at a few others in all resolutions.

use tch::Tensor;

use super::EPSILON;
use crate::{
    Scope, TorchResult,
    attention::{DeformableAttention, Levels},
    nn::{LayerNorm, Linear},
};

/// Every size of such a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncoderLayerSizes {
    /// Channels of each cell.
    pub channels: i64,
    /// Heads of the attention.
    pub heads: i64,
    /// Maps that the memory consists of.
    pub levels: i64,
    /// Points that a head looks at in each of them.
    pub points: i64,
    /// Channels inside the MLP.
    pub hidden: i64,
}

/// Deformable attention, then an MLP, both added to what came in and normed.
#[derive(Clone, Debug)]
pub struct EncoderLayer {
    attention: DeformableAttention,
    norm1: LayerNorm,
    expand: Linear,
    contract: Linear,
    norm2: LayerNorm,
}

impl EncoderLayer {
    /// `self_attn`, `norm1`, `linear1`, `linear2` and `norm2` of `scope`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn load(scope: &Scope<'_>, sizes: EncoderLayerSizes) -> TorchResult<Self> {
        let EncoderLayerSizes {
            channels,
            heads,
            levels,
            points,
            hidden,
        } = sizes;
        let attention = scope.at("self_attn");
        let norm = |name| LayerNorm::load(&scope.at(name), channels, EPSILON);
        Ok(Self {
            attention: DeformableAttention::load(&attention, channels, heads, levels, points)?,
            norm1: norm("norm1"),
            expand: Linear::load(&scope.at("linear1"), channels, hidden),
            contract: Linear::load(&scope.at("linear2"), hidden, channels),
            norm2: norm("norm2"),
        })
    }

    /// Tokens `[cells, channels]` to the same. `positions` `[cells, channels]` are added to queries,
    /// which are at the `places` `[cells, 2]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn forward(
        &self,
        tokens: &Tensor,
        positions: &Tensor,
        places: &Tensor,
        levels: &Levels,
    ) -> TorchResult<Tensor> {
        let values = self.attention.values(tokens, levels)?;
        let queries = tokens.f_add(positions)?;
        let mut x = self.attention.forward(&queries, places, &values)?;
        drop((values, queries));
        let mut x = self.norm1.forward(&x.f_add_(tokens)?)?;
        let hidden = self.expand.forward(&x)?.f_relu_()?;
        self.norm2
            .forward(&x.f_add_(&self.contract.forward(&hidden)?)?)
    }
}
