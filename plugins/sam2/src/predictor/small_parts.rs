//! Holes and sprinkles in low-resolution logits.
//!
//! `postprocess_masks` of `sam2/utils/transforms.py`, with 8-connected parts, as in its CUDA form. (On
//! the CPU the official project leaves the step out.)

use som_core::{Connectivity, Mask, Result, Size};

/// How far beyond the threshold what is changed lies.
const CLEARLY: f32 = 10.0;

/// Which parts are small, in cells of the low-resolution logits. 0: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SmallParts {
    /// Holes of at most so many cells are filled.
    pub holes: u64,
    /// Islands of at most so many cells are removed.
    pub sprinkles: u64,
}

impl SmallParts {
    /// Fills holes and removes sprinkles of the mask above `threshold`. Both are those of the logits as
    /// they come.
    ///
    /// # Errors
    /// Internal, if the logits are not `low` cells.
    pub(crate) fn change(self, logits: &mut [f32], low: Size, threshold: f32) -> Result<()> {
        if self == Self::default() {
            return Ok(());
        }
        let inside = above(logits, low, threshold)?;
        let holes = small(&inside.complement(), self.holes);
        let sprinkles = small(&inside, self.sprinkles);
        for hole in holes {
            hole.paint(low.bbox(), logits, threshold + CLEARLY);
        }
        for sprinkle in sprinkles {
            sprinkle.paint(low.bbox(), logits, threshold - CLEARLY);
        }
        Ok(())
    }
}

/// Fills holes of at most `most` cells with a logit barely inside the mask, as the official project does
/// in videos (`fill_holes_in_mask_scores`).
///
/// # Errors
/// Internal, if the logits are not `low` cells.
pub(crate) fn fill_barely(logits: &mut [f32], low: Size, most: u64) -> Result<()> {
    const BARELY: f32 = 0.1;
    if most == 0 {
        return Ok(());
    }
    for hole in small(&above(logits, low, 0.0)?.complement(), most) {
        hole.paint(low.bbox(), logits, BARELY);
    }
    Ok(())
}

fn above(logits: &[f32], low: Size, threshold: f32) -> Result<Mask> {
    let above = |&logit: &f32| u8::from(logit > threshold);
    let cells: Vec<u8> = logits.iter().map(above).collect();
    Mask::from_dense(low, low.bbox(), &cells)
}

fn small(mask: &Mask, most: u64) -> Vec<Mask> {
    if most == 0 {
        return Vec::new();
    }
    let mut parts = mask.components(Connectivity::Eight);
    parts.retain(|part| part.area() <= most);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOW: Size = Size::new(5, 4);

    /// A ring with a hole of two cells, and a sprinkle beside it.
    fn logits() -> Vec<f32> {
        let rows = ["####.", "#..#.", "####.", "....#"];
        let cells = rows.iter().flat_map(|row| row.chars());
        cells
            .map(|cell| if cell == '#' { 1.0 } else { -1.0 })
            .collect()
    }

    #[test]
    fn holes_are_filled_and_sprinkles_removed_up_to_their_size() {
        let mut same = logits();
        SmallParts::default().change(&mut same, LOW, 0.0).unwrap();
        assert_eq!(same, logits());
        let parts = SmallParts {
            holes: 2,
            sprinkles: 10,
        };
        let mut changed = logits();
        parts.change(&mut changed, LOW, 0.0).unwrap();
        // The sprinkle touches a corner of the ring, so that they are one.
        assert_eq!(changed[6..8], [10.0, 10.0]);
        assert_eq!(changed[19], 1.0);
        let mut barely = logits();
        fill_barely(&mut barely, LOW, 1).unwrap();
        assert_eq!(barely, logits());
        fill_barely(&mut barely, LOW, 2).unwrap();
        assert_eq!(barely[6..8], [0.1, 0.1]);
    }

    #[test]
    fn both_are_looked_for_before_anything_is_changed() {
        let parts = SmallParts {
            holes: 2,
            sprinkles: 11,
        };
        let mut changed = logits();
        parts.change(&mut changed, LOW, 0.0).unwrap();
        // The ring goes, though its hole would have made it larger.
        assert_eq!(changed[0], -10.0);
        assert_eq!(changed[6], 10.0);
    }
}
