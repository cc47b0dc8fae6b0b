//! Non-maximum suppression: of regions that cover much the same, the best stays.

use crate::Mask;

/// Suppresses boxes, each `[left, top, right, bottom]`, that overlap a better one by an IoU above
/// `threshold`; with `classes`, only one of the same class. Gives the indices of those that stay,
/// best first; of equal scores the earlier is the better.
///
/// As `torchvision.ops.nms` and, with classes, `batched_nms`.
///
/// # Panics
/// If there are not as many scores and classes as boxes.
pub fn by_box(
    boxes: &[[f32; 4]],
    scores: &[f32],
    classes: Option<&[u32]>,
    threshold: f64,
) -> Vec<usize> {
    assert_eq!(boxes.len(), scores.len(), "a score for each box");
    assert!(
        classes.is_none_or(|classes| classes.len() == boxes.len()),
        "a class for each box"
    );
    suppress(scores, |kept, other| {
        classes.is_none_or(|classes| classes[kept] == classes[other])
            && f64::from(box_iou(boxes[kept], boxes[other])) > threshold
    })
}

/// Suppresses masks that overlap a better one by an IoU above `threshold`. Gives the indices of
/// those that stay, best first; of equal scores the earlier is the better.
///
/// # Panics
/// If there are not as many scores as masks.
pub fn by_mask(masks: &[&Mask], scores: &[f32], threshold: f64) -> Vec<usize> {
    assert_eq!(masks.len(), scores.len(), "a score for each mask");
    let areas: Vec<u64> = masks.iter().map(|mask| mask.area()).collect();
    suppress(scores, |kept, other| {
        let (a, b) = (areas[kept], areas[other]);
        let iou = |shared: u64| {
            if shared == 0 {
                0.0
            } else {
                shared as f64 / (a + b - shared) as f64
            }
        };
        // Most pairs are settled by the most that they could share.
        let both = masks[kept].bbox().intersection(masks[other].bbox());
        let most = both.map_or(0, |both| both.area().min(a).min(b));
        iou(most) > threshold && iou(masks[kept].intersection_area(masks[other])) > threshold
    })
}

fn suppress(scores: &[f32], overlaps: impl Fn(usize, usize) -> bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    // Stable, and total even where a score is no number.
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let mut kept: Vec<usize> = Vec::new();
    for candidate in order {
        if !kept.iter().any(|&better| overlaps(better, candidate)) {
            kept.push(candidate);
        }
    }
    kept
}

/// In single precision, as torchvision has it. 0/0, two empty boxes, is no overlap.
fn box_iou(a: [f32; 4], b: [f32; 4]) -> f32 {
    let area = |[left, top, right, bottom]: [f32; 4]| (right - left) * (bottom - top);
    let width = (a[2].min(b[2]) - a[0].max(b[0])).max(0.0);
    let height = (a[3].min(b[3]) - a[1].max(b[1])).max(0.0);
    let shared = width * height;
    shared / (area(a) + area(b) - shared)
}
