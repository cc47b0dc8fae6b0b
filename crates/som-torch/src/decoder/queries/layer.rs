//! One layer: queries look at each other, then at the memory.

use tch::Tensor;

use super::{EPSILON, Queries, QueryDecoderSizes};
use crate::{
    Scope, TorchResult,
    attention::{DeformableAttention, DeformableValues, Levels, MultiHeadAttention},
    nn::{LayerNorm, Linear},
};

/// Attention among queries, deformable attention to the memory, and an MLP, each added to what came
/// in and normed.
#[derive(Clone, Debug)]
pub(super) struct QueryLayer {
    among: MultiHeadAttention,
    norm2: LayerNorm,
    memory: DeformableAttention,
    norm1: LayerNorm,
    expand: Linear,
    contract: Linear,
    norm3: LayerNorm,
}

impl QueryLayer {
    pub(super) fn load(scope: &Scope<'_>, sizes: &QueryDecoderSizes) -> TorchResult<Self> {
        let QueryDecoderSizes {
            channels,
            heads,
            levels,
            points,
            hidden,
            ..
        } = *sizes;
        let memory = scope.at("cross_attn");
        let norm = |name| LayerNorm::load(&scope.at(name), channels, EPSILON);
        Ok(Self {
            among: MultiHeadAttention::load(&scope.at("self_attn"), channels, heads)?,
            norm2: norm("norm2"),
            memory: DeformableAttention::load(&memory, channels, heads, levels, points)?,
            norm1: norm("norm1"),
            expand: Linear::load(&scope.at("linear1"), channels, hidden),
            contract: Linear::load(&scope.at("linear2"), hidden, channels),
            norm3: norm("norm3"),
        })
    }

    /// What this layer sees of a memory `[cells, channels]`.
    pub(super) fn values(&self, memory: &Tensor, levels: &Levels) -> TorchResult<DeformableValues> {
        self.memory.values(memory, levels)
    }

    /// The content of queries whose place adds `place` `[queries, channels]`, after the layer.
    pub(super) fn forward(
        &self,
        queries: &Queries,
        place: &Tensor,
        values: &DeformableValues,
    ) -> TorchResult<Tensor> {
        let Queries { content, boxes } = queries;
        let placed = content.f_add(place)?;
        let mut x = self.among.forward(&placed, &placed, content, None)?;
        let mut x = self.norm2.forward(&x.f_add_(content)?)?;
        let found = self.memory.forward(&x.f_add(place)?, boxes, values)?;
        let mut x = self.norm1.forward(&x.f_add_(&found)?)?;
        let hidden = self.expand.forward(&x)?.f_relu_()?;
        self.norm3
            .forward(&x.f_add_(&self.contract.forward(&hidden)?)?)
    }
}
