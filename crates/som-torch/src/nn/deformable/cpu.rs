//! Sampling on the CPU: a slab of cells at a time, so that what the taps see need not all be in memory.

use std::ops::Range;

use rayon::prelude::*;

use super::{Shape, TAPS};
use crate::nn::sampling::{blend, neighbours};

/// Numbers of a slab: small enough for caches, and enough for a matrix product.
const AT_ONCE: usize = 1 << 20;

/// A map, and where the taps of each cell look in it.
pub(super) struct Taps<'a> {
    map: &'a [f32],
    height: usize,
    width: usize,
    channels: usize,
    cells: usize,
    columns: usize,
    stride: i64,
    /// Tap by tap, down and across, each of every cell.
    offsets: &'a [f32],
    /// Tap by tap, each of every cell.
    shares: &'a [f32],
}

impl<'a> Taps<'a> {
    pub(super) fn new(map: &'a [f32], shape: Shape, offsets: &'a [f32], shares: &'a [f32]) -> Self {
        let count = |count: i64| usize::try_from(count).unwrap_or(0);
        Self {
            map,
            height: count(shape.height),
            width: count(shape.width),
            channels: count(shape.channels),
            cells: count(shape.rows * shape.columns),
            columns: count(shape.columns),
            stride: shape.stride,
            offsets,
            shares,
        }
    }

    /// All cells, in parts that are done at once.
    pub(super) fn slabs(&self) -> impl Iterator<Item = Range<usize>> {
        let step = (AT_ONCE / (TAPS as usize * self.channels).max(1)).max(1);
        let cells = self.cells;
        (0..cells)
            .step_by(step)
            .map(move |first| first..cells.min(first + step))
    }

    /// What the taps of these cells see: `[cells, 9, channels]`.
    pub(super) fn sample(&self, cells: Range<usize>) -> Vec<f32> {
        let width = TAPS as usize * self.channels;
        let mut seen = vec![0.0; cells.len() * width];
        seen.par_chunks_exact_mut(width.max(1))
            .zip(cells)
            .for_each(|(seen, cell)| self.look(cell, seen));
        seen
    }

    fn look(&self, cell: usize, seen: &mut [f32]) {
        let from = |index: usize| index as i64 * self.stride - 1;
        let (top, left) = (from(cell / self.columns), from(cell % self.columns));
        for (tap, seen) in seen.chunks_exact_mut(self.channels).enumerate() {
            let told = |numbers: &[f32], index: usize| numbers[index * self.cells + cell];
            let share = told(self.shares, tap);
            let y = (top + tap as i64 / 3) as f32 + told(self.offsets, 2 * tap);
            let x = (left + tap as i64 % 3) as f32 + told(self.offsets, 2 * tap + 1);
            let (columns, across) = neighbours(x, self.width);
            let (rows, down) = neighbours(y, self.height);
            let at = |row: usize, column: usize| {
                let first = (rows[row] * self.width + columns[column]) * self.channels;
                &self.map[first..][..self.channels]
            };
            let [above, below] = down.map(|part| part * share);
            blend(
                seen,
                [at(0, 0), at(0, 1), at(1, 0), at(1, 1)],
                [
                    above * across[0],
                    above * across[1],
                    below * across[0],
                    below * across[1],
                ],
            );
        }
    }
}
