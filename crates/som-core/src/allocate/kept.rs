//! Marks that stay: what a mark was on the image before, as frames of a video follow one another.
//!
//! Its colour and the place of its label against its region are kept as long as every promise of
//! allocation holds with them.

use super::AllocatedMark;
use crate::{BBox, Color, Point};

/// What a mark was on the image before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeptMark {
    /// Its number.
    pub id: u32,
    /// Its colour.
    pub color: Color,
    /// Where its label was.
    label: KeptLabel,
}

/// Where a label was, in pixels of the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct KeptLabel {
    /// How many times as large as the image the page was.
    pub(super) scale: u32,
    /// The box around the region.
    pub(super) region: BBox,
    /// Empty for a mark without text.
    pub(super) label: BBox,
    pub(super) anchor: Point,
    pub(super) font_size: f32,
}

impl KeptMark {
    /// What is kept of `mark`, which lies on a page `scale` times as large as its image.
    pub fn of(mark: &AllocatedMark, scale: u32) -> Self {
        let BBox {
            x,
            y,
            width,
            height,
        } = mark.mark.region.bbox();
        Self {
            id: mark.id,
            color: mark.mark.color,
            label: KeptLabel {
                scale,
                region: BBox::new(x * scale, y * scale, width * scale, height * scale),
                label: mark.mark.label_box,
                anchor: mark.mark.anchor,
                font_size: mark.font_size,
            },
        }
    }

    /// By how many pixels of the page the label moved against its region since then; `None` for a mark
    /// without a label, now or then.
    pub fn shift(&self, mark: &AllocatedMark, scale: u32) -> Option<f64> {
        let (then, now) = (self.label, Self::of(mark, scale).label);
        if then.label.is_empty() || now.label.is_empty() || then.scale != now.scale {
            return None;
        }
        let (dx, dy) = then.moved(now.region);
        let (was, is) = (then.label.center(), now.label.center());
        let x = i64::from(is.x) - i64::from(was.x) - dx;
        let y = i64::from(is.y) - i64::from(was.y) - dy;
        Some((x as f64).hypot(y as f64))
    }

    pub(super) fn label(&self) -> KeptLabel {
        self.label
    }
}

impl KeptLabel {
    /// How far the middle of the region moved, if `region` is the box around it now.
    pub(super) fn moved(&self, region: BBox) -> (i64, i64) {
        let (was, is) = (self.region.center(), region.center());
        (
            i64::from(is.x) - i64::from(was.x),
            i64::from(is.y) - i64::from(was.y),
        )
    }

    /// True if the label was tied to its region by a leader line.
    pub(super) const fn has_leader(&self) -> bool {
        !self.label.is_empty() && !self.label.contains(self.anchor)
    }
}

/// `point` moved; `None` if that is left of or above the image.
pub(super) fn moved(point: Point, (dx, dy): (i64, i64)) -> Option<Point> {
    let place = |at: u32, by: i64| u32::try_from(i64::from(at) + by).ok();
    Some(Point::new(place(point.x, dx)?, place(point.y, dy)?))
}
