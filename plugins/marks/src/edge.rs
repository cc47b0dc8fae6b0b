//! How deep every pixel lies inside what it shows, near the edges.
//!
//! The depth is the exact Euclidean distance to the nearest pixel of another owner, less the half
//! pixel to that one's edge, smoothed over the neighbours across the edge too: along a straight
//! edge that changes nothing, and the staircase that pixels make of a slanted one becomes a line.
//! Blocks of pixels far from any edge are skipped.
//!
//! The inner loops are functions that are never inlined: that is how the compiler knows that their
//! slices do not overlap, and makes vectors of them.

use crate::owners::{Owner, Owners};

/// Sixteenths of a pixel.
pub(crate) type Depth = u8;

/// One pixel as a [`Depth`].
pub(crate) const UNIT: Depth = 16;

/// Most pixels of [`trace`]'s reach: their squares fit into a byte.
pub(crate) const MAX_REACH: u8 = 13;

/// Columns that are computed or skipped together.
const BLOCK: usize = Owners::MARGIN / 2;

/// Hands out the depths near the edges, up to `reach` pixels: row, first column, and depths from
/// there on. They are exact to `reach`; what is deeper is at least that. An owner's
/// pixels end with the canvas.
pub(crate) fn trace(owners: &Owners, reach: u8, mut emit: impl FnMut(usize, usize, &[Depth])) {
    let (stride, height) = (owners.stride(), owners.height());
    // Smoothing looks one pixel further.
    let far = reach.min(MAX_REACH) + 2;
    let from_above = distances_from_above(owners, far);
    let mut from_below = vec![far; stride];
    let mut scratch = Scratch::new(stride);
    let [mut below, mut middle, mut above] = [(); 3].map(|()| Row::new(stride));
    let mut smooth = vec![0; stride];
    let columns = Owners::MARGIN..Owners::MARGIN + owners.width();
    // From the row below the canvas to the one above it.
    for number in (0..height + 2).rev() {
        (below, middle, above) = (middle, above, below);
        let row = owners.padded_row(number);
        let row_below = owners.padded_row((number + 1).min(height + 1));
        above.set_edges(row, row_below);
        extend(&mut from_below, &above.edge_below, far);
        scratch.set_distances(&from_above[number * stride..][..stride], &from_below);
        above.measure(&mut scratch, far);
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

    /// Measures the depths of the blocks near an edge; the others are `far`.
    fn measure(&mut self, scratch: &mut Scratch, far: u8) {
        let blocks = self.near.len();
        let is_plain = |block: usize| {
            let edges = &self.edge_left[block * BLOCK..][..BLOCK];
            let distances = &scratch.distance[block * BLOCK..][..BLOCK];
            let edge = edges.iter().fold(0, |any, &edge| any | edge);
            distances
                .iter()
                .fold(edge, |any, &distance| any | (distance ^ far))
                == 0
        };
        let (mut left, mut this) = (true, is_plain(0));
        for block in 0..blocks {
            let right = block + 1 == blocks || is_plain(block + 1);
            self.near[block] = !(left && this && right) && block > 0 && block + 1 < blocks;
            (left, this) = (this, right);
        }
        self.depth.fill(far * UNIT - UNIT / 2);
        for segment in segments(&self.near) {
            scratch.measure(&self.edge_left, segment.clone(), far);
            let depths = self.depth[segment.clone()].iter_mut();
            for (depth, &squared) in depths.zip(&scratch.squared[segment]) {
                *depth = ROOTS[usize::from(squared)];
            }
        }
    }
}

/// Buffers of one row that all rows share.
struct Scratch {
    /// To the nearest pixel of another owner in the column.
    distance: Vec<u8>,
    square: Vec<u8>,
    /// To the nearest pixel of another owner at all.
    squared: Vec<u8>,
    /// 255 as long as there is no edge between a pixel and the one looked at.
    joined: Vec<u8>,
}

impl Scratch {
    fn new(stride: usize) -> Self {
        let row = vec![0; stride];
        Self {
            distance: row.clone(),
            square: row.clone(),
            squared: row.clone(),
            joined: row,
        }
    }

    #[inline(never)]
    fn set_distances(&mut self, from_above: &[u8], from_below: &[u8]) {
        let distances = self.distance.iter_mut().zip(&mut self.square);
        for ((distance, square), (&above, &below)) in
            distances.zip(from_above.iter().zip(from_below))
        {
            *distance = above.min(below);
            *square = *distance * *distance;
        }
    }

    /// The second pass of the distance transform along one row, for `segment` alone.
    fn measure(&mut self, edge_left: &[u8], segment: std::ops::Range<usize>, far: u8) {
        let (start, end) = (segment.start, segment.end);
        let squared = &mut self.squared[segment.clone()];
        let joined = &mut self.joined[segment];
        squared.copy_from_slice(&self.square[start..end]);
        for to_right in [false, true] {
            joined.fill(255);
            for across in 1..usize::from(far) {
                let (edges, squares) = if to_right {
                    (start + across, start + across)
                } else {
                    (start + 1 - across, start - across)
                };
                let edges = &edge_left[edges..][..end - start];
                let squares = &self.square[squares..][..end - start];
                look_across(squared, joined, edges, squares, (across * across) as u8);
            }
        }
    }
}

/// Takes the pixel `aside` (squared) to one side of each into account.
#[inline(never)]
fn look_across(squared: &mut [u8], joined: &mut [u8], edges: &[u8], squares: &[u8], aside: u8) {
    for (((squared, joined), &edge), &square) in
        squared.iter_mut().zip(joined).zip(edges).zip(squares)
    {
        *joined &= !edge;
        *squared = (*squared).min((square & *joined).saturating_add(aside));
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

/// The distances of the next row in a column's direction.
#[inline(never)]
fn extend(distances: &mut [u8], edges: &[u8], far: u8) {
    for (distance, &edge) in distances.iter_mut().zip(edges) {
        *distance = ((*distance & !edge) + 1).min(far);
    }
}

/// 255 where two rows of owners differ.
#[inline(never)]
fn differ(edges: &mut [u8], a: &[Owner], b: &[Owner]) {
    for (edge, (a, b)) in edges.iter_mut().zip(a.iter().zip(b)) {
        *edge = if a == b { 0 } else { 255 };
    }
}

/// Ranges of columns of adjacent blocks that are near an edge.
fn segments(near: &[bool]) -> impl Iterator<Item = std::ops::Range<usize>> {
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

/// Half the depth of each pixel and an eighth of each of its four neighbours', which count as
/// negative across an edge.
#[inline(never)]
fn smooth_segment(
    smooth: &mut [Depth],
    above: &Row,
    middle: &Row,
    below: &Row,
    columns: std::ops::Range<usize>,
) {
    let (start, end) = (columns.start, columns.end);
    let left = &middle.depth[start - 1..end - 1];
    let right = &middle.depth[start + 1..end + 1];
    let (edge_left, edge_right) = (
        &middle.edge_left[start..end],
        &middle.edge_left[start + 1..end + 1],
    );
    let (up, down) = (&above.depth[start..end], &below.depth[start..end]);
    let (edge_up, edge_down) = (
        &above.edge_below[start..end],
        &middle.edge_below[start..end],
    );
    let own = &middle.depth[start..end];
    let across = |depth: u8, edge: u8| {
        let flip = i16::from(edge.cast_signed());
        (i16::from(depth) ^ flip) - flip
    };
    for (i, smooth) in smooth[start..end].iter_mut().enumerate() {
        let around = across(left[i], edge_left[i])
            + across(right[i], edge_right[i])
            + across(up[i], edge_up[i])
            + across(down[i], edge_down[i]);
        *smooth = ((4 * i16::from(own[i]) + around + 4) >> 3).max(0) as u8;
    }
}

/// The depth of a pixel whose nearest pixel of another owner is so far away, squared: half a pixel
/// less than the root.
static ROOTS: [Depth; 256] = {
    let mut roots = [0; 256];
    let mut squared = 1;
    while squared < 256 {
        // Twice the root in sixteenths, rounded.
        let twice = (squared as u32 * 4 * UNIT as u32 * UNIT as u32).isqrt();
        roots[squared] = twice.div_ceil(2) as u8 - UNIT / 2;
        squared += 1;
    }
    roots
};
