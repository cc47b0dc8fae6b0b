//! From runs along the rows to runs down the columns, and back: run by run, or as bits where
//! nearly all is outline.

use super::{super::Mask, columns, grid};
use crate::{Result, Size};

/// Pixels a run below which a mask is busy; measured.
const BUSY: u64 = 128;

/// Column-major run lengths, the first one counting zeros.
pub(super) fn counts(mask: &Mask) -> Vec<u32> {
    match is_busy(mask.spans.len(), mask.bbox.area()) {
        true => grid::counts(mask),
        false => columns::counts(mask),
    }
}

/// The mask of column-major run lengths that add up to the pixels of `size`.
///
/// # Errors
/// Exhausted, if the mask has more runs than one may have.
pub(in crate::mask) fn mask(size: Size, counts: &[u32]) -> Result<Mask> {
    if size.pixels() == 0 {
        return Ok(Mask::empty(size));
    }
    if is_busy(counts.len() / 2, size.pixels()) && size.pixels() / 2 <= columns::MAX_RUNS as u64 {
        return Ok(grid::mask(size, counts));
    }
    columns::mask(size, counts)
}

/// True if there are so many runs that it pays to go through all pixels, 64 at a time. Memory for
/// these stays in proportion to the runs.
const fn is_busy(runs: usize, pixels: u64) -> bool {
    runs as u64 * BUSY > pixels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BBox, Size};

    /// Bits or runs, the lengths are the same: of patterns whose rows and columns repeat, and of
    /// columns that go on at the top of the next one.
    #[test]
    fn both_ways_give_the_same_lengths() {
        type Inside = fn(u32, u32) -> bool;
        let patterns: [Inside; 8] = [
            |x, y| x % 8 < 4 && y % 8 < 4,
            |x, _| x % 3 < 2,
            |_, y| y % 3 < 2,
            |x, y| (x + y) % 2 == 0,
            |x, y| x % 5 < 3 && !(4..=60).contains(&y),
            |x, y| x % 7 < 4 && y > 2,
            |_, _| true,
            |x, y| (x * 7 + y * 13) % 11 < 5,
        ];
        for (size, bbox) in [
            (Size::new(150, 70), BBox::new(0, 0, 150, 70)),
            (Size::new(200, 130), BBox::new(31, 17, 150, 70)),
            (Size::new(64, 64), BBox::new(0, 0, 64, 64)),
        ] {
            for (number, inside) in patterns.iter().enumerate() {
                let pixels: Vec<u8> = (0..bbox.height)
                    .flat_map(|y| (0..bbox.width).map(move |x| (x, y)))
                    .map(|(x, y)| u8::from(inside(x, y)))
                    .collect();
                let mask = Mask::from_dense(size, bbox, &pixels).unwrap();
                assert_eq!(
                    grid::counts(&mask),
                    columns::counts(&mask),
                    "{number} in {bbox}"
                );
                assert_eq!(mask.to_dense(bbox), pixels, "{number} in {bbox}");
            }
        }
    }
}
