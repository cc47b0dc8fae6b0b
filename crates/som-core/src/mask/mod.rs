//! A region's pixels, exact and compact.
//!
//! A [`Mask`] stores, for each row of its bounding box, the runs of columns it covers. Its memory
//! and the cost of nearly every operation grow with the mask's outline, not with its area.

mod rle;

pub use rle::{Counts, Rle};

use crate::{BBox, Point, Size};

/// A set of pixels of an image of a given size.
///
/// Runs are sorted, disjoint, non-empty and never touch within a row, so equal pixel sets are
/// equal values. An empty mask is a normal value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mask {
    /// Of the image the mask belongs to.
    size: Size,
    /// First non-empty row (0 if the mask is empty).
    top: u32,
    /// For each row from `top` on, the end of its runs in `spans`; the last row is non-empty.
    ends: Vec<u32>,
    spans: Vec<Span>,
}

/// Columns `start..end` of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// First column covered.
    pub start: u32,
    /// First column after.
    pub end: u32,
}

impl Span {
    /// Number of columns.
    pub const fn len(self) -> u32 {
        self.end - self.start
    }

    /// True if no column is covered; never so inside a [`Mask`].
    pub const fn is_empty(self) -> bool {
        self.start >= self.end
    }
}

impl Mask {
    /// The mask without pixels.
    pub const fn empty(size: Size) -> Self {
        Self {
            size,
            top: 0,
            ends: Vec::new(),
            spans: Vec::new(),
        }
    }

    /// All pixels of `bbox` that lie in the image.
    pub fn rect(size: Size, bbox: BBox) -> Self {
        let Some(bbox) = bbox.intersection(size.bbox()) else {
            return Self::empty(size);
        };
        let span = Span {
            start: bbox.x,
            end: bbox.x + bbox.width,
        };
        Self {
            size,
            top: bbox.y,
            ends: (1..=bbox.height).collect(),
            spans: vec![span; bbox.height as usize],
        }
    }

    /// Size of the image the mask belongs to.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// True if no pixel is set.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Number of pixels set.
    pub fn area(&self) -> u64 {
        self.spans.iter().map(|span| u64::from(span.len())).sum()
    }

    /// The smallest box around all pixels; an empty box at the origin if there are none.
    pub fn bbox(&self) -> BBox {
        let Some(left) = self.spans.iter().map(|span| span.start).min() else {
            return BBox::default();
        };
        let right = self.spans.iter().map(|span| span.end).max().unwrap_or(left);
        BBox::new(left, self.top, right - left, self.ends.len() as u32)
    }

    /// True if the pixel is set; false outside the image.
    pub fn contains(&self, point: Point) -> bool {
        self.row(point.y)
            .iter()
            .any(|span| span.start <= point.x && point.x < span.end)
    }

    /// The runs of row `y`, from left to right.
    pub fn row(&self, y: u32) -> &[Span] {
        match y.checked_sub(self.top).map(|row| row as usize) {
            Some(row) if row < self.ends.len() => {
                let start = if row == 0 { 0 } else { self.ends[row - 1] };
                &self.spans[start as usize..self.ends[row] as usize]
            }
            _ => &[],
        }
    }

    /// Row numbers and runs, from the first non-empty row to the last.
    pub fn rows(&self) -> impl Iterator<Item = (u32, &[Span])> {
        let mut start = 0;
        self.ends.iter().zip(self.top..).map(move |(&end, y)| {
            let row = &self.spans[start as usize..end as usize];
            start = end;
            (y, row)
        })
    }
}

/// Builds a [`Mask`] run by run, in reading order.
#[derive(Debug)]
pub struct MaskBuilder {
    mask: Mask,
}

impl MaskBuilder {
    /// Starts with no pixel set.
    pub const fn new(size: Size) -> Self {
        Self {
            mask: Mask::empty(size),
        }
    }

    /// Sets columns `start..end` of row `y`. Runs come in reading order; what lies outside the
    /// image is cut off, and a run that touches the one before joins it.
    ///
    /// # Panics
    /// In debug builds, if the run lies before an earlier one.
    pub fn push(&mut self, y: u32, start: u32, end: u32) {
        let mask = &mut self.mask;
        let end = end.min(mask.size.width);
        if start >= end || y >= mask.size.height {
            return;
        }
        if mask.spans.is_empty() {
            mask.top = y;
        }
        let rows = (y - mask.top) as usize + 1;
        debug_assert!(rows >= mask.ends.len(), "rows come from top to bottom");
        if rows > mask.ends.len() {
            mask.ends.resize(rows, mask.spans.len() as u32);
        } else if let Some(last) = mask.spans.last_mut() {
            debug_assert!(start >= last.start, "runs come from left to right");
            if start <= last.end {
                last.end = last.end.max(end);
                return;
            }
        }
        mask.spans.push(Span { start, end });
        mask.ends[rows - 1] = mask.spans.len() as u32;
    }

    /// The finished mask.
    pub fn finish(self) -> Mask {
        self.mask
    }
}
