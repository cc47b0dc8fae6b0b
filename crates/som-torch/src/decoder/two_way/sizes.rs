//! The sizes of a mask decoder, read off the shapes of its tensors.

use som_core::Result;

use crate::checkpoint::Shapes;

/// Every size of a [`MaskDecoder`](super::MaskDecoder).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskDecoderSizes {
    /// Side in tokens of the image's embedding.
    pub grid: i64,
    /// Channels of embedding and prompts.
    pub channels: i64,
    /// Layers of the transformer.
    pub layers: i64,
    /// Heads of all attention.
    pub heads: i64,
    /// Channels of attention between tokens and image.
    pub inner: i64,
    /// Channels inside the layers' MLP.
    pub hidden: i64,
    /// Masks it can give: one for unambiguous prompts, the others for ambiguous ones.
    pub masks: i64,
    /// Widths of the head that predicts IoU, from input to output.
    pub iou_widths: Vec<i64>,
    /// Widths of the head that tells whether there is an object at all; empty, if there is none.
    pub object_widths: Vec<i64>,
    /// Whether masks are made with finer maps of the image than the embedding.
    pub has_fine: bool,
    /// Whether the predicted IoU goes through a sigmoid.
    pub has_iou_sigmoid: bool,
    /// Names of the two maps of a layer's MLP.
    pub mlp: [&'static str; 2],
}

impl MaskDecoderSizes {
    /// The sizes of the decoder whose tensors are below `prefix`, such as `mask_decoder`, for an
    /// embedding of `grid` x `grid` tokens. How many heads it has, and whether the IoU goes through a
    /// sigmoid, no shape tells.
    ///
    /// # Errors
    /// Invalid, if there is no such decoder.
    pub fn of(
        shapes: &Shapes<'_>,
        prefix: &str,
        grid: i64,
        heads: i64,
        has_iou_sigmoid: bool,
    ) -> Result<Self> {
        let [masks, channels] = shapes.get(&format!("{prefix}.mask_tokens.weight"))?;
        let layers = format!("{prefix}.transformer.layers.");
        let first = format!("{layers}0");
        let [inner, _] = shapes.get(&format!("{first}.cross_attn_token_to_image.q_proj.weight"))?;
        let mlp = match shapes.has(&format!("{first}.mlp.layers.0.weight")) {
            true => ["layers.0", "layers.1"],
            false => ["lin1", "lin2"],
        };
        let [hidden, _] = shapes.get(&format!("{first}.mlp.{}.weight", mlp[0]))?;
        let widths = |head: &str| -> Result<Vec<i64>> {
            let head = format!("{prefix}.{head}.layers.");
            let outputs = (0..shapes.count(&head, ".weight")).map(|index| {
                let [output, _] = shapes.get(&format!("{head}{index}.weight"))?;
                Ok(output)
            });
            std::iter::once(Ok(channels)).chain(outputs).collect()
        };
        let has_object_score = shapes.has(&format!("{prefix}.obj_score_token.weight"));
        Ok(Self {
            grid,
            channels,
            layers: shapes.count(&layers, ".norm1.weight"),
            heads,
            inner,
            hidden,
            masks,
            iou_widths: widths("iou_prediction_head")?,
            object_widths: match has_object_score {
                true => widths("pred_obj_score_head")?,
                false => Vec::new(),
            },
            has_fine: shapes.has(&format!("{prefix}.conv_s0.weight")),
            has_iou_sigmoid,
            mlp,
        })
    }

    /// Side of the logits it gives.
    pub const fn low(&self) -> i64 {
        4 * self.grid
    }

    /// Numbers that it holds for each prompt at its peak: the image side before and after a layer,
    /// what is added to it, and the enlarged masks.
    pub fn activations(&self) -> u64 {
        (6 * self.grid.pow(2) * self.channels).unsigned_abs()
    }

    /// What forbids to divide the sizes as the decoder divides them, if anything does. `told` says
    /// where the number of heads can be told.
    pub fn contradiction(&self, told: &str) -> Option<String> {
        let Self {
            channels,
            layers,
            heads,
            inner,
            hidden,
            masks,
            ..
        } = *self;
        let sizes = [
            ("embedding", channels),
            ("mask decoder's attention", inner),
            ("mask decoder's MLP", hidden),
        ];
        if let Some((what, size)) = sizes.iter().find(|(_, size)| !(1..=1 << 16).contains(size)) {
            return Some(format!("the size of its {what} is {size}"));
        }
        if channels < 8 || channels % 2 != 0 {
            return Some(format!("it has {channels} channels for embeddings"));
        }
        if heads < 1 || channels % heads != 0 || inner % heads != 0 {
            return Some(format!(
                "{heads} heads do not share out the {channels} and {inner} channels of its mask decoder ({told})"
            ));
        }
        if masks < 2 || layers < 1 {
            return Some(format!(
                "its mask decoder has {layers} layers and {masks} masks"
            ));
        }
        None
    }
}
