//! Intersection over union of boxes (pycocotools, `bbIou` in `maskApi.c`).

use crate::Rect;

/// Area shared over area covered by either, in [0, 1]; areas are width times height. 0 for boxes
/// without area.
pub fn iou(truth: Rect, found: Rect) -> f64 {
    over(
        shared(truth, found),
        truth.area() + found.area() - shared(truth, found),
    )
}

/// Against a crowd: area shared over the area of what was found.
pub fn iou_with_crowd(truth: Rect, found: Rect) -> f64 {
    over(shared(truth, found), found.area())
}

/// True from an IoU of 0.5 on, as the evaluations that `RefCOCO`'s users copy have it.
pub fn is_hit(truth: Rect, found: Rect) -> bool {
    iou(truth, found) >= 0.5
}

fn shared(a: Rect, b: Rect) -> f64 {
    let width = (a.x + a.width).min(b.x + b.width) - a.x.max(b.x);
    let height = (a.y + a.height).min(b.y + b.height) - a.y.max(b.y);
    width.max(0.0) * height.max(0.0)
}

fn over(shared: f64, whole: f64) -> f64 {
    if whole > 0.0 { shared / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rect() -> impl Strategy<Value = Rect> {
        (0..50_u32, 0..50_u32, 1..50_u32, 1..50_u32)
            .prop_map(|(x, y, w, h)| Rect::new(x.into(), y.into(), w.into(), h.into()))
    }

    proptest! {
        #[test]
        fn iou_is_symmetric_and_1_for_the_same_alone(a in rect(), b in rect()) {
            prop_assert_eq!(iou(a, b), iou(b, a));
            prop_assert!((0.0..=1.0).contains(&iou(a, b)));
            prop_assert_eq!(iou(a, b) == 1.0, a == b);
            prop_assert!(iou_with_crowd(a, b) >= iou(a, b));
        }
    }
}
