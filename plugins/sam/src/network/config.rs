//! The sizes of a network, read off the shapes of its tensors.
//!
//! So the released ViT-B, ViT-L and ViT-H and any other network of this design load through the
//! same code.

use serde::Deserialize;
use som_core::Result;
use som_torch::{
    Source,
    checkpoint::Shapes,
    decoder::{MaskDecoderSizes, PromptEncoderSizes},
};

/// Every size of a Segment Anything network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// Side in pixels of the square input.
    pub side: i64,
    /// Side in pixels of one token.
    pub patch: i64,
    /// Side in tokens of the square input and of the embedding.
    pub grid: i64,
    /// Channels of the image encoder.
    pub width: i64,
    /// Of each block of the image encoder, in order.
    pub blocks: Vec<Block>,
    /// Channels of the embedding, the prompts and the mask decoder.
    pub embedding: i64,
    pub prompts: PromptEncoderSizes,
    pub decoder: MaskDecoderSizes,
}

/// One block of the image encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub heads: i64,
    /// Side in tokens of the windows it attends in; the grid's side for global attention.
    pub window: i64,
    /// Channels inside its MLP.
    pub hidden: i64,
}

impl Config {
    /// The sizes of the network in the files of `source`.
    ///
    /// # Errors
    /// Invalid, if that is no Segment Anything network.
    pub(crate) fn of(source: &Source) -> Result<Self> {
        let shapes = Shapes::of(&source.checkpoint, "Segment Anything");
        let told = source
            .told::<Told>("Segment Anything", TOLD)?
            .unwrap_or_default();
        let [width, _, patch, _] = shapes.get("image_encoder.patch_embed.proj.weight")?;
        let [_, grid, _, _] = shapes.get("image_encoder.pos_embed")?;
        let [embedding, ..]: [i64; 4] = shapes.get("image_encoder.neck.0.weight")?;
        // As in every released network, whose embedding has 256 channels; in narrow ones 8 heads would
        // have too few channels each.
        let usual = if embedding < 128 { 4 } else { 8 };
        let heads = told.decoder_num_heads.unwrap_or(usual);
        let blocks = (0..shapes.count("image_encoder.blocks.", ".norm1.weight"))
            .map(|index| {
                let name = |tensor: &str| format!("image_encoder.blocks.{index}.{tensor}");
                let [positions, head] = shapes.get(&name("attn.rel_pos_h"))?;
                let [hidden, _] = shapes.get(&name("mlp.lin1.weight"))?;
                Ok(Block {
                    heads: width / head.max(1),
                    window: (positions + 1) / 2,
                    hidden,
                })
            })
            .collect::<Result<_>>()?;
        let config = Self {
            side: told.image_size.unwrap_or(grid.saturating_mul(patch)),
            patch,
            grid,
            width,
            blocks,
            embedding,
            prompts: PromptEncoderSizes::of(&shapes, "prompt_encoder")?,
            decoder: MaskDecoderSizes::of(&shapes, "mask_decoder", grid, heads, false)?,
        };
        match config.contradiction() {
            None => Ok(config),
            Some(why) => Err(shapes.foreign(&why)),
        }
    }

    /// Numbers that the image encoder holds at its peak, in a block's attention: tokens before and
    /// after the norm; queries, keys and values as a map and again in windows, which reach beyond
    /// it; what they find; and a term for each relative row and column. (Its logits are extra.)
    pub(crate) fn encoding(&self) -> u64 {
        let block = |&Block { heads, window, .. }: &Block| {
            let windows = (self.grid + window - 1) / window;
            let padded = (windows * window).pow(2);
            self.grid.pow(2) * 6 * self.width + padded * (4 * self.width + 4 * window * heads)
        };
        let widest = self.blocks.iter().map(block).max();
        widest.unwrap_or_default().unsigned_abs()
    }

    /// What forbids to divide the sizes as the network divides them. All else shows when the
    /// tensors' shapes are compared.
    fn contradiction(&self) -> Option<String> {
        let Self {
            side,
            patch,
            grid,
            width,
            embedding,
            prompts: PromptEncoderSizes { mask_channels, .. },
            ref decoder,
            ..
        } = *self;
        for (what, size) in [
            ("patches", patch),
            ("grid of tokens", grid),
            ("image encoder", width),
            ("embedding", embedding),
        ] {
            if !(1..=1 << 16).contains(&size) {
                return Some(format!("the size of its {what} is {size}"));
            }
        }
        if !(1..=1 << 13).contains(&side) || side / patch != grid {
            return Some(format!(
                "images of {side} pixels do not have {grid} x {grid} patches of {patch} (image_size in a config.json beside it tells their side)"
            ));
        }
        if mask_channels < 4 {
            return Some(format!("it has {mask_channels} channels for masks"));
        }
        if let Some(why) = decoder.contradiction(TOLD_HEADS) {
            return Some(why);
        }
        let odd = |block: &&Block| {
            block.heads < 1 || width % block.heads != 0 || !(1..=1 << 13).contains(&block.window)
        };
        self.blocks
            .iter()
            .find(odd)
            .map(|Block { heads, window, .. }| {
                format!("a block has {width} channels, {heads} heads and windows of {window}")
            })
    }
}

/// The sizes that no shape tells: a projection to 8 heads looks like one to 4, and pixels beyond the
/// last whole patch leave no trace. The file of the option `config` may say them.
#[derive(Debug, Default, Deserialize)]
struct Told {
    /// Heads of the mask decoder.
    decoder_num_heads: Option<i64>,
    /// Side in pixels of the square input.
    image_size: Option<i64>,
}

/// For people whose file is wrong about heads, or not there.
const TOLD_HEADS: &str = "decoder_num_heads in a config.json beside it tells their number";

/// For people whose file says something else.
const TOLD: &str = "decoder_num_heads and image_size, whole numbers";
