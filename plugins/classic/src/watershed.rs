//! Watershed: the basins of the relief, of which everything later is made.
//!
//! Flooding by priority after Meyer, *Un algorithme optimal pour la ligne de partage des eaux*,
//! 1991. Then shallow basins join the neighbour across their lowest pass, by *dynamics*, the
//! height to climb from a basin's floor to leave it for a deeper one (Grimaud, *A New Measure of
//! Contrast: the Dynamics*, 1992), so that noise makes no basins.

use som_core::{Call, Result};

use crate::{boundary::FULL, grid::Grid, sets::Sets};

/// Steps in which the relief is flooded.
const STEPS: u32 = 2048;

/// Basins less deep than this many steps are noise.
const NOISE: u16 = 4;

/// Number of basins to be left: enough for the finest level, few enough to merge fast.
const BASINS: usize = 800;

/// The basin of each cell: labels from 0, without gaps. Each basin is 4-connected, and every cell
/// belongs to one.
///
/// # Errors
/// Cancelled.
pub(crate) fn watershed(relief: &Grid<u16>, call: &Call<'_>) -> Result<Grid<u32>> {
    let steps =
        relief.map(|&height| (u32::from(height) * STEPS / u32::from(FULL)).min(STEPS - 1) as u16);
    let (mut labels, floors) = flood(&steps, call)?;
    let mut basins = join_shallow(&passes(&labels, &steps), &floors);
    let mut names = vec![None; floors.len()];
    let mut count = 0;
    for label in &mut labels.cells {
        *label = *names[basins.root(*label) as usize].get_or_insert_with(|| {
            count += 1;
            count - 1
        });
    }
    Ok(labels)
}

/// One label for each regional minimum, and each minimum's height.
fn flood(steps: &Grid<u16>, call: &Call<'_>) -> Result<(Grid<u32>, Vec<u16>)> {
    let mut field = Field::new(steps);
    let mut queues: Vec<Vec<u32>> = vec![Vec::new(); STEPS as usize];
    let floors = field.label_minima(&mut queues, call)?;
    for step in 0..queues.len() {
        call.check()?;
        let mut queue = std::mem::take(&mut queues[step]);
        let mut next = 0;
        while let Some(&cell) = queue.get(next) {
            next += 1;
            let label = field.labels[cell as usize];
            for neighbour in field.neighbours(cell) {
                if field.labels[neighbour as usize] != DRY {
                    continue;
                }
                field.labels[neighbour as usize] = label;
                let height = usize::from(field.heights[neighbour as usize]);
                if height <= step {
                    queue.push(neighbour);
                } else {
                    queues[height].push(neighbour);
                }
            }
        }
    }
    Ok((field.unframed(), floors))
}

/// A cell that is not flooded yet.
const DRY: u32 = u32::MAX;

/// The frame: never flooded and never lower than anything, which spares every border test.
const FRAME: u32 = u32::MAX - 1;

/// The relief and the labels, with a frame of one cell.
struct Field {
    width: usize,
    height: usize,
    heights: Vec<u16>,
    labels: Vec<u32>,
}

impl Field {
    fn new(steps: &Grid<u16>) -> Self {
        let (width, height) = (steps.width, steps.height);
        let cells = (width + 2) * (height + 2);
        let mut field = Self {
            width,
            height,
            heights: vec![u16::MAX; cells],
            labels: vec![FRAME; cells],
        };
        for y in 0..height {
            let row = field.row(y);
            field.heights[row.clone()].copy_from_slice(steps.row(y));
            field.labels[row].fill(DRY);
        }
        field
    }

    /// Where row `y` of the relief lies.
    fn row(&self, y: usize) -> std::ops::Range<usize> {
        let start = (y + 1) * (self.width + 2) + 1;
        start..start + self.width
    }

    fn neighbours(&self, cell: u32) -> [u32; 4] {
        let stride = self.width as u32 + 2;
        [cell - stride, cell - 1, cell + 1, cell + stride]
    }

    /// Labels the plateaus that have no lower neighbour, queues their cells, gives their heights.
    fn label_minima(&mut self, queues: &mut [Vec<u32>], call: &Call<'_>) -> Result<Vec<u16>> {
        let mut floors = Vec::new();
        let mut seen = vec![false; self.heights.len()];
        let mut plateau: Vec<u32> = Vec::new();
        for y in 0..self.height {
            call.check()?;
            for first in self.row(y) {
                if seen[first] {
                    continue;
                }
                let floor = self.heights[first];
                let mut is_minimum = true;
                seen[first] = true;
                plateau.clear();
                plateau.push(first as u32);
                let mut next = 0;
                while let Some(&cell) = plateau.get(next) {
                    next += 1;
                    for neighbour in self.neighbours(cell) {
                        let height = self.heights[neighbour as usize];
                        is_minimum &= height >= floor;
                        if height == floor && !seen[neighbour as usize] {
                            seen[neighbour as usize] = true;
                            plateau.push(neighbour);
                        }
                    }
                }
                if is_minimum {
                    for &cell in &plateau {
                        self.labels[cell as usize] = floors.len() as u32;
                    }
                    queues[usize::from(floor)].extend_from_slice(&plateau);
                    floors.push(floor);
                }
            }
        }
        Ok(floors)
    }

    fn unframed(&self) -> Grid<u32> {
        let rows = (0..self.height).flat_map(|y| &self.labels[self.row(y)]);
        Grid::new(self.width, self.height, rows.copied().collect())
    }
}

/// Where two basins touch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Pass {
    height: u16,
    a: u32,
    b: u32,
}

/// Every contact of two basins, lowest first.
fn passes(labels: &Grid<u32>, steps: &Grid<u16>) -> Vec<Pass> {
    let mut passes = Vec::new();
    let mut touch = |here: usize, there: usize| {
        let (a, b) = (labels.cells[here], labels.cells[there]);
        if a != b {
            let height = steps.cells[here].max(steps.cells[there]);
            passes.push(Pass {
                height,
                a: a.min(b),
                b: a.max(b),
            });
        }
    };
    for y in 0..labels.height {
        let row = y * labels.width..(y + 1) * labels.width;
        for here in row.clone() {
            if here + 1 < row.end {
                touch(here, here + 1);
            }
            if y + 1 < labels.height {
                touch(here, here + labels.width);
            }
        }
    }
    passes.sort_unstable();
    passes
}

/// Joins the most shallow basins until [`BASINS`] are left, and all that are noise.
fn join_shallow(passes: &[Pass], floors: &[u16]) -> Sets {
    // Once without limit, to learn every basin's dynamics; then with the limit that follows.
    let mut dynamics = Vec::new();
    join(passes, floors, |depth| {
        dynamics.push(depth);
        true
    });
    dynamics.sort_unstable_by(|a, b| b.cmp(a));
    let limit = dynamics
        .get(BASINS - 1)
        .map_or(NOISE, |&depth| NOISE.max(depth + 1));
    join(passes, floors, |depth| depth < limit)
}

/// Walks the passes upwards. Where `is_joined` says so of the dynamics of the shallower basin, it
/// becomes part of the deeper one.
fn join(passes: &[Pass], floors: &[u16], mut is_joined: impl FnMut(u16) -> bool) -> Sets {
    let mut sets = Sets::new(floors.len());
    for pass in passes {
        let (a, b) = (sets.root(pass.a), sets.root(pass.b));
        if a == b {
            continue;
        }
        // A set's root is its deepest basin.
        let depth = |basin: u32| (floors[basin as usize], basin);
        let (deep, shallow) = if depth(a) < depth(b) { (a, b) } else { (b, a) };
        if is_joined(pass.height - floors[shallow as usize]) {
            sets.join(shallow, deep);
        }
    }
    sets
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use som_core::Params;

    use super::*;

    fn basins(relief: &Grid<u16>) -> Grid<u32> {
        let params = Params::new();
        watershed(relief, &Call::uncancellable(&params)).unwrap()
    }

    /// The cells that can be reached from `start` without leaving its label.
    fn reach(labels: &Grid<u32>, start: usize) -> usize {
        let mut seen = vec![false; labels.cells.len()];
        let mut pending = vec![start];
        seen[start] = true;
        let mut count = 0;
        while let Some(cell) = pending.pop() {
            count += 1;
            let (x, y) = (cell % labels.width, cell / labels.width);
            let around = [
                (x.wrapping_sub(1), y),
                (x + 1, y),
                (x, y.wrapping_sub(1)),
                (x, y + 1),
            ];
            for (x, y) in around
                .into_iter()
                .filter(|&(x, y)| x < labels.width && y < labels.height)
            {
                let next = y * labels.width + x;
                if !seen[next] && labels.cells[next] == labels.cells[cell] {
                    seen[next] = true;
                    pending.push(next);
                }
            }
        }
        count
    }

    #[test]
    fn ridges_part_valleys_and_ripples_do_not() {
        let high = FULL / 2;
        let ripple = FULL / STEPS as u16;
        let relief = [0, ripple, 0, high, 0, 0, ripple, 0].repeat(3);
        let labels = basins(&Grid::new(8, 3, relief));
        assert_eq!(labels.row(1)[..3], [0; 3]);
        assert_eq!(labels.row(1)[4..], [1; 4]);
    }

    proptest! {
        #[test]
        fn basins_are_a_partition_into_connected_pieces(
            width in 1_usize..12,
            heights in prop::collection::vec(0..=FULL, 1..120),
        ) {
            let height = heights.len().div_ceil(width);
            let mut cells = heights;
            cells.resize(width * height, 0);
            let labels = basins(&Grid::new(width, height, cells));
            let count = labels.cells.iter().max().map_or(0, |&label| label as usize + 1);
            for label in 0..count as u32 {
                let first = labels.cells.iter().position(|&other| other == label);
                let all = labels.cells.iter().filter(|&&other| other == label).count();
                prop_assert_eq!(first.map(|first| reach(&labels, first)), Some(all));
            }
        }
    }
}
