//! The image encoder: a vision transformer whose blocks attend in windows, or globally.
//!
//! Li et al., *Exploring Plain Vision Transformer Backbones for Object Detection*, 2022
//! (arXiv 2203.16527).

use som_torch::{
    Scope, TorchResult,
    nn::{Conv3x3, FeedForward, LayerNorm, Linear, PatchConv, Weight, Windows},
};
use tch::{Device, Kind, Tensor};

use super::config::{Block as BlockConfig, Config};

const EPSILON: f64 = 1e-6;

/// Image to embedding.
#[derive(Clone, Debug)]
pub(crate) struct ImageEncoder {
    patches: PatchConv,
    /// `[grid, grid, width]`
    pub positions: Weight,
    pub blocks: Vec<Block>,
    pub neck: Neck,
    kind: Kind,
}

impl ImageEncoder {
    pub(crate) fn load(scope: &Scope<'_>, config: &Config) -> TorchResult<Self> {
        let Config {
            grid, width, patch, ..
        } = *config;
        let positions = scope.weight("pos_embed", &[1, grid, grid, width]);
        let blocks = config.blocks.iter().enumerate();
        Ok(Self {
            patches: PatchConv::load(&scope.at("patch_embed.proj"), 3, width, patch)?,
            positions: positions.map(|positions| positions.f_squeeze_dim(0))?,
            blocks: blocks
                .map(|(index, &block)| Block::load(&scope.at("blocks").at(index), config, block))
                .collect::<TorchResult<_>>()?,
            neck: Neck::load(&scope.at("neck"), width, config.embedding)?,
            kind: scope.kind(),
        })
    }

    /// Bytes of each number in it.
    pub(crate) fn number_bytes(&self) -> u64 {
        self.kind.elt_size_in_bytes() as u64
    }

    /// A normalised and padded image `[side, side, 3]` to tokens `[grid, grid, width]`, positions
    /// added: what goes through the [`blocks`](Self::blocks).
    pub(crate) fn embed_patches(&self, image: &Tensor) -> TorchResult<Tensor> {
        self.patches
            .forward(&image.f_to_kind(self.kind)?)?
            .f_add_(&self.positions)
    }

    /// What comes out of the blocks to the embedding `[grid, grid, embedding]`, in single
    /// precision.
    pub(crate) fn finish(&self, tokens: &Tensor) -> TorchResult<Tensor> {
        self.neck.forward(tokens)?.f_to_kind(Kind::Float)
    }
}

/// Attention, then an MLP, both added to what came in.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    norm1: LayerNorm,
    pub attention: Attention,
    norm2: LayerNorm,
    mlp: FeedForward,
}

impl Block {
    fn load(scope: &Scope<'_>, config: &Config, block: BlockConfig) -> TorchResult<Self> {
        let width = config.width;
        Ok(Self {
            norm1: LayerNorm::load(&scope.at("norm1"), width, EPSILON),
            attention: Attention::load(&scope.at("attn"), config, block)?,
            norm2: LayerNorm::load(&scope.at("norm2"), width, EPSILON),
            mlp: FeedForward {
                expand: Linear::load(&scope.at("mlp.lin1"), width, block.hidden),
                contract: Linear::load(&scope.at("mlp.lin2"), block.hidden, width),
            },
        })
    }

    /// Tokens `[grid, grid, width]` to the same.
    pub(crate) fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        let mut x = self.attend(x)?.f_add_(x)?;
        let thought = self.mlp.forward(&self.norm2.forward(&x)?)?;
        x.f_add_(&thought)
    }

    /// What attention adds to the tokens.
    pub(crate) fn attend(&self, x: &Tensor) -> TorchResult<Tensor> {
        self.attention.forward(&self.norm1.forward(x)?)
    }
}

/// Multi-head attention within windows (one window: globally), with a term that depends on where
/// a key lies relative to the query, separately in rows and columns.
#[derive(Clone, Debug)]
pub(crate) struct Attention {
    /// Queries come out scaled.
    qkv: Linear,
    projection: Linear,
    /// `[head, 2 · (2 · window - 1)]`: the embeddings of relative rows, then columns, each from the
    /// largest distance down, for scaled queries.
    relative: Weight,
    /// `[3 · width]`: what keys and values are beyond the image, where windows reach there.
    beyond: Weight,
    windows: Windows,
    side: i64,
    heads: i64,
}

impl Attention {
    fn load(scope: &Scope<'_>, config: &Config, block: BlockConfig) -> TorchResult<Self> {
        let Config { width, grid, .. } = *config;
        let BlockConfig {
            heads,
            window: side,
            ..
        } = block;
        let head = width / heads;
        let scale = (head as f64).powf(-0.5);
        let qkv = Linear::load(&scope.at("qkv"), width, 3 * width);
        let scaled = |weight: &Weight| {
            weight.map(|weight| {
                let scaled = weight.f_detach_copy()?;
                let _ = scaled.f_narrow(0, 0, width)?.f_mul_scalar_(scale)?;
                Ok(scaled)
            })
        };
        let qkv = Linear {
            weight: scaled(&qkv.weight)?,
            bias: qkv.bias.as_ref().map(scaled).transpose()?,
        };
        let rows = scope.weight("rel_pos_h", &[2 * side - 1, head]);
        let columns = scope.weight("rel_pos_w", &[2 * side - 1, head]);
        let relative = rows.map(|rows| {
            let both = Tensor::f_cat(&[rows.f_flip([0])?, columns.f_flip([0])?], 0)?;
            both.f_tr()?.f_div_scalar(scale)?.f_contiguous()
        })?;
        Ok(Self {
            beyond: qkv
                .bias
                .clone()
                .unwrap_or_else(|| Weight::new(Tensor::new())),
            qkv,
            projection: Linear::load(&scope.at("proj"), width, width),
            relative,
            windows: Windows::new(grid, grid, side),
            side,
            heads,
        })
    }

    /// Tokens `[grid, grid, width]` to the same.
    ///
    /// Windows that reach beyond the image hold zeros there, whose keys and values are the bias.
    /// They are filled in here after the projection instead of being projected.
    fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        let qkv = self.qkv.forward(x)?;
        let qkv = self.windows.partition(&qkv, &self.beyond, self.heads)?;
        // [windows · heads, side · side, head]
        let [query, key, value] = [0, 1, 2].map(|index| qkv.f_select(0, index)?.f_flatten(0, 1));
        let attended = self.attend(&query?, &key?, &value?)?;
        let attended = attended.f_unflatten(0, [self.windows.count(), self.heads])?;
        self.projection.forward(&self.windows.merge(&attended)?)
    }

    fn attend(&self, query: &Tensor, key: &Tensor, value: &Tensor) -> TorchResult<Tensor> {
        let (batch, tokens, _) = query.size3()?;
        let in_blocks = query.device() == Device::Cpu && query.kind() == Kind::Float;
        // Logits that are made at a time: on the CPU what the cache holds, else what memory does.
        let budget: i64 = if in_blocks { 1 << 20 } else { 1 << 28 };
        let windows = (budget / (tokens * tokens)).clamp(1, batch);
        let rows = (budget / (self.side * tokens)).clamp(1, self.side);
        let (rows_bias, columns_bias) = self.relative_bias(query)?;
        let attended = query.f_empty_like()?;
        let buffer = Tensor::f_empty(
            [windows * rows * self.side * tokens],
            (query.kind(), query.device()),
        )?;
        for first in (0..batch).step_by(windows as usize) {
            let windows = windows.min(batch - first);
            let (key, value) = (
                key.f_narrow(0, first, windows)?,
                value.f_narrow(0, first, windows)?,
            );
            for row in (0..self.side).step_by(rows as usize) {
                let rows = rows.min(self.side - row);
                let bias = buffer.f_narrow(0, 0, windows * rows * self.side * tokens)?;
                let bias = bias.f_view([windows, rows, self.side, self.side, self.side])?;
                let part = |x: &Tensor| x.f_narrow(0, first, windows)?.f_narrow(1, row, rows);
                let (down, across) = (
                    part(&rows_bias)?.f_unsqueeze(-1)?,
                    part(&columns_bias)?.f_unsqueeze(-2)?,
                );
                let bias =
                    down.f_add_out(&bias, &across)?
                        .f_view([windows, rows * self.side, tokens])?;
                let part = |x: &Tensor| {
                    x.f_narrow(0, first, windows)?
                        .f_narrow(1, row * self.side, rows * self.side)
                };
                let (query, mut attended) = (part(query)?, part(&attended)?);
                if in_blocks {
                    let logits = bias
                        .shallow_clone()
                        .f_baddbmm_(&query, &key.f_transpose(1, 2)?)?;
                    let weights = logits.f_internal_softmax_out(&logits, -1, false)?;
                    let _ = weights.f_bmm_out(&attended, &value)?;
                } else {
                    attended.f_copy_(&fused_attention(&query, &key, &value, &bias)?)?;
                }
            }
        }
        Ok(attended)
    }

    /// What relative rows and columns add to the logits: two `[batch, side, side, side]` (query
    /// row, query column, key row or key column).
    ///
    /// One product gives each query's term for every distance; since distances shrink by one from
    /// a query to the next, the terms it needs are a view of that with another stride.
    fn relative_bias(&self, query: &Tensor) -> TorchResult<(Tensor, Tensor)> {
        let (side, distances) = (self.side, 2 * self.side - 1);
        let (batch, _, _) = query.size3()?;
        let terms = query.f_matmul(&self.relative)?;
        let size = [batch, side, side, side];
        let row = 2 * distances * side;
        let rows = terms.f_as_strided(size, [side * row, row - 1, 2 * distances, 1], side - 1)?;
        let columns = terms.f_as_strided(
            size,
            [side * row, row, 2 * distances - 1, 1],
            distances + side - 1,
        )?;
        Ok((rows, columns))
    }
}

/// libtorch's fused attention, of queries that are scaled already.
fn fused_attention(
    query: &Tensor,
    key: &Tensor,
    value: &Tensor,
    bias: &Tensor,
) -> TorchResult<Tensor> {
    Tensor::f_scaled_dot_product_attention(
        &query.f_unsqueeze(0)?,
        &key.f_unsqueeze(0)?,
        &value.f_unsqueeze(0)?,
        Some(&bias.f_unsqueeze(0)?),
        0.0,
        false,
        1.0,
        false,
    )?
    .f_squeeze_dim(0)
}

/// To the channels of the embedding.
#[derive(Clone, Debug)]
pub(crate) struct Neck {
    pub project: Linear,
    pub norm1: LayerNorm,
    pub smooth: Conv3x3,
    pub norm2: LayerNorm,
}

impl Neck {
    fn load(scope: &Scope<'_>, width: i64, embedding: i64) -> TorchResult<Self> {
        let weight = scope.weight("0.weight", &[embedding, width, 1, 1]);
        Ok(Self {
            project: Linear {
                weight: weight.map(|weight| weight.f_flatten(1, -1))?,
                bias: None,
            },
            norm1: LayerNorm::load(&scope.at("1"), embedding, EPSILON),
            smooth: Conv3x3::load(&scope.at("2"), embedding, embedding)?,
            norm2: LayerNorm::load(&scope.at("3"), embedding, EPSILON),
        })
    }

    fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        let x = self.norm1.forward(&self.project.forward(x)?)?;
        self.norm2.forward(&self.smooth.forward(&x)?)
    }
}
