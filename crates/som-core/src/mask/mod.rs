//! A region's pixels, exact and compact.
//!
//! A [`Mask`] stores, for each row of its bounding box, the runs of columns it covers. Its memory
//! and the cost of nearly every operation grow with the mask's outline, not with its area.

mod bits;
mod coco;
mod components;
mod dense;
mod ops;
mod outline;
mod polygon;
mod resize;
mod rle;

pub use components::Connectivity;
pub use polygon::{Polygon, Ring};
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
    /// The smallest box around all pixels; [`BBox::default`] if there are none.
    bbox: BBox,
    /// For each row of `bbox`, the end of its runs in `spans`.
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

    /// Appends the runs whose starts and ends take turns in `edges`.
    fn push_all(edges: &[u32], spans: &mut Vec<Span>) {
        let pairs = edges.as_chunks().0.iter();
        spans.extend(pairs.map(|&[start, end]| Span { start, end }));
    }
}

impl Mask {
    /// The mask without pixels.
    pub const fn empty(size: Size) -> Self {
        Self {
            size,
            bbox: BBox::new(0, 0, 0, 0),
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
        let spans = vec![span; bbox.height as usize];
        Self {
            size,
            bbox,
            ends: (1..=bbox.height).collect(),
            spans,
        }
    }

    /// Runs that are in order; `ends` has an entry for each row from `top` on. Rows without runs
    /// are taken off above and below.
    fn from_runs(size: Size, top: u32, mut ends: Vec<u32>, spans: Vec<Span>) -> Self {
        if spans.is_empty() {
            return Self::empty(size);
        }
        let last = ends.partition_point(|&end| (end as usize) < spans.len());
        ends.truncate(last + 1);
        let above = ends.partition_point(|&end| end == 0);
        ends.drain(..above);
        let (mut left, mut right, mut start) = (u32::MAX, 0, 0);
        for &end in &ends {
            let row = &spans[start..end as usize];
            if let (Some(first), Some(last)) = (row.first(), row.last()) {
                left = left.min(first.start);
                right = right.max(last.end);
            }
            start = end as usize;
        }
        let bbox = BBox::new(left, top + above as u32, right - left, ends.len() as u32);
        Self {
            size,
            bbox,
            ends,
            spans,
        }
    }

    /// Size of the image the mask belongs to.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// True if no pixel is set.
    pub const fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Number of pixels set.
    pub fn area(&self) -> u64 {
        self.spans.iter().map(|span| u64::from(span.len())).sum()
    }

    /// The smallest box around all pixels; an empty box at the origin if there are none.
    pub const fn bbox(&self) -> BBox {
        self.bbox
    }

    /// True if the pixel is set; false outside the image.
    pub fn contains(&self, point: Point) -> bool {
        let row = self.row(point.y);
        let next = row.partition_point(|span| span.end <= point.x);
        row.get(next).is_some_and(|span| span.start <= point.x)
    }

    /// The runs of row `y`, from left to right.
    pub fn row(&self, y: u32) -> &[Span] {
        match y.checked_sub(self.bbox.y).map(|row| row as usize) {
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
        self.ends.iter().zip(self.bbox.y..).map(move |(&end, y)| {
            let row = &self.spans[start as usize..end as usize];
            start = end;
            (y, row)
        })
    }
}

/// Builds a [`Mask`] run by run, in reading order.
#[derive(Clone, Debug)]
pub struct MaskBuilder {
    size: Size,
    top: u32,
    ends: Vec<u32>,
    spans: Vec<Span>,
}

impl MaskBuilder {
    /// Starts with no pixel set.
    pub const fn new(size: Size) -> Self {
        Self {
            size,
            top: 0,
            ends: Vec::new(),
            spans: Vec::new(),
        }
    }

    /// Sets columns `start..end` of row `y`. Runs come in reading order; what lies outside the
    /// image is cut off, and a run that touches the one before joins it.
    ///
    /// # Panics
    /// In debug builds, if the run lies before an earlier one.
    pub fn push(&mut self, y: u32, start: u32, end: u32) {
        let end = end.min(self.size.width);
        if start >= end || y >= self.size.height {
            return;
        }
        if self.spans.is_empty() {
            self.top = y;
        }
        debug_assert!(y >= self.top, "rows come from top to bottom");
        let rows = y.saturating_sub(self.top) as usize + 1;
        debug_assert!(rows >= self.ends.len(), "rows come from top to bottom");
        if rows > self.ends.len() {
            self.ends.resize(rows, self.spans.len() as u32);
        } else if let Some(last) = self.spans.last_mut() {
            debug_assert!(start >= last.start, "runs come from left to right");
            if start <= last.end {
                last.end = last.end.max(end);
                return;
            }
        }
        self.spans.push(Span { start, end });
        self.ends[rows - 1] = self.spans.len() as u32;
    }

    /// The finished mask.
    pub fn finish(self) -> Mask {
        Mask::from_runs(self.size, self.top, self.ends, self.spans)
    }
}
