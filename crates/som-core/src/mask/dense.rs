//! Masks from rows of pixels, and back.

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
                while let Some(&label) = row.get(start) {
                    let end = start + run_length(&row[start..], label);
                    if let Some(mask) = masks.get_mut(label as usize) {
                        mask.push(y, start as u32, end as u32);
                    }
                    start = end;
                }
            }
        }
        masks.into_iter().map(MaskBuilder::finish).collect()
    }
}

/// How many labels at the beginning equal `label`.
fn run_length(labels: &[u32], label: u32) -> usize {
    let differ = |chunk: &[u32; 16]| chunk.iter().fold(0, |any, &other| any | (other ^ label)) != 0;
    let (chunks, _) = labels.as_chunks();
    let start = 16 * chunks.iter().position(differ).unwrap_or(chunks.len());
    let rest = &labels[start..];
    start
        + rest
            .iter()
            .position(|&other| other != label)
            .unwrap_or(rest.len())
}

/// Pushes the runs of non-zero bytes, the first byte being column `left`.
fn scan(row: &[u8], left: u32, spans: &mut Vec<Span>) {
    let mut start = None;
    let mut flip = |x: u32| match start.take() {
        None => start = Some(x),
        Some(start) => spans.push(Span { start, end: x }),
    };
    let (blocks, rest) = row.as_chunks();
    let mut last = [0; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    // All ones while the last pixel was inside.
    let mut inside = 0;
    for (block, x) in blocks.iter().chain([&last]).zip((left..).step_by(BLOCK)) {
        // Most blocks have no edge, and the compiler makes few instructions of these two tests.
        let goes_on = if inside == 0 {
            block.iter().fold(0, |any, &byte| any | byte) == 0
        } else {
            block.iter().fold(u8::MAX, |least, &byte| least.min(byte)) != 0
        };
        if goes_on {
            continue;
        }
        let set = bits(block);
        let mut edges = set ^ (set << 1 | inside);
        inside = set >> (BLOCK - 1);
        while edges != 0 {
            flip(x + edges.trailing_zeros());
            edges &= edges - 1;
        }
    }
}

/// Bytes looked at together: as many as a word has bits.
const BLOCK: usize = 64;

/// Bit `i` is set where byte `i` is not 0.
fn bits(block: &[u8; BLOCK]) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    // Moves bit 8i to bit 56 + i, and all others out of the way.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let (words, _) = block.as_chunks();
    words.iter().rev().fold(0, |bits, &word| {
        let word = u64::from_le_bytes(word);
        let high = (((word & LOW) + LOW) | word) & !LOW;
        bits << 8 | (high >> 7).wrapping_mul(GATHER) >> 56
    })
}
