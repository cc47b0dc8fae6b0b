//! Layers of the encoder: each cell looks at a few others in all resolutions.

use tch::Tensor;

use super::{EPSILON, PixelDecoderSizes};
use crate::{
    Scope, TorchResult,
    attention::{DeformableAttention, Levels},
    nn::{LayerNorm, Linear},
};

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
    pub(super) fn load(scope: &Scope<'_>, sizes: &PixelDecoderSizes) -> TorchResult<Self> {
        let PixelDecoderSizes {
            channels,
            heads,
            points,
            hidden,
            ..
        } = *sizes;
        let levels = sizes.count() as i64;
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
