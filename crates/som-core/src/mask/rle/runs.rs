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
