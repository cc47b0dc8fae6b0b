//! Non-maximum suppression of boxes, as torchvision does it.

/// A box from its first to its last column and row: `[left, top, right, bottom]`. As in the
/// official projects, its width is `right - left`.
pub type Corners = [f32; 4];

/// The indices that survive, by falling score: a box falls if its IoU with an earlier survivor
/// exceeds `threshold`. Boxes of equal score keep their order.
///
/// Source: torchvision, `torchvision/csrc/ops/cpu/nms_kernel.cpp`; in single precision, like it.
pub fn nms(boxes: &[Corners], scores: &[f32], threshold: f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..boxes.len().min(scores.len())).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let mut survivors: Vec<usize> = Vec::new();
    for candidate in order {
        let falls =
            |&survivor: &usize| f64::from(iou(boxes[survivor], boxes[candidate])) > threshold;
        if !survivors.iter().any(falls) {
            survivors.push(candidate);
        }
    }
    survivors
}

/// NaN for two boxes without area.
fn iou(a: Corners, b: Corners) -> f32 {
    let area = |[left, top, right, bottom]: Corners| (right - left) * (bottom - top);
    let width = (a[2].min(b[2]) - a[0].max(b[0])).max(0.0);
    let height = (a[3].min(b[3]) - a[1].max(b[1])).max(0.0);
    let shared = width * height;
    shared / (area(a) + area(b) - shared)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: Corners = [0.0, 0.0, 10.0, 10.0];

    #[test]
    fn the_better_of_two_alike_survives() {
        let boxes = [SQUARE, [1.0, 0.0, 10.0, 10.0], [20.0, 20.0, 30.0, 30.0]];
        assert_eq!(nms(&boxes, &[0.5, 0.9, 0.7], 0.5), [1, 2]);
    }

    #[test]
    fn the_threshold_itself_does_not_suppress() {
        let half = [0.0, 0.0, 10.0, 5.0];
        assert_eq!(nms(&[SQUARE, half], &[0.9, 0.8], 0.5), [0, 1]);
        assert_eq!(nms(&[SQUARE, half], &[0.9, 0.8], 0.49), [0]);
    }

    #[test]
    fn ties_keep_their_order_and_boxes_without_area_stay() {
        let point = [3.0, 3.0, 3.0, 3.0];
        assert_eq!(nms(&[point, SQUARE, point], &[0.5; 3], 0.1), [0, 1, 2]);
    }
}
