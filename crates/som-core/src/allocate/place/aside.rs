//! Aside: a label that hides much of its own region, or of the ink there, moves to plain ground
//! beside the region, if there is some.

use super::{
    Label, Placer,
    beside::{Ground, Near},
};
use crate::{Point, Result, allocate::page::Page, allocate::visible::owner_of};

/// Of leader lines, in font sizes beyond the region's own half diagonal.
const LONGEST: f32 = 2.5;
/// The leader line ends so many pixels within the region.
const DEPTH: u32 = 2;

impl Placer<'_> {
    /// The label of `rank` on ground without ink near its region.
    pub(super) fn aside(&mut self, page: &Page, rank: usize) -> Result<Option<Label>> {
        let Some(widest) = self.widest[rank] else {
            return Ok(None);
        };
        let bbox = self.visible.parts()[rank].bbox;
        let half = f32::hypot(bbox.width as f32, bbox.height as f32) / 2.0;
        for step in self.fonts.len() / 2..self.fonts.len() {
            let size = self.fonts.measure(step, rank)?;
            let font_size = self.fonts.font_size(step);
            let near = Near {
                anchor: widest.point,
                size,
                font_size,
                longest: half + font_size * LONGEST,
                ground: Ground::Plain,
            };
            if let Some(bbox) = self.nearest(page, rank, near, |_| true) {
                let anchor = self
                    .entry(rank, bbox.center(), widest.point)
                    .filter(|&anchor| page.is_clear(anchor) && !bbox.contains(anchor));
                return Ok(Some(Label {
                    bbox,
                    anchor: anchor.unwrap_or(widest.point),
                    font_size,
                }));
            }
        }
        Ok(None)
    }

    /// Where the line from `from` to `to` has just entered the part of `rank`.
    fn entry(&self, rank: usize, from: Point, to: Point) -> Option<Point> {
        let steps = from.x.abs_diff(to.x).max(from.y.abs_diff(to.y));
        let at = |step: u32| {
            let along = |from: u32, to: u32| {
                let (from, to) = (i64::from(from), i64::from(to));
                let part = (to - from) * i64::from(step) / i64::from(steps.max(1));
                (from + part) as u32
            };
            Point::new(along(from.x, to.x), along(from.y, to.y))
        };
        let is_own = |step: &u32| self.visible.owner(at(*step)) == owner_of(rank);
        let entered = (0..=steps).find(is_own)?;
        let within = (entered..=steps.min(entered + DEPTH)).take_while(is_own);
        within.last().map(at)
    }
}
