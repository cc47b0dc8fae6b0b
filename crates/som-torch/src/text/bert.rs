//! BERT: a transformer whose tokens see what is before and behind them.
//!
//! Devlin et al., 2018 (arXiv 1810.04805), section 3; official project `google-research/bert`,
//! `modeling.py`, under the names of Hugging Face's `BertModel`. Norms come after attention and MLP. Who
//! sees whom, and where tokens stand, is told from outside: networks read several phrases at once.

use som_core::{Call, Error, Result};
use tch::Tensor;

use crate::{
    Scope, TorchResult,
    attention::MultiHeadAttention,
    nn::{FeedForward, LayerNorm, Linear, Weight},
    torch_error,
};

/// Of all its norms.
const EPSILON: f64 = 1e-12;

/// Channels of each head, in the released networks.
const HEAD: i64 = 64;

/// Every size of a BERT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BertSizes {
    /// Tokens that it knows.
    pub vocabulary: i64,
    /// Places that tokens can have.
    pub positions: i64,
    /// Kinds of texts that are told apart; only the first is read here.
    pub kinds: i64,
    /// Channels of each token.
    pub width: i64,
    /// Heads of its attention.
    pub heads: i64,
    /// How many layers.
    pub layers: i64,
    /// Channels inside the MLPs.
    pub hidden: i64,
}

impl BertSizes {
    /// The sizes of the encoder at `scope`. The number of heads is what no shape tells: a 64th of the
    /// channels, where it is not given.
    ///
    /// # Errors
    /// Invalid, if there is none, with what is missing or odd about it.
    pub fn of(scope: &Scope<'_>, heads: Option<i64>) -> Result<Self> {
        let embeddings = scope.at("embeddings");
        let [vocabulary, width] = embeddings.extents("word_embeddings.weight")?;
        let [positions, _] = embeddings.extents("position_embeddings.weight")?;
        let [kinds, _] = embeddings.extents("token_type_embeddings.weight")?;
        let layers = scope.at("encoder.layer");
        let [hidden, _] = layers.extents("0.intermediate.dense.weight")?;
        let heads = heads.unwrap_or((width / HEAD).max(1));
        if heads < 1 || width % heads != 0 {
            return Err(Error::invalid(format!(
                "{heads} heads do not share out the {width} channels of its text encoder"
            )));
        }
        Ok(Self {
            vocabulary,
            positions,
            kinds,
            width,
            heads,
            layers: layers.count("intermediate.dense.weight"),
            hidden,
        })
    }
}

/// Reads texts. Clones share the weights.
#[derive(Clone, Debug)]
pub struct Bert {
    /// `[vocabulary, width]`
    words: Weight,
    /// `[positions, width]`
    positions: Weight,
    /// `[kinds, width]`
    kinds: Weight,
    norm: LayerNorm,
    layers: Vec<BertLayer>,
}

impl Bert {
    /// `embeddings` and `encoder.layer.N` of `scope`. A `pooler` is not needed.
    pub fn load(scope: &Scope<'_>, sizes: &BertSizes) -> Self {
        let embeddings = scope.at("embeddings");
        embeddings.leave("position_ids");
        for name in ["weight", "bias"] {
            scope.at("pooler.dense").leave(name);
        }
        let table = |name: &str, count: i64| {
            let scope = embeddings.at(name);
            scope.weight("weight", &[count, sizes.width])
        };
        let layers = scope.at("encoder.layer");
        let layers = (0..sizes.layers).map(|index| BertLayer::load(&layers.at(index), sizes));
        Self {
            words: table("word_embeddings", sizes.vocabulary),
            positions: table("position_embeddings", sizes.positions),
            kinds: table("token_type_embeddings", sizes.kinds),
            norm: LayerNorm::load(&embeddings.at("LayerNorm"), sizes.width, EPSILON),
            layers: layers.collect(),
        }
    }

    /// Tokens, and where each stands, to `[tokens, width]`. `mask` `[tokens, tokens]` is added to the
    /// logits of attention: 0 where a token (row) sees another, minus infinity elsewhere.
    ///
    /// # Errors
    /// Cancelled, between layers; what libtorch reports, such as a token that it does not know.
    pub fn forward(
        &self,
        ids: &[u32],
        positions: &[i64],
        mask: &Tensor,
        call: &Call<'_>,
    ) -> Result<Tensor> {
        let mut x = self.embed(ids, positions).map_err(torch_error)?;
        for layer in &self.layers {
            call.check()?;
            x = layer.forward(&x, mask).map_err(torch_error)?;
        }
        Ok(x)
    }

    fn embed(&self, ids: &[u32], positions: &[i64]) -> TorchResult<Tensor> {
        let device = self.words.device();
        let ids: Vec<i64> = ids.iter().map(|&id| i64::from(id)).collect();
        let rows = |table: &Weight, rows: &[i64]| {
            table.f_index_select(0, &Tensor::f_from_slice(rows)?.f_to_device(device)?)
        };
        let x = rows(&self.words, &ids)?
            .f_add_(&self.kinds.f_narrow(0, 0, 1)?)?
            .f_add_(&rows(&self.positions, positions)?)?;
        self.norm.forward(&x)
    }
}

/// One layer: attention, then an MLP, each added to what came in and normed.
#[derive(Clone, Debug)]
pub struct BertLayer {
    attention: MultiHeadAttention,
    norm1: LayerNorm,
    mlp: FeedForward,
    norm2: LayerNorm,
}

impl BertLayer {
    /// `attention`, `intermediate` and `output` of `scope`.
    pub fn load(scope: &Scope<'_>, sizes: &BertSizes) -> Self {
        let BertSizes {
            width,
            heads,
            hidden,
            ..
        } = *sizes;
        let attention = scope.at("attention");
        let part = |name| Linear::load(&attention.at("self").at(name), width, width);
        let parts = ["query", "key", "value"].map(part);
        let found = attention.at("output");
        let output = Linear::load(&found.at("dense"), width, width);
        Self {
            attention: MultiHeadAttention::new(parts, output, heads),
            norm1: LayerNorm::load(&found.at("LayerNorm"), width, EPSILON),
            mlp: FeedForward {
                expand: Linear::load(&scope.at("intermediate.dense"), width, hidden),
                contract: Linear::load(&scope.at("output.dense"), hidden, width),
            },
            norm2: LayerNorm::load(&scope.at("output.LayerNorm"), width, EPSILON),
        }
    }

    /// Tokens `[tokens, width]` to the same. `mask` is as of [`Bert::forward`].
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn forward(&self, x: &Tensor, mask: &Tensor) -> TorchResult<Tensor> {
        let mut found = self.attention.forward(x, x, x, Some(mask))?;
        let x = self.norm1.forward(&found.f_add_(x)?)?;
        let mut thought = self.mlp.forward(&x)?;
        self.norm2.forward(&thought.f_add_(&x)?)
    }
}
