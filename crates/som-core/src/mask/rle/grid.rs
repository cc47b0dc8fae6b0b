//! Masks with many runs, such as noise: as bits in words, turned over 64 by 64.

use super::super::{
    Mask, Span,
    bits::{BITS, Block, fill_between_flips, flip, push_edges, transpose, words},
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
    let rows = rows(mask, stride, strips * BITS);
    let mut lengths = Lengths::new(mask);
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
            lengths.push(column, x.wrapping_mul(mask.size.height).wrapping_add(top));
        }
    }
    lengths.finish(mask.size.pixels())
}

/// The rows of the mask's box as bits, `count` of them. Rows of fine patterns often repeat.
fn rows(mask: &Mask, stride: usize, count: usize) -> Vec<u64> {
    let mut rows = vec![0; stride * count];
    let mut before: &[Span] = &[];
    for ((_, spans), start) in mask.rows().zip((0..).step_by(stride)) {
        if spans == before && start > 0 {
            rows.copy_within(start - stride..start, start);
        } else {
            set(&mut rows[start..start + stride], spans, mask.bbox.x);
            before = spans;
        }
    }
    rows
}

/// Sets runs of a row that is clear, whose first bit is column `left`.
fn set(row: &mut [u64], spans: &[Span], left: u32) {
    let (mut at, mut word) = (0, 0);
    for span in spans {
        let (start, last) = ((span.start - left) as usize, (span.end - 1 - left) as usize);
        if start / BITS != at {
            row[at] = word;
            (at, word) = (start / BITS, 0);
        }
        let from_start = u64::MAX << (start % BITS);
        let to_last = u64::MAX >> (BITS - 1 - last % BITS);
        if last / BITS == at {
            word |= from_start & to_last;
        } else {
            row[at] = word | from_start;
            row[at + 1..last / BITS].fill(u64::MAX);
            (at, word) = (last / BITS, to_last);
        }
    }
    row[at] = word;
}

/// Run lengths as they come in, column by column. A column like the one before has its lengths.
struct Lengths {
    height: u32,
    /// Whole columns may go on at the top of the next one.
    is_whole: bool,
    lengths: Vec<u32>,
    /// Where the last run ends, modulo 2^32.
    end: u32,
    /// The column before, where it starts, and the index of its first length.
    before: Vec<u64>,
    start: u32,
    first: usize,
}

impl Lengths {
    fn new(mask: &Mask) -> Self {
        Self {
            height: mask.size.height,
            is_whole: mask.bbox.height == mask.size.height,
            lengths: Vec::with_capacity(2 * mask.spans.len() + 2 * mask.bbox.width as usize),
            end: 0,
            before: Vec::new(),
            start: 0,
            first: 0,
        }
    }

    /// Takes in a column whose first bit is at `start`.
    fn push(&mut self, column: &[u64], start: u32) {
        let next = self.lengths.len();
        if self.before == column && !self.may_join(column) {
            if self.first < next {
                // The first length goes from the end of the last run to where this column's begins.
                let inner = self.lengths[self.first + 1..].iter();
                let all = inner.fold(0_u32, |sum, length| sum.wrapping_add(*length));
                let begin = self
                    .end
                    .wrapping_sub(all)
                    .wrapping_add(start.wrapping_sub(self.start));
                self.lengths.push(begin.wrapping_sub(self.end));
                self.lengths.extend_from_within(self.first + 1..next);
                self.end = self.end.wrapping_add(start.wrapping_sub(self.start));
            }
        } else {
            push_edges(column.iter().copied(), start, &mut self.lengths);
            let mut end = self.end;
            for length in &mut self.lengths[next..] {
                let edge = *length;
                *length = edge.wrapping_sub(end);
                end = edge;
            }
            self.end = end;
            self.before.clear();
            self.before.extend_from_slice(column);
            // A run that ended with the column before goes on.
            if next > 0 && self.lengths.get(next) == Some(&0) {
                self.lengths[next - 1] += self.lengths[next + 1];
                self.lengths.drain(next..=next + 1);
                self.before.clear();
            }
        }
        self.start = start;
        self.first = next;
    }

    /// True if the column would join one like it.
    fn may_join(&self, column: &[u64]) -> bool {
        let last = self.height as usize - 1;
        self.is_whole && column[0] & 1 != 0 && column[last / BITS] >> (last % BITS) & 1 != 0
    }

    fn finish(mut self, pixels: u64) -> Vec<u32> {
        let rest = (pixels as u32).wrapping_sub(self.end);
        if rest > 0 {
            self.lengths.push(rest);
        }
        self.lengths
    }
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
