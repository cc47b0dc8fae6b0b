//! Graph: what each leaf of the merge tree looks like, and how strong the boundary is where two
//! of them touch.

use std::{collections::BTreeMap, f32::consts::PI};

use som_core::{Call, Result};

use crate::{
    boundary::{FULL, ORIENTATIONS, Strength},
    color::Lab,
    grid::Grid,
    histogram::{CHANNELS, Histogram, MASS},
    partition::Partition,
};

/// The labels of a partition and the boundaries between them.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    pub(crate) leaves: Vec<Appearance>,
    /// For each leaf, those it touches, in ascending order.
    pub(crate) neighbours: Vec<Vec<(u32, Boundary)>>,
}

/// What a region looks like: sums over its working pixels.
#[derive(Clone, Debug)]
pub(crate) struct Appearance {
    /// Number of working pixels.
    pub(crate) area: f32,
    pub(crate) lab: Lab,
    /// Joint histogram of L, a and b, of [`COLOR_BINS`] each, with a mass of `area`.
    pub(crate) colors: Vec<f32>,
    /// Histogram of roughness, with a mass of `area`.
    pub(crate) roughness: [f32; ROUGHNESS_BINS],
    /// Length of the boundaries; the border of the image is none.
    pub(crate) perimeter: f32,
}

/// The boundary between two regions.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Boundary {
    /// Sum of the strength in [0, 1] over all pixel edges.
    pub(crate) strength: f32,
    /// Number of pixel edges.
    pub(crate) length: f32,
}

const COLOR_BINS: usize = 8;

const ROUGHNESS_BINS: usize = 6;

impl Graph {
    /// The graph of `partition`, seen at the working resolution of the other grids.
    ///
    /// # Errors
    /// Cancelled.
    pub(crate) fn new(
        partition: &Partition,
        lab: &Grid<Lab>,
        histograms: &Grid<Histogram>,
        boundary: &Grid<Strength>,
        call: &Call<'_>,
    ) -> Result<Self> {
        let labels = partition.sampled(lab.width, lab.height);
        let mut leaves = vec![Appearance::default(); partition.labels()];
        for y in 0..labels.height {
            call.check()?;
            for ((&label, lab), histogram) in
                labels.row(y).iter().zip(lab.row(y)).zip(histograms.row(y))
            {
                leaves[label as usize].add(*lab, histogram);
            }
        }
        let mut neighbours = vec![Vec::new(); leaves.len()];
        for ((a, b), mut boundary) in boundaries(partition, &labels, boundary, call)? {
            // Leaves that touch at the full resolution only: as good as no boundary.
            boundary.length = boundary.length.max(1.0);
            for (one, other) in [(a, b), (b, a)] {
                leaves[one as usize].perimeter += boundary.length;
                neighbours[one as usize].push((other, boundary));
            }
        }
        for list in &mut neighbours {
            list.sort_unstable_by_key(|(other, _)| *other);
        }
        Ok(Self { leaves, neighbours })
    }
}

impl Default for Appearance {
    fn default() -> Self {
        Self {
            area: 0.0,
            lab: [0.0; 3],
            colors: vec![0.0; COLOR_BINS * COLOR_BINS * COLOR_BINS],
            roughness: [0.0; ROUGHNESS_BINS],
            perimeter: 0.0,
        }
    }
}

impl Appearance {
    fn add(&mut self, lab: Lab, histogram: &Histogram) {
        self.area += 1.0;
        for (sum, value) in self.lab.iter_mut().zip(lab) {
            *sum += value;
        }
        let [.., roughness] = CHANNELS;
        for (sum, bin) in self.roughness.iter_mut().zip(&histogram.0[roughness]) {
            *sum += f32::from(*bin) / f32::from(MASS);
        }
        // Trilinear, so that a small change of colour makes a small difference. Chroma beyond 56 is
        // rare, and far from anything else.
        let last = (COLOR_BINS - 1) as f32;
        let position = [
            lab[0] / 100.0,
            (lab[1] + 56.0) / 112.0,
            (lab[2] + 56.0) / 112.0,
        ]
        .map(|value| value.clamp(0.0, 0.9999) * last);
        let low = position.map(|value| value as usize);
        for corner in 0..8 {
            let (mut weight, mut bin) = (1.0, 0);
            for channel in 0..3 {
                let upper = corner >> channel & 1;
                let part = position[channel] - low[channel] as f32;
                weight *= if upper == 1 { part } else { 1.0 - part };
                bin = bin * COLOR_BINS + low[channel] + upper;
            }
            self.colors[bin] += weight;
        }
    }

    /// Both together; they share a boundary of `shared` pixel edges.
    pub(crate) fn join(mut self, other: &Self, shared: f32) -> Self {
        self.area += other.area;
        self.perimeter += other.perimeter - 2.0 * shared;
        let sums = self
            .lab
            .iter_mut()
            .chain(&mut self.colors)
            .chain(&mut self.roughness);
        let others = other
            .lab
            .iter()
            .chain(&other.colors)
            .chain(&other.roughness);
        for (sum, value) in sums.zip(others) {
            *sum += value;
        }
        self
    }
}

/// The boundary of each two labels that touch in the partition, measured at the working
/// resolution.
fn boundaries(
    partition: &Partition,
    labels: &Grid<u32>,
    strength: &Grid<Strength>,
    call: &Call<'_>,
) -> Result<BTreeMap<(u32, u32), Boundary>> {
    let contacts = partition.contacts();
    let mut boundaries: BTreeMap<_, _> = contacts
        .iter()
        .map(|contact| ((contact.a, contact.b), Boundary::default()))
        .collect();
    for y in 0..labels.height {
        call.check()?;
        for x in 0..labels.width {
            for there in [(x + 1, y), (x, y + 1)] {
                if there.0 == labels.width || there.1 == labels.height {
                    continue;
                }
                let (a, b) = (labels.at(x, y), labels.at(there.0, there.1));
                if a != b
                    && let Some(boundary) = boundaries.get_mut(&(a.min(b), a.max(b)))
                {
                    boundary.strength += strength_between((x, y), there, labels, strength);
                    boundary.length += 1.0;
                }
            }
        }
    }
    Ok(boundaries)
}

/// Strength in [0, 1] between two neighbouring pixels of different labels, for the direction that
/// the outline has there.
///
/// This is the idea of the oriented watershed transform (Arbelaez et al. 2011): an outline that
/// merely ends at a strong edge takes no strength from it.
fn strength_between(
    here: (usize, usize),
    there: (usize, usize),
    labels: &Grid<u32>,
    strength: &Grid<Strength>,
) -> f32 {
    const REACH: usize = 2;
    let sides = [here, there].map(|(x, y)| labels.at(x, y));
    let (mut sums, mut counts) = ([[0; 2]; 2], [0; 2]);
    for y in here.1.saturating_sub(REACH)..(here.1 + REACH + 1).min(labels.height) {
        for x in here.0.saturating_sub(REACH)..(here.0 + REACH + 1).min(labels.width) {
            if let Some(side) = sides.iter().position(|&label| label == labels.at(x, y)) {
                sums[side][0] += x;
                sums[side][1] += y;
                counts[side] += 1;
            }
        }
    }
    // From the middle of one side to that of the other; the outline runs at right angles to it.
    let middle = |side: usize, axis: usize| sums[side][axis] as f32 / counts[side] as f32;
    let across: [f32; 2] = std::array::from_fn(|axis| middle(1, axis) - middle(0, axis));
    let along = across[0].atan2(-across[1]);
    // A line has no sense of direction, so half a turn is all.
    let turn = if along < 0.0 { along + PI } else { along } / PI * ORIENTATIONS as f32;
    let (orientation, part) = (turn as usize % ORIENTATIONS, turn.fract());
    let at = |(x, y): (usize, usize)| {
        let strength = strength.at(x, y).map(f32::from);
        let next = strength[(orientation + 1) % ORIENTATIONS];
        strength[orientation] * (1.0 - part) + next * part
    };
    at(here).max(at(there)) / f32::from(FULL)
}
