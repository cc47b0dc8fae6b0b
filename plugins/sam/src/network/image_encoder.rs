//! The image encoder: a vision transformer whose blocks attend in windows, or globally.
//!
//! Li et al., *Exploring Plain Vision Transformer Backbones for Object Detection*, 2022
//! (arXiv 2203.16527).

use som_torch::{
    Scope, TorchResult,
    attention::RelativeAttention,
    nn::{Conv3x3, FeedForward, LayerNorm, Linear, PatchConv, Weight, Windows},
};
use tch::{Kind, Tensor};

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
    pub attention: RelativeAttention,
    norm2: LayerNorm,
    mlp: FeedForward,
}

impl Block {
    fn load(scope: &Scope<'_>, config: &Config, block: BlockConfig) -> TorchResult<Self> {
        let width = config.width;
        Ok(Self {
            norm1: LayerNorm::load(&scope.at("norm1"), width, EPSILON),
            attention: attention(&scope.at("attn"), config, block)?,
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

/// Attention in the windows of a block.
fn attention(
    scope: &Scope<'_>,
    config: &Config,
    block: BlockConfig,
) -> TorchResult<RelativeAttention> {
    let Config { width, grid, .. } = *config;
    let BlockConfig { heads, window, .. } = block;
    let table = |name| scope.weight(name, &[2 * window - 1, width / heads]);
    RelativeAttention::new(
        &Linear::load(&scope.at("qkv"), width, 3 * width),
        Linear::load(&scope.at("proj"), width, width),
        [&table("rel_pos_h"), &table("rel_pos_w")],
        Windows::new(grid, grid, window),
        heads,
    )
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
