//! From what cells think of to boxes: the likely ones, and of those that overlap the likeliest.
//!
//! Official files `maskrcnn_benchmark/modeling/rpn/inference.py`, `ATSSPostProcessor` and
//! `convert_grounding_to_od_logits`, and `maskrcnn_benchmark/csrc/cuda/ml_nms.cu`.

use std::ops::Range;

use som_core::Size;
use som_torch::{TorchResult, numbers};
use tch::{Kind, Tensor};

use super::{
    config::DetectionSettings,
    head::{Anchors, Predictions},
};

/// A box, and which phrase it is of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Detection {
    /// Left, top, right and bottom, in pixels of the resized image, within it.
    pub corners: [f32; 4],
    pub score: f32,
    pub phrase: usize,
}

/// The boxes of phrases, each of which consists of these tokens; the likeliest first.
///
/// # Errors
/// What libtorch reports.
pub(crate) fn detections(
    levels: &[Predictions],
    phrases: &[Range<usize>],
    inside: Size,
    settings: &DetectionSettings,
) -> TorchResult<Vec<Detection>> {
    let mut kept = suppressed(
        candidates(levels, phrases, inside, settings)?,
        settings.overlap,
    );
    if settings.most > 0 && kept.len() > settings.most {
        // As many as are as good as the last that there is room for.
        let last = kept[settings.most - 1].score;
        kept.retain(|found| found.score >= last);
    }
    Ok(kept)
}

/// All boxes that some phrase is likely enough to be in, level after level.
pub(crate) fn candidates(
    levels: &[Predictions],
    phrases: &[Range<usize>],
    inside: Size,
    settings: &DetectionSettings,
) -> TorchResult<Vec<Detection>> {
    let mut found = Vec::new();
    for level in levels {
        let likely = numbers::of(&likeness(level, phrases)?)?;
        let near = numbers::of(&level.centerness.f_sigmoid()?)?;
        let moves = numbers::of(&level.moves)?;
        let mut best: Vec<(f32, usize)> = likely
            .iter()
            .enumerate()
            .filter(|&(_, &likely)| likely > settings.threshold)
            .map(|(index, likely)| (likely * near[index / phrases.len()], index))
            .collect();
        best.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        best.truncate(settings.candidates);
        found.extend(best.into_iter().map(|(product, index)| {
            let cell = index / phrases.len();
            Detection {
                corners: corners(&level.anchors, cell, &moves, inside),
                score: product.sqrt(),
                phrase: index % phrases.len(),
            }
        }));
    }
    Ok(found)
}

/// How likely each cell is each phrase: the mean of its tokens, `[cells, phrases]`.
fn likeness(level: &Predictions, phrases: &[Range<usize>]) -> TorchResult<Tensor> {
    let tokens = level.likeness.f_sigmoid()?;
    let mean = |phrase: &Range<usize>| {
        let tokens = tokens.f_narrow(1, phrase.start as i64, phrase.len() as i64)?;
        tokens.f_mean_dim(1_i64, false, Kind::Float)
    };
    let means: Vec<Tensor> = phrases.iter().map(mean).collect::<TorchResult<_>>()?;
    Tensor::f_stack(&means, 1)
}

fn corners(anchors: &Anchors, cell: usize, moves: &[f32], inside: Size) -> [f32; 4] {
    let by = &moves[4 * cell..][..4];
    let corners = anchors.moved(cell, [by[0], by[1], by[2], by[3]]);
    let [right, bottom] = [inside.width, inside.height].map(|side| side.saturating_sub(1) as f32);
    let most = [right, bottom, right, bottom];
    std::array::from_fn(|side| corners[side].clamp(0.0, most[side]))
}

/// Without those that overlap a likelier one of the same phrase by more than `overlap`; all, if that is
/// not above 0. The likeliest first.
fn suppressed(mut candidates: Vec<Detection>, overlap: f32) -> Vec<Detection> {
    candidates.sort_by(|one, other| other.score.total_cmp(&one.score));
    if overlap <= 0.0 {
        return candidates;
    }
    let mut kept: Vec<Detection> = Vec::new();
    for candidate in candidates {
        let mut same = kept.iter().filter(|it| it.phrase == candidate.phrase);
        if !same.any(|it| iou(it.corners, candidate.corners) > overlap) {
            kept.push(candidate);
        }
    }
    kept
}

/// Of boxes whose corners are the first and the last pixel.
fn iou(one: [f32; 4], other: [f32; 4]) -> f32 {
    let extent = |from: f32, to: f32| to - from + 1.0;
    let area = |[left, top, right, bottom]: [f32; 4]| extent(left, right) * extent(top, bottom);
    let width = extent(one[0].max(other[0]), one[2].min(other[2])).max(0.0);
    let height = extent(one[1].max(other[1]), one[3].min(other[3])).max(0.0);
    let common = width * height;
    common / (area(one) + area(other) - common)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(corners: [f32; 4], score: f32, phrase: usize) -> Detection {
        Detection {
            corners,
            score,
            phrase,
        }
    }

    #[test]
    fn boxes_reach_to_the_end_of_their_last_pixel() {
        assert_eq!(iou([0.0, 0.0, 1.0, 0.0], [1.0, 0.0, 2.0, 0.0]), 1.0 / 3.0);
        assert_eq!(iou([3.0; 4], [3.0; 4]), 1.0);
        assert_eq!(iou([0.0, 0.0, 1.0, 1.0], [2.0, 0.0, 3.0, 1.0]), 0.0);
    }

    #[test]
    fn of_a_phrase_the_likeliest_of_those_that_overlap_remains() {
        let half = [0.0, 0.0, 9.0, 4.0];
        let all = vec![
            found(half, 0.5, 0),
            found([0.0, 0.0, 9.0, 9.0], 0.9, 0),
            found(half, 0.4, 1),
        ];
        // By exactly a half: not more than that.
        assert_eq!(suppressed(all.clone(), 0.5).len(), 3);
        let kept = suppressed(all.clone(), 0.49);
        assert_eq!(kept, [all[1], all[2]]);
        assert_eq!(suppressed(all, 0.0).len(), 3);
    }
}
