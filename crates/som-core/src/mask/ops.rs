//! Masks as sets of pixels. Where two belong to images of different sizes, pixels keep their
//! coordinates, and the result belongs to the image of the first.

use std::ops::Range;

use super::{Mask, MaskBuilder, Span};

impl Mask {
    /// Pixels of either mask.
    #[must_use]
    pub fn union(&self, other: &Mask) -> Mask {
        let (a, b) = (self.row_range(), other.row_range());
        let rows = match (self.is_empty(), other.is_empty()) {
            (true, _) => b,
            (_, true) => a,
            _ => a.start.min(b.start)..a.end.max(b.end),
        };
        self.combine(other, rows, |a, b| a || b)
    }

    /// Pixels of both masks.
    #[must_use]
    pub fn intersection(&self, other: &Mask) -> Mask {
        self.combine(other, self.shared_rows(other), |a, b| a && b)
    }

    /// Pixels of this mask that are not of the other.
    #[must_use]
    pub fn difference(&self, other: &Mask) -> Mask {
        self.combine(other, self.row_range(), |a, b| a && !b)
    }

    /// Pixels of the image that are not of this mask.
    #[must_use]
    pub fn complement(&self) -> Mask {
        Mask::rect(self.size, self.size.bbox()).difference(self)
    }

    /// The same pixels so far to the right and down; those that leave the image are lost.
    #[must_use]
    pub fn moved(&self, dx: i64, dy: i64) -> Mask {
        let place = |at: u32, by: i64, end: u32| {
            let moved = i64::from(at).saturating_add(by);
            moved.clamp(0, i64::from(end)) as u32
        };
        let mut mask = MaskBuilder::new(self.size);
        for (y, spans) in self.rows() {
            let y = i64::from(y).saturating_add(dy);
            if !(0..i64::from(self.size.height)).contains(&y) {
                continue;
            }
            for span in spans {
                let [start, end] = [span.start, span.end].map(|x| place(x, dx, self.size.width));
                mask.push(y as u32, start, end);
            }
        }
        mask.finish()
    }

    /// Number of pixels of both masks. Builds nothing.
    pub fn intersection_area(&self, other: &Mask) -> u64 {
        if !self.bbox.intersects(other.bbox) {
            return 0;
        }
        self.shared_rows(other)
            .map(|y| shared_columns(self.row(y), other.row(y)))
            .sum()
    }

    /// Area shared over area covered by either: 0 for disjoint masks, 1 for equal ones, and 0 for
    /// two empty ones (as pycocotools has it). Builds nothing.
    pub fn iou(&self, other: &Mask) -> f64 {
        let shared = self.intersection_area(other);
        if shared == 0 {
            return 0.0;
        }
        shared as f64 / (self.area() + other.area() - shared) as f64
    }

    fn row_range(&self) -> Range<u32> {
        self.bbox.y..self.bbox.y + self.bbox.height
    }

    fn shared_rows(&self, other: &Mask) -> Range<u32> {
        let (a, b) = (self.row_range(), other.row_range());
        a.start.max(b.start)..a.end.min(b.end)
    }

    /// The pixels of `rows` that `keep` wants, by whether each mask has them.
    fn combine(&self, other: &Mask, rows: Range<u32>, keep: impl Fn(bool, bool) -> bool) -> Mask {
        let mut mask = MaskBuilder::new(self.size);
        for y in rows {
            sweep(self.row(y), other.row(y), &keep, |start, end| {
                mask.push(y, start, end);
            });
        }
        mask.finish()
    }
}

/// Finds the runs of columns that `keep` wants, by whether each of two rows covers them.
fn sweep(
    a: &[Span],
    b: &[Span],
    keep: impl Fn(bool, bool) -> bool,
    mut found: impl FnMut(u32, u32),
) {
    let (mut i, mut j) = (0, 0);
    let mut start = None;
    while i < 2 * a.len() || j < 2 * b.len() {
        let (next_a, next_b) = (boundary(a, i), boundary(b, j));
        let x = next_a.min(next_b);
        i += usize::from(next_a == x);
        j += usize::from(next_b == x);
        // After an odd number of boundaries one is inside.
        match (start, keep(i % 2 == 1, j % 2 == 1)) {
            (None, true) => start = Some(x),
            (Some(from), false) => {
                found(from as u32, x as u32);
                start = None;
            }
            _ => {}
        }
    }
}

/// The `index`th column at which the row goes in or out; beyond all columns after the last.
fn boundary(row: &[Span], index: usize) -> u64 {
    match row.get(index / 2) {
        Some(span) => u64::from(if index.is_multiple_of(2) {
            span.start
        } else {
            span.end
        }),
        None => u64::MAX,
    }
}

fn shared_columns(mut a: &[Span], mut b: &[Span]) -> u64 {
    let mut area = 0;
    while let ([first, rest @ ..], [other, others @ ..]) = (a, b) {
        let (start, end) = (first.start.max(other.start), first.end.min(other.end));
        area += u64::from(end.saturating_sub(start));
        if first.end <= other.end {
            a = rest;
        } else {
            b = others;
        }
    }
    area
}
