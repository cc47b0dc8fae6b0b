//! Beside: the label lies off its region, tied to it by a leader line.

use super::{Label, OWN_SHARE, Placer, nearest_pixels};
use crate::{BBox, Mask, Point, Result, Size, allocate::page::Page};

/// A label beside its region hides at most this share of it.
pub(super) const HIDDEN: f64 = 0.25;
/// A label on plain ground beside its region hides at most this share of it.
const HIDDEN_ASIDE: f64 = 0.05;
/// Of leader lines, in font sizes.
const LONGEST: f32 = 6.0;

// What a place costs, in lengths of the leader, in font sizes.
const OWN_HIDDEN: f32 = 6.0;
const OTHER_HIDDEN: f32 = 3.0;
const REGIONS_BELOW: f32 = 0.15;
const CROSSING: f32 = 3.0;
const INKED: f32 = 1.0;

/// What a label beside its region may lie on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    /// Anything, but rather what is plain.
    Any,
    /// What has no ink.
    Plain,
}

/// A label to be placed near its region.
#[derive(Clone, Copy)]
pub(super) struct Near {
    /// What it is to be near to.
    pub(super) anchor: Point,
    pub(super) size: Size,
    pub(super) font_size: f32,
    /// Pixels from the anchor.
    pub(super) longest: f32,
    pub(super) ground: Ground,
}

impl Placer<'_> {
    /// The label beside the region, as near and as harmless as can be. Protects the regions whose
    /// labels are `to_come` too, if possible.
    pub(super) fn beside(
        &mut self,
        page: &Page,
        rank: usize,
        to_come: &[bool],
    ) -> Result<Option<Label>> {
        let part = self.visible.parts()[rank];
        if f64::from(page.hidden(rank)) > part.area as f64 * OWN_SHARE {
            return Ok(None);
        }
        let anchor = match self.widest[rank] {
            Some(spot) => spot.point,
            None => match uncovered_pixel(self.masks[rank], page) {
                Some(pixel) => pixel,
                None => return Ok(None),
            },
        };
        for protect_all in [true, false] {
            for step in self.fonts.len() / 2..self.fonts.len() {
                let size = self.fonts.measure(step, rank)?;
                let font_size = self.fonts.font_size(step);
                let protected = |other: usize| protect_all && to_come[other];
                let near = Near {
                    anchor,
                    size,
                    font_size,
                    longest: font_size * LONGEST,
                    ground: Ground::Any,
                };
                if let Some(bbox) = self.nearest(page, rank, near, protected) {
                    return Ok(Some(Label {
                        bbox,
                        anchor,
                        font_size,
                    }));
                }
            }
        }
        Ok(None)
    }

    /// The best box for a label.
    pub(super) fn nearest(
        &mut self,
        page: &Page,
        rank: usize,
        near: Near,
        protected: impl Fn(usize) -> bool,
    ) -> Option<BBox> {
        let Near {
            anchor,
            size,
            font_size,
            longest,
            ground,
        } = near;
        let most = match ground {
            Ground::Any => HIDDEN,
            Ground::Plain => HIDDEN_ASIDE,
        };
        let parts = self.visible.parts();
        let mut best: Option<(f32, BBox)> = None;
        let mut length = font_size * 0.6;
        while length <= longest && best.is_none_or(|(cost, _)| length / font_size < cost) {
            for direction in DIRECTIONS {
                let Some(bbox) = beside(anchor, size, direction, length) else {
                    continue;
                };
                if !page.is_free(bbox, Some(anchor)) {
                    continue;
                }
                let leader = [bbox.center(), anchor];
                if page.tangles(bbox, leader) {
                    continue;
                }
                let is_plain = self.ink.is_plain(bbox);
                if ground == Ground::Plain && !is_plain {
                    continue;
                }
                let crossing = length / font_size
                    + CROSSING * page.crossings(leader) as f32
                    + if is_plain { 0.0 } else { INKED };
                if best.is_some_and(|(least, _)| crossing >= least) {
                    continue;
                }
                self.visible.count(bbox, &mut self.tally);
                let own = f64::from(self.tally.of(rank)) / (parts[rank].area.max(1) as f64);
                if own > most || !page.spares(rank, &self.tally, self.visible, &protected) {
                    continue;
                }
                let others: f64 = self
                    .tally
                    .iter()
                    .filter(|&(other, _)| other != rank)
                    .map(|(other, pixels)| f64::from(pixels) / parts[other].area as f64)
                    .sum();
                let cost = crossing
                    + OWN_HIDDEN * own as f32
                    + OTHER_HIDDEN * others as f32
                    + REGIONS_BELOW * self.tally.iter().count() as f32;
                if best.is_none_or(|(least, _)| cost < least) {
                    best = Some((cost, bbox));
                }
            }
            length += (font_size / 2.0).max(length / 4.0);
        }
        best.map(|(_, bbox)| bbox)
    }
}

/// Sixteen directions around the clock, the preferred ones first: aside, then up and down.
const DIRECTIONS: [(f32, f32); 16] = {
    // Cosine and sine of 22.5 and 45 degrees.
    const C: f32 = 0.923_879_5;
    const S: f32 = 0.382_683_43;
    const D: f32 = std::f32::consts::FRAC_1_SQRT_2;
    [
        (1.0, 0.0),
        (-1.0, 0.0),
        (D, -D),
        (-D, -D),
        (D, D),
        (-D, D),
        (0.0, -1.0),
        (0.0, 1.0),
        (C, -S),
        (-C, -S),
        (C, S),
        (-C, S),
        (S, -C),
        (-S, -C),
        (S, C),
        (-S, C),
    ]
};

/// The box of `size` in `direction` from `anchor`, `length` pixels of leader line away.
fn beside(anchor: Point, size: Size, direction: (f32, f32), length: f32) -> Option<BBox> {
    // From the box's middle to its edge, along the direction.
    let to_edge = |half: f32, along: f32| {
        if along == 0.0 {
            f32::MAX
        } else {
            half / along.abs()
        }
    };
    let inner = to_edge(size.width as f32 / 2.0, direction.0)
        .min(to_edge(size.height as f32 / 2.0, direction.1));
    let x = anchor.x as f32 + direction.0 * (inner + length) - size.width as f32 / 2.0;
    let y = anchor.y as f32 + direction.1 * (inner + length) - size.height as f32 / 2.0;
    (x >= 0.0 && y >= 0.0)
        .then(|| BBox::new(x.round() as u32, y.round() as u32, size.width, size.height))
}

/// The first of the mask's pixels, from its middle row outwards, that is clear of the labels on the
/// page.
fn uncovered_pixel(mask: &Mask, page: &Page) -> Option<Point> {
    nearest_pixels(mask, mask.bbox().center())
        .find(|pixel| page.is_free(BBox::new(pixel.x, pixel.y, 1, 1), Some(*pixel)))
}
