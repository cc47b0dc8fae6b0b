//! The sizes of a network, read off the shapes of its tensors.
//!
//! So the released ViT-B, ViT-L and ViT-H and any other network of this design load through the
//! same code.

use serde::Deserialize;
use som_core::Result;
use som_torch::{Source, checkpoint::Shapes};

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
    /// Channels inside the encoding of mask prompts.
    pub mask_channels: i64,
    pub decoder: Decoder,
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

/// The mask decoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decoder {
    pub layers: i64,
    pub heads: i64,
    /// Channels of attention between tokens and image.
    pub inner: i64,
    /// Channels inside the layers' MLP.
    pub hidden: i64,
    /// Masks it can give: one for unambiguous prompts, the others for ambiguous ones.
    pub masks: i64,
    /// Widths of the head that predicts IoU, from input to output.
    pub iou_widths: Vec<i64>,
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
        let [mask_channels, ..]: [i64; 4] =
            shapes.get("prompt_encoder.mask_downscaling.3.weight")?;
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
            mask_channels,
            decoder: decoder(&shapes, embedding, told.decoder_num_heads)?,
        };
        match config.contradiction() {
            None => Ok(config),
            Some(why) => Err(shapes.foreign(&why)),
        }
    }

    /// Side of the logits the decoder gives and of mask prompts.
    pub(crate) const fn low(&self) -> i64 {
        4 * self.grid
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

    /// Numbers that the mask decoder holds for each prompt at its peak: the image side before and
    /// after a layer, what is added to it, and the enlarged masks.
    pub(crate) fn decoding(&self) -> u64 {
        (6 * self.grid.pow(2) * self.embedding).unsigned_abs()
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
            mask_channels,
            ref decoder,
            ..
        } = *self;
        let Decoder {
            heads,
            inner,
            hidden,
            masks,
            layers,
            ..
        } = *decoder;
        for (what, size) in [
            ("patches", patch),
            ("grid of tokens", grid),
            ("image encoder", width),
            ("embedding", embedding),
            ("mask decoder's attention", inner),
            ("mask decoder's MLP", hidden),
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
        if embedding < 8 || mask_channels < 4 || embedding % 2 != 0 {
            return Some(format!(
                "it has {embedding} channels for embeddings and {mask_channels} for masks"
            ));
        }
        if heads < 1 || embedding % heads != 0 || inner % heads != 0 {
            return Some(format!(
                "{heads} heads do not share out the {embedding} and {inner} channels of its mask decoder (decoder_num_heads in a config.json beside it tells their number)"
            ));
        }
        if masks < 2 || layers < 1 {
            return Some(format!(
                "its mask decoder has {layers} layers and {masks} masks"
            ));
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

fn decoder(shapes: &Shapes<'_>, embedding: i64, heads: Option<i64>) -> Result<Decoder> {
    let [masks, _] = shapes.get("mask_decoder.mask_tokens.weight")?;
    let layer = "mask_decoder.transformer.layers.0";
    let [inner, _] = shapes.get(&format!("{layer}.cross_attn_token_to_image.q_proj.weight"))?;
    let [hidden, _] = shapes.get(&format!("{layer}.mlp.lin1.weight"))?;
    let head = "mask_decoder.iou_prediction_head.layers.";
    let mut iou_widths = vec![embedding];
    for index in 0..shapes.count(head, ".weight") {
        let [output, _] = shapes.get(&format!("{head}{index}.weight"))?;
        iou_widths.push(output);
    }
    // As in every released network, whose embedding has 256 channels; in narrow ones 8 heads would
    // have too few channels each.
    let usual = if embedding < 128 { 4 } else { 8 };
    Ok(Decoder {
        layers: shapes.count("mask_decoder.transformer.layers.", ".norm1.weight"),
        heads: heads.unwrap_or(usual),
        inner,
        hidden,
        masks,
        iou_widths,
    })
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

/// For people whose file says something else.
const TOLD: &str = "decoder_num_heads and image_size, whole numbers";
