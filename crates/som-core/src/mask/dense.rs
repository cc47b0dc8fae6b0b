//! Masks from rows of pixels, and back.

use wide::u32x8;

use super::{
    Mask, MaskBuilder, Span,
    bits::{self, push_edges},
};
use crate::{BBox, Error, Result, Size};

/// Runs a row from which it pays to see whether the next one is the same.
const BUSY: usize = 8;
/// Rows that tell how many runs there will be, …
const SAMPLE: usize = 16;
/// … and the most that are made room for beforehand.
const MOST_EXPECTED: usize = 1 << 18;

impl Mask {
    /// From one byte a pixel of `bbox`, row by row: 0 is outside, everything else inside.
    ///
    /// # Errors
    /// Invalid, if `bbox` does not lie in the image or `pixels` are not as many as it covers.
    pub fn from_dense(size: Size, bbox: BBox, pixels: &[u8]) -> Result<Self> {
        if !size.bbox().encloses(bbox) {
            return Err(Error::invalid(format!(
                "the box {bbox} lies outside of the {size} image"
            )));
        }
        if pixels.len() as u64 != bbox.area() {
            return Err(Error::invalid(format!(
                "a mask of the box {bbox} takes {} bytes, not {}",
                bbox.area(),
                pixels.len()
            )));
        }
        if pixels.is_empty() {
            return Ok(Self::empty(size));
        }
        let mut ends = Vec::with_capacity(bbox.height as usize);
        let mut spans = Vec::with_capacity(bbox.height as usize);
        let mut edges = Vec::new();
        let width = bbox.width as usize;
        // Where the runs of the row before begin: rows of fine patterns often repeat.
        let mut before = 0;
        for start in (0..pixels.len()).step_by(width) {
            let from = spans.len();
            let is_busy = start > 0 && from >= BUSY * ends.len();
            if is_busy && pixels[start..start + width] == pixels[start - width..start] {
                spans.extend_from_within(before..);
            } else {
                edges.clear();
                scan(&pixels[start..], width, bbox.x, &mut edges);
                Span::push_all(&edges, &mut spans);
            }
            before = from;
            ends.push(spans.len() as u32);
            if ends.len() == SAMPLE {
                // As many more as the first rows let expect.
                let expected = spans.len() / SAMPLE * bbox.height as usize;
                spans.reserve(expected.min(MOST_EXPECTED));
            }
        }
        Ok(Self::from_runs(size, bbox.y, ends, spans))
    }

    /// One byte a pixel of `bbox`, row by row: 1 inside, 0 outside. The box may reach over the
    /// image's edge.
    pub fn to_dense(&self, bbox: BBox) -> Vec<u8> {
        let mut pixels = vec![0; bbox.area() as usize];
        if let Some(shared) = self.bbox.intersection(bbox) {
            for (row, spans) in self.rows_within(bbox, shared, &mut pixels) {
                for span in spans {
                    let (start, end) = columns_within(bbox, *span);
                    set(row, start, end);
                }
            }
        }
        pixels
    }

    /// The pixels of its own [`bbox`](Self::bbox) as [`to_dense`](Self::to_dense) gives them;
    /// `None` if all of them are inside.
    pub fn crop(&self) -> Option<Vec<u8>> {
        (self.area() < self.bbox.area()).then(|| self.to_dense(self.bbox))
    }

    /// Writes `value` wherever the mask is set, into the `pixels` of `bbox`, row by row.
    ///
    /// # Panics
    /// If `pixels` are not as many as the box covers.
    pub fn paint<T: Copy>(&self, bbox: BBox, pixels: &mut [T], value: T) {
        assert_eq!(pixels.len() as u64, bbox.area(), "pixels of the box {bbox}");
        if let Some(shared) = self.bbox.intersection(bbox) {
            for (row, spans) in self.rows_within(bbox, shared, pixels) {
                for span in spans {
                    let (start, end) = columns_within(bbox, *span);
                    row[start..end].fill(value);
                }
            }
        }
    }

    /// The rows that `shared`, a part of `bbox`, has of the `pixels` of `bbox`, and the runs there.
    fn rows_within<'a, T>(
        &'a self,
        bbox: BBox,
        shared: BBox,
        pixels: &'a mut [T],
    ) -> impl Iterator<Item = (&'a mut [T], &'a [Span])> {
        let rows = pixels.chunks_exact_mut(bbox.width as usize);
        rows.skip((shared.y - bbox.y) as usize)
            .zip(shared.y..shared.y + shared.height)
            .map(|(row, y)| (row, self.row(y)))
    }

    /// Cuts a label map of the whole image, row by row, into one mask a label: the mask of label
    /// `i` comes at index `i`. Pixels with a label of `count` or more belong to none.
    ///
    /// # Panics
    /// If `labels` are not as many as the image has pixels.
    pub fn from_label_map(size: Size, labels: &[u32], count: usize) -> Vec<Self> {
        assert_eq!(
            labels.len() as u64,
            size.pixels(),
            "labels of a {size} image"
        );
        let mut masks = vec![MaskBuilder::new(size); count];
        if !labels.is_empty() {
            for (row, y) in labels.chunks_exact(size.width as usize).zip(0..) {
                let mut start = 0;
                changes(row, |end| {
                    if let Some(mask) = masks.get_mut(row[start] as usize) {
                        mask.push(y, start as u32, end as u32);
                    }
                    start = end;
                });
            }
        }
        masks.into_iter().map(MaskBuilder::finish).collect()
    }
}

/// A run's columns within `bbox`, counted from its left side.
fn columns_within(bbox: BBox, span: Span) -> (usize, usize) {
    let column = |x: u32| x.saturating_sub(bbox.x).min(bbox.width) as usize;
    (column(span.start), column(span.end))
}

/// Sets `start..end` of a row that is clear from `start` on.
fn set(row: &mut [u8], start: usize, end: usize) {
    /// Short runs are written as a block of pixels, of which those behind the run are cleared
    /// again: so there is no branch on the length, which in busy masks follows no pattern.
    const BLOCK: usize = 16;
    match row.get_mut(start..end + BLOCK) {
        Some(run) if end - start <= BLOCK => {
            run[..BLOCK].fill(1);
            run[end - start..][..BLOCK].fill(0);
        }
        _ => row[start..end].fill(1),
    }
}

/// Calls `found` with each index at which another label begins, and with the end of the row.
fn changes(row: &[u32], mut found: impl FnMut(usize)) {
    let (Some(before), Some(after)) = (row.get(..row.len() - 1), row.get(1..)) else {
        return;
    };
    let (blocks, rest) = before.as_chunks::<8>();
    for ((before, after), start) in blocks.iter().zip(after.as_chunks().0).zip((1..).step_by(8)) {
        let mut differ = !u32x8::new(*before).simd_eq(u32x8::new(*after)).to_bitmask() & 0xff;
        while differ != 0 {
            found(start + differ.trailing_zeros() as usize);
            differ &= differ - 1;
        }
    }
    for index in row.len() - rest.len()..row.len() {
        if row[index - 1] != row[index] {
            found(index);
        }
    }
    found(row.len());
}

/// Appends the columns at which bytes of a row change between zero and non-zero, the first byte
/// being column `left`. The row is the first `width` of the `pixels`.
fn scan(pixels: &[u8], width: usize, left: u32, edges: &mut Vec<u32>) {
    let words = (0..width).step_by(bits::BITS).map(|start| {
        let rest = &pixels[start..];
        let word = match rest.first_chunk() {
            Some(block) => bits::from_bytes(block),
            None => {
                let mut last = [0; bits::BITS];
                last[..rest.len()].copy_from_slice(rest);
                bits::from_bytes(&last)
            }
        };
        // What lies behind the row's end does not count.
        match width - start {
            left @ ..bits::BITS => word & !(u64::MAX << left),
            _ => word,
        }
    });
    push_edges(words, left, edges);
}
