//! Widen: a label that lies already gets room for its class name, if that harms nothing.

use super::{Label, OWN_SHARE, Placer, across, beside, centered};
use crate::{BBox, Result, Size, allocate::page::Page};

impl Placer<'_> {
    /// Makes room for class names in the labels of a page, one after the other. None of them loses
    /// what was promised of it, and none that has no room is moved.
    pub(super) fn widen(&mut self, page: &mut Page, labels: &mut [(usize, Label)]) -> Result<()> {
        for (rank, label) in labels {
            self.call.check()?;
            let Some(size) = self.fonts.measure_caption(label.font_size, *rank)? else {
                continue;
            };
            let old = *label;
            self.visible.count(old.bbox, &mut self.tally);
            page.take(*rank, old.bbox, &self.tally);
            if let Some(leader) = old.leader() {
                page.take_leader(leader);
            }
            *label = self.widened(page, *rank, old, size).unwrap_or(old);
            self.visible.count(label.bbox, &mut self.tally);
            page.put(*rank, label.bbox, Some(&self.tally));
            if let Some(leader) = label.leader() {
                page.put_leader(leader);
            }
        }
        Ok(())
    }

    /// `label` with a box of `size`, on as much of its region as can be; `None` if there is no room
    /// around it.
    fn widened(&mut self, page: &Page, rank: usize, label: Label, size: Size) -> Option<Label> {
        let mut best: Option<(u32, Label)> = None;
        for wide in self.wider(rank, label, size) {
            let bbox = wide.bbox;
            let own_end = Some(label.anchor);
            let hides_ink = || self.ink.is_plain(label.bbox) && !self.ink.is_plain(bbox);
            if !page.is_free(bbox, own_end)
                || hides_ink()
                || wide.leader().is_some() != label.leader().is_some()
            {
                continue;
            }
            let tangled = match (wide.leader(), label.leader()) {
                (Some(leader), Some(old)) => {
                    page.tangles(bbox, leader) || page.crossings(leader) > page.crossings(old)
                }
                _ => page.is_crossed(bbox),
            };
            self.visible.count(bbox, &mut self.tally);
            let own = self.tally.of(rank);
            let share = f64::from(own) / bbox.area().max(1) as f64;
            let hidden = f64::from(own) / self.visible.parts()[rank].area.max(1) as f64;
            let stands = match wide.leader() {
                Some(_) => hidden <= beside::HIDDEN,
                None => share >= across::SHARE && hidden <= OWN_SHARE,
            };
            if !tangled
                && stands
                && best.is_none_or(|(most, _)| own > most)
                && page.spares(rank, &self.tally, self.visible, |_| true)
            {
                best = Some((own, wide));
            }
        }
        best.map(|(_, wide)| wide)
    }

    /// Where a label of `size` could lie instead: inside the region, or around the box it has, to
    /// both sides or to one.
    fn wider(&self, rank: usize, label: Label, size: Size) -> Vec<Label> {
        let Size { width, height } = size;
        let Label { bbox, .. } = label;
        let y = (bbox.y + bbox.height / 2).checked_sub(height / 2);
        let around = |x: Option<u32>| {
            let bbox = BBox::new(x?, y?, width, height);
            Some(Label { bbox, ..label })
        };
        let end = bbox.x + bbox.width;
        let inside = || {
            let widest = self.widest[rank].filter(|_| label.leader().is_none())?;
            let spot = self.columns.fit(rank, widest, size)?;
            Some(Label {
                bbox: centered(spot.point, width, height)?,
                anchor: spot.point,
                ..label
            })
        };
        let places = [
            inside(),
            around((bbox.x + bbox.width / 2).checked_sub(width / 2)),
            around(Some(bbox.x)),
            around(end.checked_sub(width)),
        ];
        places.into_iter().flatten().collect()
    }
}
