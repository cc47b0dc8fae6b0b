//! Masks with many runs, such as noise: as bits in words, turned over 64 by 64.

use super::{
    super::{
        Mask, Span,
        bits::{BITS, Block, fill_between_flips, flip, push_edges, transpose, words},
    },
    columns::lengths,
};
use crate::{BBox, Size};

/// Column-major run lengths, the first one counting zeros.
pub(super) fn counts(mask: &Mask) -> Vec<u32> {
    let BBox {
        x: left,
        y: top,
        width,
        height,
    } = mask.bbox;
    let (stride, strips) = (words(width), words(height));
    let mut rows = vec![0; stride * strips * BITS];
    for ((_, spans), row) in mask.rows().zip(rows.chunks_exact_mut(stride)) {
        for span in spans {
            flip(row, (span.start - left) as usize);
            flip(row, (span.end - left) as usize);
        }
        fill_between_flips(row);
    }
    // Whole columns may go on at the top of the next one.
    let is_whole = height == mask.size.height;
    let mut edges = Vec::with_capacity(4 * mask.spans.len());
    let mut columns = vec![0; BITS * strips];
    for group in 0..stride {
        for strip in 0..strips {
            let mut block: Block =
                std::array::from_fn(|y| rows[(strip * BITS + y) * stride + group]);
            transpose(&mut block);
            for (column, word) in columns.chunks_exact_mut(strips).zip(block) {
                column[strip] = word;
            }
        }
        let first = left + (group * BITS) as u32;
        for (column, x) in columns.chunks_exact(strips).zip(first..) {
            let (last, next) = (edges.last().copied(), edges.len());
            let start = x.wrapping_mul(mask.size.height).wrapping_add(top);
            push_edges(column.iter().copied(), start, &mut edges);
            if is_whole && last.is_some() && last == edges.get(next).copied() {
                edges.drain(next - 1..=next);
            }
        }
    }
    lengths(&edges, mask.size.pixels())
}

/// The mask of column-major run lengths that add up to the pixels of `size`.
pub(super) fn mask(size: Size, counts: &[u32]) -> Mask {
    let height = size.height as usize;
    let (stride, strips) = (words(size.width), words(size.height));
    let columns = columns(size, counts, stride * BITS * strips);
    let mut ends = Vec::with_capacity(height);
    let mut spans = Vec::with_capacity(counts.len() / 2 + height);
    let mut edges = Vec::new();
    let mut rows = vec![0; BITS * stride];
    for strip in 0..strips {
        for group in 0..stride {
            let mut block: Block =
                std::array::from_fn(|x| columns[(group * BITS + x) * strips + strip]);
            transpose(&mut block);
            for (row, word) in rows.chunks_exact_mut(stride).zip(block) {
                row[group] = word;
            }
        }
        for row in rows.chunks_exact(stride).take(height - strip * BITS) {
            edges.clear();
            push_edges(row.iter().copied(), 0, &mut edges);
            Span::push_all(&edges, &mut spans);
            ends.push(spans.len() as u32);
        }
    }
    debug_assert!(spans.last().is_none_or(|span| span.end <= size.width));
    Mask::from_runs(size, 0, ends, spans)
}

/// The columns of pixels one after the other, each from a new word on: `length` words.
fn columns(size: Size, counts: &[u32], length: usize) -> Vec<u64> {
    let (height, strips) = (size.height as usize, words(size.height));
    let mut columns = vec![0; length];
    let (mut column, mut y) = (0, 0);
    // The end of the last run flips only what is set.
    for &count in &counts[..counts.len() & !1] {
        y += count as usize;
        while y >= height {
            y -= height;
            column += strips * BITS;
        }
        flip(&mut columns, column + y);
    }
    fill_between_flips(&mut columns);
    columns
}
