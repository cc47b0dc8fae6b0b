//! What each cell thinks of: how like its place is each token, where the box is, and how near its middle.
//!
//! Official file `maskrcnn_benchmark/modeling/rpn/vldyhead.py`, `VLDyHead.forward`, and `BoxCoder`; the
//! boxes of Zhang et al., *Bridging the Gap Between Anchor-based and Anchor-free Detection via Adaptive
//! Training Sample Selection*, 2019 (arXiv 1912.02424).

use som_torch::{
    Scope, TorchResult,
    nn::{Linear, Weight},
    numbers,
};
use tch::Tensor;

use super::config::Config;

/// Where the length of a token's features is too small to be divided by.
const EPSILON: f64 = 1e-12;

/// What the network's numbers for a box are divided by.
const PLACE_WEIGHT: f32 = 10.0;
const SIZE_WEIGHT: f32 = 5.0;

/// A box grows to at most so many times its anchor's size.
const MOST: f32 = 1000.0 / 16.0;

/// Levels and tokens to predictions. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    boxes: Linear,
    centerness: Linear,
    /// Of each level.
    levels: Vec<LevelWeights>,
    text: Linear,
    /// What tokens' likeness to anything has to do with themselves: `[width]`, and one number.
    text_bias: Weight,
    bias: Weight,
    log_scale: Weight,
    strides: Vec<i64>,
}

#[derive(Clone, Debug)]
struct LevelWeights {
    /// What boxes are multiplied with.
    scale: Weight,
    /// The box of the first cell, `[1, 4]`.
    anchor: Weight,
}

/// What the cells of one level think of.
#[derive(Debug)]
pub(crate) struct Predictions {
    /// How like each cell is each token, as logits: `[cells, tokens]`.
    pub likeness: Tensor,
    /// `[cells, 4]`
    pub moves: Tensor,
    /// How near a cell is to the middle of its box, as logits: `[cells, 1]`.
    pub centerness: Tensor,
    pub anchors: Anchors,
}

/// Boxes from which those of a level's cells are measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Anchors {
    /// Of the first cell: left, top, right and bottom.
    first: [f32; 4],
    columns: usize,
    stride: f32,
}

impl Head {
    /// `rpn.head` and `rpn.anchor_generator` of `root`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn load(root: &Scope<'_>, config: &Config) -> TorchResult<Self> {
        let (scope, anchors) = (root.at("rpn.head"), root.at("rpn.anchor_generator"));
        let (channels, width) = (config.tower.channels, config.text.width);
        let pointwise = |name: &str, output: i64| {
            let scope = scope.at(name);
            let weight = scope.weight("weight", &[output, channels, 1, 1]);
            TorchResult::Ok(Linear {
                weight: weight.map(|weight| weight.f_flatten(1, -1))?,
                bias: Some(scope.weight("bias", &[output])),
            })
        };
        // For training only: classes of a fixed list.
        for name in ["weight", "bias"] {
            scope.at("cls_logits").leave(name);
        }
        let strides = config.settings.strides.clone();
        let level = |index: usize| LevelWeights {
            scale: scope.at("scales").at(index).weight("scale", &[1]),
            anchor: anchors
                .at("cell_anchors")
                .weight(&index.to_string(), &[1, 4]),
        };
        Ok(Self {
            boxes: pointwise("bbox_pred", 4)?,
            centerness: pointwise("centerness", 1)?,
            levels: (0..strides.len()).map(level).collect(),
            text: Linear::load(&scope.at("dot_product_projection_text"), width, channels),
            text_bias: scope.weight("bias_lang", &[width]),
            bias: scope.weight("bias0", &[1]),
            log_scale: scope.weight("log_scale", &[1]),
            strides,
        })
    }

    /// Levels `[height, width, channels]` and tokens `[tokens, width]` of a text.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn forward(
        &self,
        levels: &[Tensor],
        tokens: &Tensor,
    ) -> TorchResult<Vec<Predictions>> {
        let length = tokens.f_norm_scalaropt_dim(2, [-1], true)?;
        let tokens = tokens.f_div(&length.f_clamp_min(EPSILON)?)?;
        let keys = self.text.forward(&tokens.f_div_scalar(2.0)?)?;
        let keys = keys.f_div(&self.log_scale.f_exp()?)?;
        let bias = tokens.f_mv(&self.text_bias)?.f_add(&self.bias)?;
        let each = levels.iter().zip(&self.levels).zip(&self.strides);
        let each = each.map(|((level, weights), &stride)| {
            let (_, columns, _) = level.size3()?;
            let cells = level.f_flatten(0, 1)?;
            let first = numbers::of(&weights.anchor)?;
            Ok(Predictions {
                likeness: cells.f_linear(&keys, Some(&bias))?,
                moves: self.boxes.forward(&cells)?.f_mul(&weights.scale)?,
                centerness: self.centerness.forward(&cells)?,
                anchors: Anchors {
                    first: [first[0], first[1], first[2], first[3]],
                    columns: columns.unsigned_abs() as usize,
                    stride: stride as f32,
                },
            })
        });
        each.collect()
    }
}

impl Anchors {
    /// Left, top, right and bottom of a cell's box, from what the network says about it. In the units of
    /// the official project: a box from 3 to 3 has the width 1.
    pub(crate) fn moved(&self, cell: usize, by: [f32; 4]) -> [f32; 4] {
        let place = |index: usize| index as f32 * self.stride;
        let shift = [place(cell % self.columns), place(cell / self.columns)];
        let [left, top, right, bottom] = self.first;
        let mut corners = [0.0; 4];
        for (axis, (from, to)) in [(left, right), (top, bottom)].into_iter().enumerate() {
            let (from, to) = (from + shift[axis], to + shift[axis]);
            let extent = to - from + 1.0;
            let center = by[axis] / PLACE_WEIGHT * extent + (from + to) / 2.0;
            let grown = (by[axis + 2] / SIZE_WEIGHT).min(MOST.ln()).exp() * extent;
            corners[axis] = center - 0.5 * (grown - 1.0);
            corners[axis + 2] = center + 0.5 * (grown - 1.0);
        }
        corners
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_measured_from_their_anchors() {
        let anchors = Anchors {
            first: [-28.0, -28.0, 35.0, 35.0],
            columns: 3,
            stride: 8.0,
        };
        assert_eq!(anchors.moved(0, [0.0; 4]), [-28.0, -28.0, 35.0, 35.0]);
        assert_eq!(anchors.moved(5, [0.0; 4]), [-12.0, -20.0, 51.0, 43.0]);
        // By half a width, and twice as high.
        let found = anchors.moved(0, [5.0, 0.0, 0.0, 5.0 * 2_f32.ln()]);
        assert_eq!(found[0], 4.0);
        assert_eq!(found[2], 67.0);
        assert!((found[1] + 60.0).abs() < 1e-3 && (found[3] - 67.0).abs() < 1e-3);
        let huge = anchors.moved(0, [0.0, 0.0, 1e9, 0.0]);
        assert!((huge[2] - huge[0] - (64.0 * 62.5 - 1.0)).abs() < 0.1);
    }
}
