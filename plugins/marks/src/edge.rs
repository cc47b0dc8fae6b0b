//! How deep every pixel lies inside what it shows, near the edges.
//!
//! The depth is the exact Euclidean distance to the nearest pixel of another owner, less the half
//! pixel to that one's edge, smoothed over the neighbours across the edge too: along a straight
//! edge that changes nothing, and the staircase that pixels make of a slanted one becomes a line.
//! Blocks of pixels far from any edge are skipped.
//!
//! The loops over rows are functions of slices alone, compiled for processors with AVX2 as well:
//! the compiler makes vectors of them, with the same results.

use std::ops::Range;

use multiversion::multiversion;

use crate::owners::{Owner, Owners};

/// Parts of a pixel: see [`Reach::unit`].
pub(crate) type Depth = u8;

/// Columns that are computed or skipped together.
const BLOCK: usize = 16;

/// Columns that are looked at together for edges.
const HALF: usize = BLOCK / 2;

/// How deep is looked.
#[derive(Clone, Copy)]
pub(crate) struct Reach {
    /// Pixels beyond which depths do not matter.
    far: u8,
}

impl Reach {
    /// The most pixels.
    pub(crate) const MOST: u8 = 80;

    /// Depths up to so many pixels, or [`MOST`](Self::MOST).
    pub(crate) fn new(pixels: u8) -> Self {
        // Smoothing looks one pixel further.
        Self {
            far: pixels.min(Self::MOST) + 2,
        }
    }

    /// One pixel as a [`Depth`]: a sixteenth, or more where the greatest depth would not fit.
    pub(crate) fn unit(self) -> Depth {
        (Depth::MAX / self.far).min(16)
    }

    /// Columns that owners need on both sides of the canvas.
    pub(crate) fn margin(self) -> usize {
        (BLOCK + usize::from(self.far)).next_multiple_of(BLOCK)
    }

    /// The depth of a pixel whose nearest pixel of another owner is so far away, squared: half a
    /// pixel less than the root.
    fn roots(self) -> Vec<Depth> {
        let unit = u32::from(self.unit());
        // Twice the root, rounded.
        let root = |squared: u32| (squared * 4 * unit * unit).isqrt().div_ceil(2);
        (0..=u32::from(self.far).pow(2))
            .map(|squared| root(squared).saturating_sub(unit / 2) as Depth)
            .collect()
    }
}

/// Hands out the depths near the edges: row, first column, and depths from there on. They are
/// exact within `reach`; what is deeper is at least that. An owner's pixels end with the canvas.
pub(crate) fn trace(owners: &Owners, reach: Reach, mut emit: impl FnMut(usize, usize, &[Depth])) {
    let (stride, height, far) = (owners.stride(), owners.height(), reach.far);
    let roots = reach.roots();
    let from_above = distances_from_above(owners, far);
    let mut from_below = vec![far; stride];
    let mut scratch = Scratch::new(stride);
    let [mut below, mut middle, mut above] = [(); 3].map(|()| Row::new(stride));
    let mut smooth = vec![0; stride];
    let columns = owners.margin()..owners.margin() + owners.width();
    // Of the pixels beyond the canvas, only those next to it matter.
    let blocks = columns.start / BLOCK - 1..columns.end / BLOCK + 1;
    // From the row below the canvas to the one above it.
    for number in (0..height + 2).rev() {
        (below, middle, above) = (middle, above, below);
        let row = owners.padded_row(number);
        let row_below = owners.padded_row((number + 1).min(height + 1));
        above.set_edges(row, row_below);
        extend(&mut from_below, &above.edge_below, far);
        let from_above = &from_above[number * stride..][..stride];
        scratch.set_distances(from_above, &from_below);
        above.measure(&scratch, far, &roots, &blocks);
        // The row below this one has all its neighbours now, if it is one of the canvas.
        if number >= height {
            continue;
        }
        for segment in segments(&middle.near) {
            smooth_segment(&mut smooth, &above, &middle, &below, segment.clone());
            let start = segment.start.max(columns.start);
            let end = segment.end.min(columns.end);
            if start < end {
                emit(number, start - columns.start, &smooth[start..end]);
            }
        }
    }
}

/// One row of depths, and where it borders on other owners.
struct Row {
    depth: Vec<Depth>,
    /// 255 where the pixel on the left has another owner, else 0.
    edge_left: Vec<u8>,
    /// The same for the pixel below.
    edge_below: Vec<u8>,
    /// Whether each block is near an edge.
    near: Vec<bool>,
}

impl Row {
    fn new(stride: usize) -> Self {
        let row = vec![0; stride];
        Self {
            depth: row.clone(),
            edge_left: row.clone(),
            edge_below: row,
            near: vec![false; stride / BLOCK],
        }
    }

    fn set_edges(&mut self, owners: &[Owner], below: &[Owner]) {
        differ(&mut self.edge_left[1..], &owners[1..], owners);
        differ(&mut self.edge_below, owners, below);
    }

    /// Measures the depths of those `blocks` that are near an edge; the others are `far`.
    fn measure(&mut self, scratch: &Scratch, far: u8, roots: &[Depth], blocks: &Range<usize>) {
        self.find_near(&scratch.distance, far, blocks);
        self.depth.fill(roots[roots.len() - 1]);
        let (blocks, _) = self.depth.as_chunks_mut::<BLOCK>();
        for (index, block) in blocks.iter_mut().enumerate() {
            if self.near[index] {
                let squared = measure(index * BLOCK, &self.edge_left, &scratch.square, far);
                if squared != [i16::from(far) * i16::from(far); BLOCK] {
                    *block = squared.map(|squared| roots[squared as usize]);
                }
            }
        }
    }

    /// Marks the `blocks` within `far` columns of an edge beside or of one above or below.
    fn find_near(&mut self, distances: &[u8], far: u8, blocks: &Range<usize>) {
        // In half blocks.
        let reach = usize::from(far).div_ceil(HALF);
        let (edges, distances) = (self.edge_left.as_chunks().0, distances.as_chunks().0);
        let plain = u64::from_ne_bytes([far; HALF]);
        self.near.fill(false);
        for (half, (&edges, &distances)) in edges.iter().zip(distances).enumerate() {
            if u64::from_ne_bytes(edges) | (u64::from_ne_bytes(distances) ^ plain) != 0 {
                let first = (half.saturating_sub(reach) / 2).max(blocks.start);
                let end = ((half + reach) / 2 + 1).min(blocks.end);
                if let Some(near) = self.near.get_mut(first..end) {
                    near.fill(true);
                }
            }
        }
    }
}

/// Buffers of one row that all rows share.
struct Scratch {
    /// To the nearest pixel of another owner in the column.
    distance: Vec<u8>,
    square: Vec<i16>,
}

impl Scratch {
    fn new(stride: usize) -> Self {
        Self {
            distance: vec![0; stride],
            square: vec![0; stride],
        }
    }

    fn set_distances(&mut self, from_above: &[u8], from_below: &[u8]) {
        nearer(&mut self.distance, &mut self.square, from_above, from_below);
    }
}

/// For each pixel, how far up the nearest pixel of another owner is, at most `far`.
fn distances_from_above(owners: &Owners, far: u8) -> Vec<u8> {
    let stride = owners.stride();
    let mut distances = vec![far; stride * (owners.height() + 2)];
    let mut edges = vec![0; stride];
    for number in 1..owners.height() + 2 {
        differ(
            &mut edges,
            owners.padded_row(number),
            owners.padded_row(number - 1),
        );
        let (before, row) = distances.split_at_mut(number * stride);
        row[..stride].copy_from_slice(&before[(number - 1) * stride..]);
        extend(&mut row[..stride], &edges, far);
    }
    distances
}

/// Ranges of columns of adjacent blocks that are near an edge.
fn segments(near: &[bool]) -> impl Iterator<Item = Range<usize>> {
    let mut block = 0;
    std::iter::from_fn(move || {
        block += near[block..].iter().position(|&near| near)?;
        let start = block;
        block += near[block..]
            .iter()
            .position(|&near| !near)
            .unwrap_or(near.len() - block);
        Some(start * BLOCK..block * BLOCK)
    })
}

/// 255 where two rows of owners differ.
#[multiversion(targets("x86_64+avx2"))]
fn differ(edges: &mut [u8], a: &[Owner], b: &[Owner]) {
    for (edge, (a, b)) in edges.iter_mut().zip(a.iter().zip(b)) {
        *edge = if a == b { 0 } else { 255 };
    }
}

/// The distances of the next row in a column's direction.
#[multiversion(targets("x86_64+avx2"))]
fn extend(distances: &mut [u8], edges: &[u8], far: u8) {
    for (distance, &edge) in distances.iter_mut().zip(edges) {
        *distance = ((*distance & !edge) + 1).min(far);
    }
}

/// The smaller distance of two rows, and its square.
#[multiversion(targets("x86_64+avx2"))]
fn nearer(distances: &mut [u8], squares: &mut [i16], above: &[u8], below: &[u8]) {
    for ((distance, square), (&above, &below)) in distances
        .iter_mut()
        .zip(squares)
        .zip(above.iter().zip(below))
    {
        *distance = above.min(below);
        *square = i16::from(*distance) * i16::from(*distance);
    }
}

/// The second pass of the distance transform along one row, for the block from column `start` on.
#[multiversion(targets("x86_64+avx2"))]
fn measure(start: usize, edge_left: &[u8], squares: &[i16], far: u8) -> [i16; BLOCK] {
    let mut squared = [0; BLOCK];
    squared.copy_from_slice(&squares[start..start + BLOCK]);
    for to_right in [false, true] {
        // -1 as long as there is no edge between a pixel and the one looked at, else 0.
        let mut joined = [-1_i16; BLOCK];
        for across in 1..far {
            let aside = i16::from(across) * i16::from(across);
            let across = usize::from(across);
            let (edges, other) = if to_right {
                (start + across, start + across)
            } else {
                (start + 1 - across, start - across)
            };
            let edges = &edge_left[edges..edges + BLOCK];
            let squares = &squares[other..other + BLOCK];
            for i in 0..BLOCK {
                joined[i] &= !i16::from(edges[i].cast_signed());
                squared[i] = squared[i].min((squares[i] & joined[i]) + aside);
            }
        }
    }
    squared
}

/// Half the depth of each pixel and an eighth of each of its four neighbours', which count as
/// negative across an edge.
fn smooth_segment(
    smooth: &mut [Depth],
    above: &Row,
    middle: &Row,
    below: &Row,
    columns: Range<usize>,
) {
    let (start, end) = (columns.start, columns.end);
    smooth_row(
        &mut smooth[start..end],
        &middle.depth[start..end],
        [
            (
                &middle.depth[start - 1..end - 1],
                &middle.edge_left[start..end],
            ),
            (
                &middle.depth[start + 1..end + 1],
                &middle.edge_left[start + 1..end + 1],
            ),
            (&above.depth[start..end], &above.edge_below[start..end]),
            (&below.depth[start..end], &middle.edge_below[start..end]),
        ],
    );
}

/// [`smooth_segment`], given each neighbour's depth and whether there is an edge in between.
#[multiversion(targets("x86_64+avx2"))]
fn smooth_row(smooth: &mut [Depth], own: &[Depth], neighbours: [(&[Depth], &[u8]); 4]) {
    let [left, right, up, down] = neighbours.map(|(depths, edges)| depths.iter().zip(edges));
    let across = |(&depth, &edge): (&Depth, &u8)| {
        let flip = i16::from(edge.cast_signed());
        (i16::from(depth) ^ flip) - flip
    };
    let around = left.zip(right).zip(up.zip(down));
    for ((smooth, &own), ((left, right), (up, down))) in smooth.iter_mut().zip(own).zip(around) {
        let around = across(left) + across(right) + across(up) + across(down);
        *smooth = ((4 * i16::from(own) + around + 4) >> 3).max(0) as Depth;
    }
}
