//! Sampling on the CPU: each place is read where it lies, channels together, and nothing but the
//! result is stored.

use rayon::prelude::*;

use super::{Levels, Shape};
use crate::nn::sampling::{blend, neighbours};

/// Queries that one thread does at a time: neighbours, which look at the same cells.
const TOGETHER: usize = 64;

/// What queries find in `values` `[cells, heads, channels]`: `[queries, heads, channels]`.
///
/// `asked` are the offsets and logits of each query, `places` its point or box.
pub(super) fn sample(
    values: &[f32],
    levels: &Levels,
    shape: Shape,
    asked: &[f32],
    places: &[f32],
) -> Vec<f32> {
    let maps = Maps::new(levels, shape);
    let Maps {
        heads, channels, ..
    } = maps;
    let count = maps.points * maps.sizes.len();
    let asked = asked.chunks_exact((3 * heads * count).max(1));
    let each = places.len() / asked.len().max(1);
    let width = heads * channels;
    let mut found = vec![0.0; asked.len() * width];
    let asked: Vec<&[f32]> = asked.collect();
    let work = |(block, found): (usize, &mut [f32])| {
        let mut weights = vec![0.0; count];
        for (query, found) in found.chunks_exact_mut(width).enumerate() {
            let query = block * TOGETHER + query;
            let place = Place::new(&places[query * each..][..each], maps.points);
            let (offsets, logits) = asked[query].split_at(2 * heads * count);
            let heads = found.chunks_exact_mut(channels).enumerate();
            let asked = offsets
                .chunks_exact(2 * count)
                .zip(logits.chunks_exact(count));
            for ((head, found), (offsets, logits)) in heads.zip(asked) {
                softmax(logits, &mut weights);
                maps.look(values, head, &place, offsets, &weights, found);
            }
        }
    };
    let blocks = found.par_chunks_mut((TOGETHER * width).max(1));
    blocks.enumerate().for_each(work);
    found
}

/// Where a query is, and what its offsets are measured in.
enum Place {
    /// Cells of the map.
    Point([f32; 2]),
    /// These parts of the map.
    Box([f32; 2], [f32; 2]),
}

impl Place {
    fn new(place: &[f32], points: usize) -> Self {
        match *place {
            [x, y, width, height] => {
                // The outermost point of as many, looked at from the centre, reaches the edge.
                let unit = |extent: f32| extent * 0.5 / points as f32;
                Self::Box([x, y], [unit(width), unit(height)])
            }
            [x, y, ..] => Self::Point([x, y]),
            _ => Self::Point([f32::NAN; 2]),
        }
    }

    /// The place `offset` away, in cells of a map of this size; whole numbers are their centres.
    fn at(&self, offset: [f32; 2], size: [f32; 2]) -> [f32; 2] {
        let place = |axis: usize| match self {
            Self::Point(point) => point[axis] * size[axis] + offset[axis],
            Self::Box(center, unit) => (center[axis] + offset[axis] * unit[axis]) * size[axis],
        };
        [place(0) - 0.5, place(1) - 0.5]
    }
}

/// Where the maps lie among the values.
struct Maps {
    /// First cell, width and height of each.
    sizes: Vec<(usize, [usize; 2])>,
    heads: usize,
    points: usize,
    channels: usize,
}

impl Maps {
    fn new(levels: &Levels, shape: Shape) -> Self {
        let count = |count: i64| usize::try_from(count).unwrap_or(0);
        let map = |(first, [height, width]): (i64, [i64; 2])| {
            (count(first), [count(width), count(height)])
        };
        Self {
            sizes: levels.maps().map(map).collect(),
            heads: count(shape.heads),
            points: count(shape.points),
            channels: count(shape.channels),
        }
    }

    /// Adds to `found` what one head sees at its places, each weighted.
    fn look(
        &self,
        values: &[f32],
        head: usize,
        place: &Place,
        offsets: &[f32],
        weights: &[f32],
        found: &mut [f32],
    ) {
        let levels = self.sizes.iter();
        let offsets = offsets.chunks_exact(2 * self.points);
        let weights = weights.chunks_exact(self.points);
        for ((&(first, [width, height]), offsets), weights) in levels.zip(offsets).zip(weights) {
            let size = [width as f32, height as f32];
            for (offset, &weight) in offsets.chunks_exact(2).zip(weights) {
                let [x, y] = place.at([offset[0], offset[1]], size);
                let (columns, across) = neighbours(x, width);
                let (rows, down) = neighbours(y, height);
                let cell = |row: usize, column: usize| {
                    let cell = first + rows[row] * width + columns[column];
                    &values[(cell * self.heads + head) * self.channels..][..self.channels]
                };
                let cells = [cell(0, 0), cell(0, 1), cell(1, 0), cell(1, 1)];
                let [above, below] = down.map(|part| part * weight);
                let parts = [
                    above * across[0],
                    above * across[1],
                    below * across[0],
                    below * across[1],
                ];
                blend(found, cells, parts);
            }
        }
    }
}

/// Weights that add up to one, as large as the logits say.
fn softmax(logits: &[f32], weights: &mut [f32]) {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for (weight, logit) in weights.iter_mut().zip(logits) {
        *weight = (logit - most).exp();
    }
    let total: f32 = weights.iter().sum();
    for weight in weights {
        *weight /= total;
    }
}
