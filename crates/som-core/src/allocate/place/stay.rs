//! Stay: the label lies where it lay on the image before, against its region.

use super::{Label, OWN_SHARE, Placer, beside::HIDDEN, centered, hides, inside::Inside};
use crate::{
    Point, Result, Size,
    allocate::{
        kept::{KeptLabel, moved},
        page::Page,
        visible::owner_of,
    },
};

impl Placer<'_> {
    /// The label of a mark that had none of its own place before, or had it inside: there, if it still
    /// lies wholly on its visible region and hides no more of it than another one might.
    pub(super) fn stays_inside(&mut self, rank: usize) -> Result<Option<Inside>> {
        let Some(kept) = self.kept[rank].filter(|kept| !kept.has_leader()) else {
            return Ok(None);
        };
        let Some(label) = self.at_kept(rank, kept)? else {
            return Ok(None);
        };
        let area = self.visible.parts()[rank].area as f64;
        if label.bbox.area() as f64 > area * OWN_SHARE || !self.is_own(rank, label.bbox) {
            return Ok(None);
        }
        let label = Label {
            anchor: label.bbox.center(),
            ..label
        };
        let inside = self.judged(rank, label);
        Ok(Some(inside).filter(|inside| !inside.hides))
    }

    /// Puts down the labels that stay off their regions; returns the ranks of the others.
    pub(super) fn put_staying(
        &mut self,
        page: &mut Page,
        batch: &[usize],
        inside: &[Option<Inside>],
        labels: &mut Vec<(usize, Label)>,
    ) -> Result<Vec<usize>> {
        let mut rest = Vec::new();
        for &rank in batch {
            self.call.check()?;
            let label = match self.stays_beside(page, rank)? {
                Some(label) => Some(label),
                None => inside[rank]
                    .filter(|_| !hides(inside, rank))
                    .map(|Inside { label, .. }| label)
                    // By now another one's label may lie where this one's would.
                    .filter(|label| page.is_free(label.bbox, Some(label.anchor))),
            };
            match label {
                Some(label) => {
                    self.put(page, rank, &label);
                    labels.push((rank, label));
                }
                None => rest.push(rank),
            }
        }
        Ok(rest)
    }

    /// The label beside its region, where it was, as far as it harms nobody there.
    fn stays_beside(&mut self, page: &Page, rank: usize) -> Result<Option<Label>> {
        let Some(kept) = self.kept[rank].filter(KeptLabel::has_leader) else {
            return Ok(None);
        };
        let Some(label) = self.at_kept(rank, kept)? else {
            return Ok(None);
        };
        let Some(leader) = label.leader() else {
            return Ok(None);
        };
        if !self.is_seen(rank, label.anchor)
            || !page.is_free(label.bbox, Some(label.anchor))
            || page.tangles(label.bbox, leader)
        {
            return Ok(None);
        }
        self.visible.count(label.bbox, &mut self.tally);
        let area = self.visible.parts()[rank].area.max(1) as f64;
        let harms = f64::from(self.tally.of(rank)) > HIDDEN * area
            || !page.spares(rank, &self.tally, self.visible, |_| false);
        Ok(Some(label).filter(|_| !harms))
    }

    /// The label where it was against its region, in the size nearest to the one that it had.
    fn at_kept(&mut self, rank: usize, kept: KeptLabel) -> Result<Option<Label>> {
        let off = |step: usize| (self.fonts.font_size(step) - kept.font_size).abs();
        let steps = 0..self.fonts.len();
        let Some(step) = steps.min_by(|&a, &b| off(a).total_cmp(&off(b))) else {
            return Ok(None);
        };
        let font_size = self.fonts.font_size(step);
        let Size { width, height } = self.fonts.measure(step, rank)?;
        let by = kept.moved(self.masks[rank].bbox());
        let place = moved(kept.label.center(), by)
            .and_then(|center| centered(center, width, height))
            .filter(|bbox| self.visible.size().bbox().encloses(*bbox));
        let (Some(bbox), Some(anchor)) = (place, moved(kept.anchor, by)) else {
            return Ok(None);
        };
        Ok(Some(Label {
            bbox,
            anchor,
            font_size,
        }))
    }

    /// True if `point` is a visible pixel of the region.
    fn is_seen(&self, rank: usize, point: Point) -> bool {
        self.visible.size().bbox().contains(point)
            && self.visible.row(point.y)[point.x as usize] == owner_of(rank)
    }
}
