//! Inside: the label lies wholly on its own visible region, where that is widest.

use super::{Label, OWN_SHARE, Placer, centered};
use crate::{Result, Size};

impl Placer<'_> {
    /// The label wholly inside the visible region, as large as fits with some room around it.
    pub(super) fn inside(&mut self, rank: usize) -> Result<Option<Label>> {
        self.call.check()?;
        let Some(widest) = self.widest[rank] else {
            return Ok(None);
        };
        let most = self.visible.parts()[rank].area as f64 * OWN_SHARE;
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
            if let Some(spot) = self.columns.fit(rank, widest, with_room) {
                let bbox = centered(spot.point, width, height);
                return Ok(bbox.map(|bbox| Label {
                    bbox,
                    anchor: spot.point,
                    font_size,
                }));
            }
        }
        Ok(None)
    }
}
