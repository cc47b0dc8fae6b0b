//! CLIP's text transformer.
//!
//! Radford et al., 2021 (arXiv 2103.00020), section 2.4, in the form that X-Decoder gave it and
//! SEEM and OpenSeeD use: `openseed/language/LangEncoder/transformer.py` of OpenSeeD. Norms come
//! before attention and MLP, no token sees those after it, and padding is not masked: nothing is
//! read behind it.

use tch::Tensor;

use super::{PromptTree, tree::Level};
use crate::{
    Scope, TorchResult,
    nn::{LayerNorm, Linear, Weight},
};

/// Of the norms, as the official file has it.
const EPSILON: f64 = 1e-12;

/// How many beginnings attend at once: what they look at stays in the cache.
const AT_ONCE: i64 = 256;

/// Reads prompts. Clones share the weights.
#[derive(Clone, Debug)]
pub struct TextTransformer {
    /// `[vocabulary, width]`
    tokens: Weight,
    /// `[context, width]`
    positions: Weight,
    /// In order, each to be applied to what the one before gives.
    pub blocks: Vec<TextBlock>,
    final_norm: LayerNorm,
}

impl TextTransformer {
    /// `token_embedding`, `positional_embedding`, `resblocks.N` and `ln_final` of `scope`, whose
    /// shapes tell all sizes but the number of heads.
    pub fn load(scope: &Scope<'_>, vocabulary: i64, heads: i64) -> Self {
        let (context, width) = match scope.shape("positional_embedding") {
            Some(&[context, width]) => (context, width),
            _ => (0, 0),
        };
        let blocks = scope.at("resblocks");
        let count = (0..).take_while(|index| blocks.at(index).shape("ln_1.weight").is_some());
        Self {
            tokens: scope
                .at("token_embedding")
                .weight("weight", &[vocabulary, width]),
            positions: scope.weight("positional_embedding", &[context, width]),
            blocks: count
                .map(|index: i64| TextBlock::load(&blocks.at(index), width, heads))
                .collect(),
            final_norm: LayerNorm::load(&scope.at("ln_final"), width, EPSILON),
        }
    }

    /// How many tokens it reads at most.
    pub fn context(&self) -> usize {
        self.positions
            .size()
            .first()
            .map_or(0, |&size| size as usize)
    }

    /// What goes into the first block: `[nodes, width]`.
    ///
    /// # Errors
    /// What libtorch reports; a prompt longer than the context.
    pub fn embed(&self, tree: &PromptTree) -> TorchResult<Tensor> {
        let x = self.tokens.f_index_select(0, &tree.ids)?;
        let mut first = 0;
        for (position, level) in (0..).zip(&tree.levels) {
            let _ = x
                .f_narrow(0, first, level.count)?
                .f_add_(&self.positions.f_narrow(0, position, 1)?)?;
            first += level.count;
        }
        Ok(x)
    }

    /// What the last block gives, normalised: `[nodes, width]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn finish(&self, x: &Tensor) -> TorchResult<Tensor> {
        self.final_norm.forward(x)
    }
}

/// Attention to what stands before, then an MLP.
#[derive(Clone, Debug)]
pub struct TextBlock {
    norm1: LayerNorm,
    /// To queries, keys and values.
    project: Linear,
    output: Linear,
    norm2: LayerNorm,
    widen: Linear,
    narrow: Linear,
    width: i64,
    heads: i64,
}

impl TextBlock {
    fn load(scope: &Scope<'_>, width: i64, heads: i64) -> Self {
        let attention = scope.at("attn");
        let mlp = scope.at("mlp");
        let hidden = match mlp.shape("c_fc.weight") {
            Some(&[hidden, _]) => hidden,
            _ => 4 * width,
        };
        Self {
            norm1: LayerNorm::load(&scope.at("ln_1"), width, EPSILON),
            project: Linear {
                weight: attention.weight("in_proj_weight", &[3 * width, width]),
                bias: Some(attention.weight("in_proj_bias", &[3 * width])),
            },
            output: Linear::load(&attention.at("out_proj"), width, width),
            norm2: LayerNorm::load(&scope.at("ln_2"), width, EPSILON),
            widen: Linear::load(&mlp.at("c_fc"), width, hidden),
            narrow: Linear::load(&mlp.at("c_proj"), hidden, width),
            width,
            heads,
        }
    }

    /// `[nodes, width]` to the same.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn forward(&self, x: &Tensor, tree: &PromptTree) -> TorchResult<Tensor> {
        let x = self.attend(&self.norm1.forward(x)?, tree)?.f_add_(x)?;
        let hidden = self.widen.forward(&self.norm2.forward(&x)?)?;
        // QuickGELU.
        let mut gate = hidden.f_mul_scalar(1.702)?.f_sigmoid_()?;
        let hidden = gate.f_mul_(&hidden)?;
        self.narrow.forward(&hidden)?.f_add_(&x)
    }

    fn attend(&self, x: &Tensor, tree: &PromptTree) -> TorchResult<Tensor> {
        let projected = self.project.forward(x)?;
        let query = projected.f_narrow(1, 0, self.width)?;
        let seen = projected.f_narrow(1, self.width, 2 * self.width)?;
        let attended = Tensor::f_empty_like(x)?;
        let mut first = 0;
        for Level { count, ancestors } in &tree.levels {
            for start in (0..*count).step_by(AT_ONCE as usize) {
                let size = AT_ONCE.min(count - start);
                let found = self.find(
                    &query.f_narrow(0, first + start, size)?,
                    &seen,
                    &ancestors.f_narrow(0, start, size)?,
                )?;
                attended.f_narrow(0, first + start, size)?.f_copy_(&found)?;
            }
            first += count;
        }
        self.output.forward(&attended)
    }

    /// What queries `[n, width]` find in those rows of `seen`, keys and values
    /// `[nodes, 2 · width]`, that `ancestors` `[n, length]` names.
    fn find(&self, query: &Tensor, seen: &Tensor, ancestors: &Tensor) -> TorchResult<Tensor> {
        let (count, length) = ancestors.size2()?;
        let seen = seen
            .f_index_select(0, &ancestors.f_flatten(0, 1)?)?
            .f_view([count, length, 2, self.heads, -1])?
            .f_permute([2, 0, 3, 1, 4])?;
        let found = Tensor::f_scaled_dot_product_attention(
            &query.f_reshape([count, self.heads, 1, -1])?,
            &seen.f_select(0, 0)?,
            &seen.f_select(0, 1)?,
            None::<&Tensor>,
            0.0,
            false,
            None,
            false,
        )?;
        found.f_reshape([count, self.width])
    }
}
