//! A packed raster of anything: what one stage hands to the next.

/// `width * height` cells, rows packed, top-left first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Grid<T> {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) cells: Vec<T>,
}

impl<T: Copy> Grid<T> {
    /// The grid of `cells`.
    pub(crate) fn new(width: usize, height: usize, cells: Vec<T>) -> Self {
        debug_assert_eq!(cells.len(), width * height, "cells fill the grid");
        Self {
            width,
            height,
            cells,
        }
    }

    /// The cell in column `x` and row `y`.
    pub(crate) fn at(&self, x: usize, y: usize) -> T {
        self.cells[y * self.width + x]
    }

    /// Row `y`.
    pub(crate) fn row(&self, y: usize) -> &[T] {
        &self.cells[y * self.width..(y + 1) * self.width]
    }

    /// The grid of other values.
    pub(crate) fn map<U: Copy>(&self, value: impl FnMut(&T) -> U) -> Grid<U> {
        Grid::new(
            self.width,
            self.height,
            self.cells.iter().map(value).collect(),
        )
    }

    /// The grid with a frame of `margin` cells that mirrors what lies inside, so that the window
    /// around every cell is whole and the frame makes no edge of its own.
    pub(crate) fn mirrored(&self, margin: usize) -> Self {
        let (columns, rows) = (mirror(self.width, margin), mirror(self.height, margin));
        let mut cells = Vec::with_capacity(columns.len() * rows.len());
        for &y in &rows {
            let row = self.row(y);
            cells.extend(columns.iter().map(|&x| row[x]));
        }
        Self::new(columns.len(), rows.len(), cells)
    }
}

/// For positions from `-margin` to `length + margin`, the index in `0..length` they mirror.
fn mirror(length: usize, margin: usize) -> Vec<usize> {
    // Mirrored at both ends again and again, indices repeat after twice the length.
    let period = 2 * length;
    let offset = period * margin.div_ceil(period) - margin;
    (0..length + 2 * margin)
        .map(|position| {
            let phase = (position + offset) % period;
            phase.min(period - 1 - phase)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_mirror_the_inside() {
        assert_eq!(mirror(3, 2), [1, 0, 0, 1, 2, 2, 1]);
        assert_eq!(mirror(1, 3), [0; 7]);
        assert_eq!(mirror(2, 5), [0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1]);
    }
}
