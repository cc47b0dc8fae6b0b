//! The sizes of a decoder of queries, read off the shapes of its tensors.

use som_core::{Error, Result};

use crate::Scope;

/// Every size of a decoder of queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryDecoderSizes {
    /// Channels of the memory.
    pub memory: i64,
    /// Channels of queries.
    pub channels: i64,
    /// Projections from the memory's channels to the queries': one for each level, or none.
    pub projections: i64,
    /// How many layers.
    pub layers: i64,
    /// Heads of both attentions: 8 in all projects, whatever their configurations say.
    pub heads: i64,
    /// Maps that the memory consists of.
    pub levels: i64,
    /// Points that a head looks at in each of them.
    pub points: i64,
    /// Channels inside the MLPs.
    pub hidden: i64,
    /// Affine maps of the head for boxes.
    pub box_layers: i64,
}

impl QueryDecoderSizes {
    /// The sizes of the decoder at `scope`, for a memory of so many channels and levels.
    ///
    /// # Errors
    /// Invalid, if there is none, with what is missing or odd about it.
    pub fn of(scope: &Scope<'_>, memory: i64, levels: i64) -> Result<Self> {
        let heads = 8;
        let layer = scope.at("decoder.layers");
        let [hidden, channels] = layer.extents("0.linear1.weight")?;
        let [logits, _] = layer.extents("0.cross_attn.attention_weights.weight")?;
        if levels < 1
            || channels % heads != 0
            || channels % 4 != 0
            || logits % (heads * levels) != 0
        {
            let scope = scope.name("decoder");
            return Err(Error::invalid(format!(
                "{heads} heads do not share out the {channels} channels and {logits} places in {levels} levels of {scope}"
            )));
        }
        Ok(Self {
            memory,
            channels,
            projections: scope.at("input_proj").count("weight"),
            layers: layer.count("linear1.weight"),
            heads,
            levels,
            points: logits / (heads * levels),
            hidden,
            box_layers: scope.at("_bbox_embed.layers").count("weight"),
        })
    }

    /// Numbers that it holds at its peak for so many queries in a memory of so many cells: what a layer
    /// sees of it, twice, and the queries' attention to each other.
    pub fn activations(&self, queries: u64, cells: u64) -> u64 {
        let [channels, hidden, heads] =
            [self.channels, self.hidden, self.heads].map(i64::unsigned_abs);
        let asked = 3 * heads * (self.levels * self.points).unsigned_abs();
        let each = 8 * channels + hidden + 2 * asked + heads * queries;
        2 * cells * channels + queries * each
    }

    /// Of the head for boxes, from input to output.
    pub(super) fn box_widths(&self) -> Vec<i64> {
        let mut widths = vec![self.channels; self.box_layers.unsigned_abs() as usize];
        widths.push(4);
        widths
    }

    /// Checkpoints hold the head for boxes once for each layer, and the norm twice: they are the same.
    pub(super) fn leave_repeated(&self, scope: &Scope<'_>) {
        let decoder = scope.at("decoder");
        for name in ["weight", "bias"] {
            decoder.at("norm").spare(name, &[self.channels]);
        }
        for place in [scope.at("bbox_embed"), decoder.at("bbox_embed")] {
            for layer in 0..self.layers {
                for (index, pair) in self.box_widths().windows(2).enumerate() {
                    let linear = place.at(layer).at("layers").at(index);
                    let [input, output] = [pair[0], pair[1]];
                    linear.spare("weight", &[output, input]);
                    linear.spare("bias", &[output]);
                }
            }
        }
    }
}
