//! What the layers of encoder and decoder are made of: attention whose heads are weighed, and an MLP with
//! a norm inside.
//!
//! Shleifer et al., *NormFormer*, 2021 (arXiv 2110.09456); official files
//! `models/polyformer/unify_multihead_attention.py` and `unify_transformer_layer.py`.

use som_torch::{
    Scope, TorchResult,
    nn::{LayerNorm, Linear, Weight},
};
use tch::Tensor;

use super::config::LayerSizes;

/// Of all norms but those of BERT.
pub(crate) const EPSILON: f64 = 1e-5;

/// Attention of queries to keys, in several heads, each of which has a weight; normed at the end.
#[derive(Clone, Debug)]
pub(crate) struct HeadAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    /// `[heads, 1, 1]`
    head_weights: Weight,
    output: Linear,
    norm: LayerNorm,
    heads: i64,
    scale: f64,
}

/// What is attended to, `[1, heads, tokens, channels of a head]` each.
#[derive(Debug)]
pub(crate) struct KeysAndValues {
    pub keys: Tensor,
    pub values: Tensor,
}

impl HeadAttention {
    /// The attention `attention` and the norm `norm` of `scope`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn load(
        scope: &Scope<'_>,
        attention: &str,
        norm: &str,
        sizes: &LayerSizes,
    ) -> TorchResult<Self> {
        let LayerSizes {
            channels,
            heads,
            scale,
            ..
        } = *sizes;
        let place = scope.at(attention);
        let linear = |name| Linear::load(&place.at(name), channels, channels);
        let head_weights = place.weight("c_attn", &[heads]);
        Ok(Self {
            query: linear("q_proj"),
            key: linear("k_proj"),
            value: linear("v_proj"),
            head_weights: head_weights.map(|weights| weights.f_view([heads, 1, 1]))?,
            output: linear("out_proj"),
            norm: LayerNorm::load(&scope.at(norm), channels, EPSILON),
            heads,
            scale,
        })
    }

    /// Keys and values of tokens `[tokens, channels]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn keys_and_values(&self, x: &Tensor) -> TorchResult<KeysAndValues> {
        Ok(KeysAndValues {
            keys: by_head(&self.key.forward(x)?, self.heads)?,
            values: by_head(&self.value.forward(x)?, self.heads)?,
        })
    }

    /// What tokens `[queries, channels]` find; `bias` `[heads, queries, keys]` is added to the logits.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn forward(
        &self,
        x: &Tensor,
        seen: &KeysAndValues,
        bias: &Tensor,
    ) -> TorchResult<Tensor> {
        let query = by_head(&self.query.forward(x)?, self.heads)?;
        let found = Tensor::f_scaled_dot_product_attention(
            &query,
            &seen.keys,
            &seen.values,
            Some(&bias.f_unsqueeze(0)?),
            0.0,
            false,
            Some(self.scale),
            false,
        )?;
        let weighed = found.f_mul(&self.head_weights)?;
        let weighed = weighed.f_transpose(1, 2)?.f_reshape(x.size())?;
        self.norm.forward(&self.output.forward(&weighed)?)
    }
}

/// `[tokens, channels]` as `[1, heads, tokens, channels / heads]`.
///
/// # Errors
/// What libtorch reports.
pub(crate) fn by_head(x: &Tensor, heads: i64) -> TorchResult<Tensor> {
    let (tokens, channels) = x.size2()?;
    x.f_view([1, tokens, heads, channels / heads])?
        .f_transpose(1, 2)
}

/// A norm, then two affine maps with the exact GELU and another norm between them.
#[derive(Clone, Debug)]
pub(crate) struct NormedMlp {
    before: LayerNorm,
    expand: Linear,
    inside: LayerNorm,
    contract: Linear,
}

impl NormedMlp {
    /// `final_layer_norm`, `fc1`, `ffn_layernorm` and `fc2` of `scope`.
    pub(crate) fn load(scope: &Scope<'_>, sizes: &LayerSizes) -> Self {
        let LayerSizes {
            channels, hidden, ..
        } = *sizes;
        let norm = |name, channels| LayerNorm::load(&scope.at(name), channels, EPSILON);
        Self {
            before: norm("final_layer_norm", channels),
            expand: Linear::load(&scope.at("fc1"), channels, hidden),
            inside: norm("ffn_layernorm", hidden),
            contract: Linear::load(&scope.at("fc2"), hidden, channels),
        }
    }

    /// `[tokens, channels]` to the same, with what came in added.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        let hidden = self.expand.forward(&self.before.forward(x)?)?;
        let hidden = self.inside.forward(&hidden.f_gelu("none")?)?;
        self.contract.forward(&hidden)?.f_add_(x)
    }
}
