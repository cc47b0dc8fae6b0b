//! Masks with few runs: run by run.
//!
//! A column's run begins or ends exactly where a row differs from the one above, so both ways
//! cost time by outline, not by area.

use super::super::{Mask, Span};
use crate::{Error, Result, Size};

/// The most runs a decoded mask may have: 256 MiB of them, as much as noise of 67 megapixels.
pub(super) const MAX_RUNS: usize = 1 << 25;

/// Column-major run lengths, the first one counting zeros.
pub(super) fn counts(mask: &Mask) -> Vec<u32> {
    let slot = |x: u32| (x - mask.bbox.x) as usize + 1;
    // Where rows differ from the row above: the row, and the columns from..to.
    let mut changes = Vec::with_capacity(2 * mask.spans.len());
    // How many changes each column sees, as the difference to the column before.
    let mut slots = vec![0_u32; mask.bbox.width as usize + 2];
    let (mut above, mut row, mut toggles) = (Vec::new(), Vec::new(), Vec::new());
    let below = (mask.bbox.y + mask.bbox.height, [].as_slice());
    for (y, spans) in mask.rows().chain([below]) {
        row.clear();
        row.extend(spans.iter().flat_map(|span| [span.start, span.end]));
        symmetric_difference(&above, &row, &mut toggles);
        for &[from, to] in toggles.as_chunks().0 {
            slots[slot(from)] = slots[slot(from)].wrapping_add(1);
            slots[slot(to)] = slots[slot(to)].wrapping_sub(1);
            changes.push((y, from, to));
        }
        std::mem::swap(&mut above, &mut row);
    }
    // From now on: where the next change of each column goes.
    let (mut here, mut before) = (0_u32, 0);
    for slot in &mut slots {
        here = here.wrapping_add(*slot);
        *slot = before;
        before += here;
    }
    let mut edges = vec![0; before as usize];
    for (y, from, to) in changes {
        for x in from..to {
            let next = &mut slots[slot(x)];
            edges[*next as usize] = x.wrapping_mul(mask.size.height).wrapping_add(y);
            *next += 1;
        }
    }
    if mask.bbox.height == mask.size.height {
        // A run that reaches the last row goes on at the top of the next column.
        edges = without_pairs(&edges);
    }
    lengths(&edges, mask.size.pixels())
}

/// Run lengths from the edges, the positions at which pixels change, in order and modulo 2^32.
fn lengths(edges: &[u32], pixels: u64) -> Vec<u32> {
    let Some((&first, &last)) = edges.first().zip(edges.last()) else {
        return vec![pixels as u32];
    };
    let mut lengths = Vec::with_capacity(edges.len() + 1);
    lengths.push(first);
    let pairs = edges.iter().zip(&edges[1..]);
    lengths.extend(pairs.map(|(from, to)| to.wrapping_sub(*from)));
    let rest = (pixels as u32).wrapping_sub(last);
    if rest > 0 {
        lengths.push(rest);
    }
    lengths
}

/// The edges without those that are at one place and so cancel out.
fn without_pairs(edges: &[u32]) -> Vec<u32> {
    let mut left = Vec::with_capacity(edges.len());
    edges.iter().for_each(|&edge| toggle(&mut left, edge));
    left
}

/// The mask of column-major run lengths that add up to the pixels of `size`, of which there are
/// some.
///
/// # Errors
/// Exhausted, if the mask has more than [`MAX_RUNS`].
pub(super) fn mask(size: Size, counts: &[u32]) -> Result<Mask> {
    let (flips, offsets) = flips(size, counts);
    // The columns at which the row goes in and out. The first row has all flips behind it: one
    // in its own row at its own column, one further down at the next.
    let mut row = Vec::new();
    for &(x, y) in &flips {
        toggle(&mut row, x + u32::from(y > 0));
    }
    let columns = sorted_by_row(&flips, &offsets);

    let mut ends = Vec::with_capacity(size.height as usize);
    let mut spans = Vec::new();
    let (mut change, mut next) = (Vec::new(), Vec::new());
    for bounds in offsets.windows(2) {
        // Each further row is the one above, turned over in the columns that flip there.
        let flipped = &columns[bounds[0] as usize..bounds[1] as usize];
        if !flipped.is_empty() && !ends.is_empty() {
            change.clear();
            for &x in flipped {
                toggle(&mut change, x);
                toggle(&mut change, x + 1);
            }
            symmetric_difference(&row, &change, &mut next);
            std::mem::swap(&mut row, &mut next);
        }
        if spans.len() + row.len() / 2 > MAX_RUNS {
            return Err(Error::exhausted(format!(
                "RLE: the mask has more than {MAX_RUNS} runs (send it in smaller pieces)"
            )));
        }
        spans.extend(
            row.as_chunks()
                .0
                .iter()
                .map(|&[start, end]| Span { start, end }),
        );
        ends.push(spans.len() as u32);
    }
    Ok(Mask::from_runs(size, 0, ends, spans))
}

/// Where the pixels change from 0 to 1 or back, column by column, as (x, y); and for each row the
/// number of flips in all rows before.
fn flips(size: Size, counts: &[u32]) -> (Vec<(u32, u32)>, Vec<u32>) {
    // The end of the last run flips only what is set.
    let count = counts.len() & !1;
    let mut flips = Vec::with_capacity(count);
    let mut offsets = vec![0; size.height as usize + 1];
    let (mut x, mut y) = (0, 0);
    for &count in &counts[..count] {
        y += count;
        if y >= size.height {
            x += y / size.height;
            y %= size.height;
        }
        // An empty run flips its pixel back.
        if flips.last() == Some(&(x, y)) {
            flips.pop();
            offsets[y as usize + 1] -= 1;
        } else {
            flips.push((x, y));
            offsets[y as usize + 1] += 1;
        }
    }
    for row in 1..offsets.len() {
        offsets[row] += offsets[row - 1];
    }
    (flips, offsets)
}

/// The columns of `flips`, row by row and from left to right.
fn sorted_by_row(flips: &[(u32, u32)], offsets: &[u32]) -> Vec<u32> {
    let mut columns = vec![0; flips.len()];
    let mut next = offsets.to_vec();
    for &(x, y) in flips {
        let slot = &mut next[y as usize];
        columns[*slot as usize] = x;
        *slot += 1;
    }
    columns
}

/// Adds an edge, which lies before no other; two at one place cancel out.
fn toggle(edges: &mut Vec<u32>, edge: u32) {
    if edges.last() == Some(&edge) {
        edges.pop();
    } else {
        edges.push(edge);
    }
}

/// What only one of two sorted lists holds.
fn symmetric_difference(a: &[u32], b: &[u32], difference: &mut Vec<u32>) {
    // Without branches on the values: they follow no pattern.
    difference.resize(a.len() + b.len(), 0);
    let (mut i, mut j, mut length) = (0, 0, 0);
    while let (Some(&x), Some(&y)) = (a.get(i), b.get(j)) {
        difference[length] = x.min(y);
        length += usize::from(x != y);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    difference.truncate(length);
    difference.extend_from_slice(&a[i..]);
    difference.extend_from_slice(&b[j..]);
}
