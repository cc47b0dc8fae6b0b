//! Masks from rows of pixels, and back.

use wide::{u8x16, u32x8};

use super::{Mask, MaskBuilder, Span};
use crate::{BBox, Error, Result, Size};

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
        for row in pixels.chunks_exact(bbox.width as usize) {
            scan(row, bbox.x, &mut spans);
            ends.push(spans.len() as u32);
        }
        Ok(Self::from_runs(size, bbox.y, ends, spans))
    }

    /// One byte a pixel of `bbox`, row by row: 1 inside, 0 outside. The box may reach over the
    /// image's edge.
    pub fn to_dense(&self, bbox: BBox) -> Vec<u8> {
        let mut pixels = vec![0; bbox.area() as usize];
        self.paint(bbox, &mut pixels, 1);
        pixels
    }

    /// Writes `value` wherever the mask is set, into the `pixels` of `bbox`, row by row.
    ///
    /// # Panics
    /// If `pixels` are not as many as the box covers.
    pub fn paint<T: Copy>(&self, bbox: BBox, pixels: &mut [T], value: T) {
        assert_eq!(pixels.len() as u64, bbox.area(), "pixels of the box {bbox}");
        let Some(shared) = self.bbox.intersection(bbox) else {
            return;
        };
        let rows = pixels
            .chunks_exact_mut(bbox.width as usize)
            .skip((shared.y - bbox.y) as usize);
        for (y, row) in (shared.y..shared.y + shared.height).zip(rows) {
            for span in self.row(y) {
                let start = span.start.saturating_sub(bbox.x).min(bbox.width);
                let end = span.end.saturating_sub(bbox.x).min(bbox.width);
                row[start as usize..end as usize].fill(value);
            }
        }
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

/// Pushes the runs of non-zero bytes, the first byte being column `left`.
fn scan(row: &[u8], left: u32, spans: &mut Vec<Span>) {
    let (blocks, rest) = row.as_chunks();
    // Clear pixels at the end close the last run.
    let mut last = [0; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    push_runs(blocks.iter().chain([&last]).map(bits), left, spans);
}

/// Pushes the runs of bits that are set, the lowest bit of the first word being column `left`. The
/// highest bit of the last word must be clear.
pub(super) fn push_runs(words: impl Iterator<Item = u64>, left: u32, spans: &mut Vec<Span>) {
    let mut start = 0;
    let mut inside = 0;
    for (word, x) in words.zip((left..).step_by(BLOCK)) {
        let mut edges = word ^ (word << 1 | inside);
        while edges != 0 {
            let edge = x + edges.trailing_zeros();
            if inside == 0 {
                start = edge;
            } else {
                spans.push(Span { start, end: edge });
            }
            inside ^= 1;
            edges &= edges - 1;
        }
    }
}

/// Pixels looked at together: as many as a word has bits.
const BLOCK: usize = 64;

/// Bit `i` is set where byte `i` is not 0.
fn bits(block: &[u8; BLOCK]) -> u64 {
    let (quarters, _) = block.as_chunks();
    !quarters.iter().rev().fold(0, |clear, &quarter| {
        clear << 16 | u64::from(u8x16::new(quarter).simd_eq(u8x16::ZERO).to_bitmask())
    })
}
