//! One layer of the decoder: queries look at a level of the image, then at each other.
//!
//! `modeling/interface/modules.py`: the layers with norms behind them.

use som_torch::{
    Scope, TorchResult,
    attention::MultiHeadAttention,
    nn::{LayerNorm, Linear},
};
use tch::Tensor;

use super::config::DecoderSizes;

/// Of all norms of the decoder.
pub(super) const EPSILON: f64 = 1e-5;

/// Attention to the image, attention to each other, and an MLP, each added to what came in and
/// normed.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    image: MultiHeadAttention,
    image_norm: LayerNorm,
    among: MultiHeadAttention,
    among_norm: LayerNorm,
    expand: Linear,
    contract: Linear,
    norm: LayerNorm,
}

/// One level of an image as queries look at it.
#[derive(Debug)]
pub(crate) struct Level {
    pub height: i64,
    pub width: i64,
    /// `[cells, channels]`
    pub values: Tensor,
    /// The same with what their places add.
    pub keys: Tensor,
    /// The features of masks at this size, `[cells, mask channels]`: where a query's mask is, it
    /// looks.
    pub masks: Tensor,
}

/// Tokens, and what their places add to them as queries and keys: both `[tokens, channels]`.
#[derive(Debug)]
pub(crate) struct Placed<'a> {
    pub content: &'a Tensor,
    pub place: &'a Tensor,
}

impl Placed<'_> {
    fn sum(&self) -> TorchResult<Tensor> {
        self.content.f_add(self.place)
    }
}

impl Layer {
    /// Layer `index` of the decoder at `scope`.
    pub(super) fn load(scope: &Scope<'_>, index: i64, sizes: &DecoderSizes) -> TorchResult<Self> {
        let DecoderSizes {
            channels,
            heads,
            hidden,
            ..
        } = *sizes;
        let part = |name: &str| {
            scope
                .at(format_args!("transformer_{name}_layers"))
                .at(index)
        };
        let image = part("cross_attention");
        let among = part("self_attention");
        let think = part("ffn");
        let norm = |scope: &Scope<'_>| LayerNorm::load(&scope.at("norm"), channels, EPSILON);
        Ok(Self {
            image: MultiHeadAttention::load(&image.at("multihead_attn"), channels, heads)?,
            image_norm: norm(&image),
            among: MultiHeadAttention::load(&among.at("self_attn"), channels, heads)?,
            among_norm: norm(&among),
            expand: Linear::load(&think.at("linear1"), channels, hidden),
            contract: Linear::load(&think.at("linear2"), hidden, channels),
            norm: norm(&think),
        })
    }

    /// Queries that have looked at the cells of a level that are `visible` to each,
    /// `[queries, cells]`.
    pub(crate) fn look(
        &self,
        queries: &Placed<'_>,
        level: &Level,
        visible: &Tensor,
    ) -> TorchResult<Tensor> {
        let found =
            self.image
                .forward(&queries.sum()?, &level.keys, &level.values, Some(visible))?;
        self.image_norm.forward(&found.f_add(queries.content)?)
    }

    /// Queries that have looked at others, of which those are `visible` that a mask
    /// `[queries, others]` says; all, without one.
    pub(crate) fn confer(
        &self,
        queries: &Placed<'_>,
        others: &Placed<'_>,
        visible: Option<&Tensor>,
    ) -> TorchResult<Tensor> {
        let (asking, keys) = (queries.sum()?, others.sum()?);
        let found = self
            .among
            .forward(&asking, &keys, others.content, visible)?;
        self.among_norm.forward(&found.f_add(queries.content)?)
    }

    /// Tokens after the MLP.
    pub(crate) fn think(&self, x: &Tensor) -> TorchResult<Tensor> {
        let hidden = self.expand.forward(x)?.f_relu_()?;
        self.norm
            .forward(&self.contract.forward(&hidden)?.f_add(x)?)
    }
}

impl Level {
    /// The same, sharing the numbers.
    pub(crate) fn share(&self) -> Self {
        Self {
            values: self.values.shallow_clone(),
            keys: self.keys.shallow_clone(),
            masks: self.masks.shallow_clone(),
            ..*self
        }
    }

    /// How many numbers it holds.
    pub(crate) fn numbers(&self) -> usize {
        self.values.numel() + self.keys.numel() + self.masks.numel()
    }
}
