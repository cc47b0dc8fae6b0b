//! Across: the region is large but too thin to hold the label, which lies over its edges.

use super::{Label, Placer, centered};
use crate::{Result, Size, allocate::page::Page};

/// A label across a thin region has at least this share of its box on it...
pub(super) const SHARE: f64 = 0.6;
/// ...and hides at most this share of the region.
const HIDDEN: f64 = 0.25;
/// Rows of the region to try.
const TRIES: usize = 48;

impl Placer<'_> {
    /// The label with its middle and most of its box on a region that is large but thin.
    pub(super) fn across(&mut self, page: &Page, rank: usize) -> Result<Option<Label>> {
        let Some(widest) = self.widest[rank] else {
            return Ok(None);
        };
        let area = self.visible.parts()[rank].area as f64;
        let mut ridge = Vec::new();
        for step in 0..self.fonts.len() {
            let font_size = self.fonts.font_size(step);
            let Size { width, height } = self.fonts.measure(step, rank)?;
            let box_area = f64::from(width) * f64::from(height);
            if box_area > area * HIDDEN {
                continue;
            }
            if ridge.is_empty() {
                ridge = self.columns.ridge(rank, TRIES);
                ridge.insert(0, widest);
            }
            let mut best: Option<((bool, u32), Label)> = None;
            for spot in &ridge {
                let Some(bbox) = centered(spot.point, width, height) else {
                    continue;
                };
                if !page.is_free(bbox, Some(widest.point)) {
                    continue;
                }
                self.visible.count(bbox, &mut self.tally);
                let own = self.tally.of(rank);
                // Rather on ground without ink, and on as much of the region as can be.
                let rating = (self.ink.is_plain(bbox), own);
                if f64::from(own) >= box_area * SHARE
                    && best.is_none_or(|(most, _)| rating > most)
                    && page.spares(rank, &self.tally, self.visible, |_| true)
                {
                    best = Some((
                        rating,
                        Label {
                            bbox,
                            anchor: spot.point,
                            font_size,
                        },
                    ));
                }
            }
            if let Some((_, label)) = best {
                return Ok(Some(label));
            }
        }
        Ok(None)
    }
}
