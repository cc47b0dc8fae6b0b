//! Multi-head attention.

use tch::Tensor;

use crate::{
    Scope, TorchResult,
    nn::{Linear, Weight},
};

/// Attention of queries to keys, in several heads; PyTorch's `nn.MultiheadAttention`.
#[derive(Clone, Debug)]
pub struct MultiHeadAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: i64,
}

impl MultiHeadAttention {
    /// `in_proj_weight` `[3 · channels, channels]`, `in_proj_bias` and `out_proj` of `scope`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn load(scope: &Scope<'_>, channels: i64, heads: i64) -> TorchResult<Self> {
        let weight = scope.weight("in_proj_weight", &[3 * channels, channels]);
        let bias = scope.weight("in_proj_bias", &[3 * channels]);
        let part = |index: i64| {
            let part = |weight: &Weight| {
                weight.map(|weight| weight.f_narrow(0, index * channels, channels))
            };
            TorchResult::Ok(Linear {
                weight: part(&weight)?,
                bias: Some(part(&bias)?),
            })
        };
        Ok(Self {
            query: part(0)?,
            key: part(1)?,
            value: part(2)?,
            output: Linear::load(&scope.at("out_proj"), channels, channels),
            heads,
        })
    }

    /// Attention by affine maps that have names of their own: to queries, keys and values, and of what
    /// is found.
    pub fn new([query, key, value]: [Linear; 3], output: Linear, heads: i64) -> Self {
        Self {
            query,
            key,
            value,
            output,
            heads,
        }
    }

    /// What queries `[queries, channels]` find among values `[keys, channels]`, by how well their
    /// keys fit; `mask`, if any, is added to the logits `[queries, keys]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn forward(
        &self,
        queries: &Tensor,
        keys: &Tensor,
        values: &Tensor,
        mask: Option<&Tensor>,
    ) -> TorchResult<Tensor> {
        let heads = |linear: &Linear, x: &Tensor| {
            let (tokens, channels) = x.size2()?;
            linear
                .forward(x)?
                .f_view([1, tokens, self.heads, channels / self.heads])?
                .f_transpose(1, 2)
        };
        let (query, key, value) = (
            heads(&self.query, queries)?,
            heads(&self.key, keys)?,
            heads(&self.value, values)?,
        );
        let found = Tensor::f_scaled_dot_product_attention(
            &query, &key, &value, mask, 0.0, false, None, false,
        )?;
        let found = found.f_transpose(1, 2)?.f_reshape(queries.size())?;
        self.output.forward(&found)
    }
}
