//! Inside: the label lies wholly on its own visible region, where that is widest, or where it hides
//! no ink.

use super::{Label, OWN_SHARE, Placer, centered};
use crate::{BBox, Result, Size, allocate::visible::owner_of};

/// A label inside its region that hides more than this share of the region's ink would rather lie
/// beside it …
const INK_HIDDEN: f64 = 0.05;
/// … and so would one that hides more than this share of the region, be there ink or not: whether a
/// box is checked is told by its being empty, too.
const AREA_HIDDEN: f64 = 0.3;
/// A label with less than this share of its region cannot hide much of it.
const SMALL: f64 = 0.02;
/// Places a row, and rows, that are tried for ground without ink.
const TRIES: u32 = 12;

/// A label inside its region.
#[derive(Clone, Copy)]
pub(super) struct Inside {
    pub(super) label: Label,
    /// It hides much of what it names: beside the region it would be better off.
    pub(super) hides: bool,
}

impl Placer<'_> {
    /// The label wholly inside the visible region, as large as fits with some room around it.
    pub(super) fn inside(&mut self, rank: usize) -> Result<Option<Inside>> {
        self.call.check()?;
        if let Some(staying) = self.stays_inside(rank)? {
            return Ok(Some(staying));
        }
        let Some(widest) = self.widest[rank] else {
            return Ok(None);
        };
        let most = self.visible.parts()[rank].area as f64 * OWN_SHARE;
        let mut inked = None;
        for step in 0..=self.fonts.len() {
            // At last the smallest size without any room around it.
            let tight = step == self.fonts.len();
            let step = step.min(self.fonts.len() - 1);
            let font_size = self.fonts.font_size(step);
            let Size { width, height } = self.fonts.measure(step, rank)?;
            if f64::from(width) * f64::from(height) > most {
                continue;
            }
            let room = if tight {
                0
            } else {
                (font_size / 6.0).round() as u32
            };
            let with_room = Size::new(width + 2 * room, height + 2 * room);
            let Some(spot) = self.columns.fit(rank, widest, with_room) else {
                continue;
            };
            let Some(bbox) = centered(spot.point, width, height) else {
                continue;
            };
            let label = Label {
                bbox,
                anchor: spot.point,
                font_size,
            };
            if self.ink.is_plain(bbox) {
                return Ok(Some(self.judged(rank, label)));
            }
            if let Some(bbox) = self.plain(rank, bbox, room) {
                let label = Label {
                    bbox,
                    anchor: bbox.center(),
                    font_size,
                };
                return Ok(Some(self.judged(rank, label)));
            }
            // A smaller label may find plain ground, but not so much smaller ones again.
            if inked.replace(label).is_some() {
                break;
            }
        }
        Ok(inked.map(|label| self.judged(rank, label)))
    }

    /// The place nearest to that of `label` that has no ink and lies in the part of `rank`, both with
    /// `room` around it.
    fn plain(&self, rank: usize, label: BBox, room: u32) -> Option<BBox> {
        let part = self.visible.parts()[rank].bbox;
        let (width, height) = (label.width + 2 * room, label.height + 2 * room);
        let places = |from: u32, length: u32, side: u32| {
            let free = length.saturating_sub(side);
            let step = (free / (TRIES - 1)).max(side / 3).max(1);
            (0..=free / step).map(move |place| from + place * step)
        };
        let mut best: Option<(u64, BBox)> = None;
        for y in places(part.y, part.height, height) {
            for x in places(part.x, part.width, width) {
                let (dx, dy) = (
                    u64::from((x + room).abs_diff(label.x)),
                    u64::from((y + room).abs_diff(label.y)),
                );
                let away = dx * dx + dy * dy;
                let with_room = BBox::new(x, y, width, height);
                if best.is_none_or(|(least, _)| away < least)
                    && self.visible.size().bbox().encloses(with_room)
                    && self.ink.is_plain(with_room)
                    && self.is_own(rank, with_room)
                {
                    let bbox = BBox::new(x + room, y + room, label.width, label.height);
                    best = Some((away, bbox));
                }
            }
        }
        best.map(|(_, bbox)| bbox)
    }

    /// True if all of `bbox` lies on the visible part of `rank`.
    pub(super) fn is_own(&self, rank: usize, bbox: BBox) -> bool {
        let columns = bbox.x as usize..bbox.right() as usize;
        (bbox.y..bbox.bottom() as u32).all(|y| {
            let row = &self.visible.row(y)[columns.clone()];
            row.iter().all(|&owner| owner == owner_of(rank))
        })
    }

    pub(super) fn judged(&self, rank: usize, label: Label) -> Inside {
        let part = self.visible.parts()[rank];
        let share = label.bbox.area() as f64 / part.area.max(1) as f64;
        let hides = share > AREA_HIDDEN
            || (share > SMALL
                && !self.ink.is_plain(label.bbox)
                && self.ink_under(label.bbox) as f64 > INK_HIDDEN * self.ink_of(rank) as f64);
        Inside { label, hides }
    }

    fn ink_under(&self, bbox: BBox) -> u64 {
        (bbox.y..bbox.bottom() as u32)
            .map(|y| self.ink.of_run(y, bbox.x, bbox.x + bbox.width))
            .sum()
    }

    fn ink_of(&self, rank: usize) -> u64 {
        let runs = self.visible.runs(rank).iter();
        runs.map(|run| self.ink.of_run(run.y, run.start, run.end))
            .sum()
    }
}
