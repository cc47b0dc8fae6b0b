//! Recall@1 of phrase grounding, by both protocols (MDETR, `datasets/flickr_eval.py`).

use super::boxes;
use crate::Rect;

/// Any-box: the first answered box meets one of the phrase's boxes.
pub fn is_any_box_hit(truth: &[Rect], found: &[Rect]) -> bool {
    let first = found.first();
    first.is_some_and(|found| truth.iter().any(|truth| boxes::is_hit(*truth, *found)))
}

/// Merged-box: the box around all that was answered meets the one around all of the phrase's.
pub fn is_merged_box_hit(truth: &[Rect], found: &[Rect]) -> bool {
    let around = |boxes: &[Rect]| Rect::around(boxes.iter().copied());
    match (around(truth), around(found)) {
        (Some(truth), Some(found)) => boxes::is_hit(truth, found),
        _ => false,
    }
}
