//! Masks with many runs, such as noise: as bits in words, turned over 64 by 64.

use super::{
    super::{Mask, dense::push_runs},
    columns::Runs,
};
use crate::{BBox, Size};

const BITS: usize = u64::BITS as usize;

/// A square of bits: bit `x` of line `y`, the lowest bit being bit 0.
type Block = [u64; BITS];

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
            set(
                row,
                (span.start - left) as usize,
                (span.end - left) as usize,
            );
        }
    }
    let mut runs = Runs::with_capacity(4 * mask.spans.len());
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
        let first = left as usize + group * BITS;
        for (column, x) in columns.chunks_exact(strips).zip(first as u64..) {
            let start = x * u64::from(mask.size.height) + u64::from(top);
            let mut inside = 0;
            for (&word, start) in column.iter().zip((start..).step_by(BITS)) {
                let mut edges = word ^ (word << 1 | inside);
                inside = word >> (BITS - 1);
                while edges != 0 {
                    runs.flip(start + u64::from(edges.trailing_zeros()));
                    edges &= edges - 1;
                }
            }
            if inside != 0 {
                runs.flip(start + u64::from(height));
            }
        }
    }
    runs.finish(mask.size.pixels())
}

/// The mask of column-major run lengths that add up to the pixels of `size`.
pub(super) fn mask(size: Size, counts: &[u32]) -> Mask {
    let (width, height) = (size.width as usize, size.height as usize);
    let (stride, strips) = (words(size.width), words(size.height));
    let mut columns = vec![0; stride * BITS * strips];
    let (mut x, mut y) = (0, 0);
    for (index, &count) in counts.iter().enumerate() {
        let mut rest = count as usize;
        while rest > 0 {
            let length = rest.min(height - y);
            if index % 2 == 1 {
                set(&mut columns[x * strips..(x + 1) * strips], y, y + length);
            }
            rest -= length;
            y += length;
            if y == height {
                (x, y) = (x + 1, 0);
            }
        }
    }
    let mut ends = Vec::with_capacity(height);
    let mut spans = Vec::with_capacity(counts.len() / 2);
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
            // A word without pixels at the end closes the last run.
            push_runs(row.iter().copied().chain([0]), 0, &mut spans);
            ends.push(spans.len() as u32);
        }
    }
    debug_assert!(spans.last().is_none_or(|span| span.end as usize <= width));
    Mask::from_runs(size, 0, ends, spans)
}

const fn words(bits: u32) -> usize {
    bits.div_ceil(u64::BITS) as usize
}

/// Sets the bits `start..end`.
fn set(words: &mut [u64], start: usize, end: usize) {
    let (first, last) = (start / BITS, (end - 1) / BITS);
    let (from, to) = (
        u64::MAX << (start % BITS),
        u64::MAX >> (BITS - 1 - (end - 1) % BITS),
    );
    if first == last {
        words[first] |= from & to;
    } else {
        words[first] |= from;
        words[first + 1..last].fill(u64::MAX);
        words[last] |= to;
    }
}

/// Exchanges bit `x` of line `y` and bit `y` of line `x`: ever smaller squares change places
/// (Warren, *Hacker's Delight*, 7-3).
fn transpose(block: &mut Block) {
    let mut side = BITS / 2;
    let mut low = u64::MAX >> side;
    while side > 0 {
        for start in (0..BITS).step_by(2 * side) {
            for line in start..start + side {
                let other = line + side;
                let change = (block[line] >> side ^ block[other]) & low;
                block[line] ^= change << side;
                block[other] ^= change;
            }
        }
        side /= 2;
        low ^= low << side;
    }
}
