//! Point in box (ScreenSpot-Pro, `eval_sample_positive_gt` in `eval_screenspot_pro.py`).

use crate::Rect;

/// True if the point (x, y) lies in the box, edges included.
pub fn is_hit(truth: Rect, [x, y]: [f64; 2]) -> bool {
    (truth.x..=truth.x + truth.width).contains(&x)
        && (truth.y..=truth.y + truth.height).contains(&y)
}
