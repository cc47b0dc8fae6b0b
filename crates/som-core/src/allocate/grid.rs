//! Things by place: fast answers to "what lies here?".

use crate::{BBox, Size};

/// Things with a bounding box, found by place.
pub(super) struct Grid<T> {
    columns: usize,
    cells: Vec<Vec<(BBox, T)>>,
}

impl<T: Copy + PartialEq> Grid<T> {
    /// Pixels per side of a cell: a few labels wide.
    const CELL: u32 = 64;

    /// Nothing yet, on an image of `size`.
    pub(super) fn new(size: Size) -> Self {
        let columns = size.width.div_ceil(Self::CELL) as usize;
        let rows = size.height.div_ceil(Self::CELL) as usize;
        Self {
            columns,
            cells: (0..columns * rows).map(|_| Vec::new()).collect(),
        }
    }

    /// Adds a thing with this box.
    pub(super) fn insert(&mut self, bbox: BBox, thing: T) {
        for cell in Self::cells(self.columns, bbox) {
            if let Some(cell) = self.cells.get_mut(cell) {
                cell.push((bbox, thing));
            }
        }
    }

    /// Removes a thing that was added with this box.
    pub(super) fn remove(&mut self, bbox: BBox, thing: &T) {
        for cell in Self::cells(self.columns, bbox) {
            if let Some(cell) = self.cells.get_mut(cell) {
                cell.retain(|(_, other)| other != thing);
            }
        }
    }

    /// True if `test` holds for a thing whose box meets `bbox`. A thing that lies in several
    /// cells is met in the first one only.
    pub(super) fn any(&self, bbox: BBox, mut test: impl FnMut(T) -> bool) -> bool {
        Self::cells(self.columns, bbox).any(|index| {
            self.cells
                .get(index)
                .into_iter()
                .flatten()
                .any(|&(around, thing)| {
                    around.intersection(bbox).is_some_and(|shared| {
                        Self::cells(self.columns, shared).next() == Some(index) && test(thing)
                    })
                })
        })
    }

    fn cells(columns: usize, bbox: BBox) -> impl Iterator<Item = usize> {
        let rows = bbox.y / Self::CELL..=(bbox.bottom().max(1) - 1) as u32 / Self::CELL;
        let last = ((bbox.right().max(1) - 1) as u32 / Self::CELL) as usize;
        rows.flat_map(move |row| {
            let first = (bbox.x / Self::CELL) as usize;
            (first..=last.min(columns.saturating_sub(1))).map(move |c| row as usize * columns + c)
        })
    }
}
