//! Boundary: how strongly the two sides of each pixel differ, for eight orientations.
//!
//! The histograms of the two halves of a disc are compared by chi-squared, as in Martin, Fowlkes
//! and Malik, *Learning to Detect Natural Image Boundaries Using Local Brightness, Color, and
//! Texture Cues*, PAMI 2004, at three scales, as in Arbelaez, Maire, Fowlkes and Malik, *Contour
//! Detection and Hierarchical Image Segmentation*, PAMI 2011. Here the larger discs are the small
//! one on a pyramid of histograms, and nothing is learned.

use som_core::{Call, Result};

use crate::{
    grid::Grid,
    histogram::{BINS, CHANNELS, Histogram, MASS, halved},
};

/// Directions of the line between the two halves: multiples of 22.5 degrees, from the x axis
/// towards the y axis.
pub(crate) const ORIENTATIONS: usize = 8;

/// Boundary strength for each orientation, 0 to [`FULL`].
pub(crate) type Strength = [u16; ORIENTATIONS];

/// The strength where the two sides have nothing in common.
pub(crate) const FULL: u16 = 1 << 14;

/// What discs of radius 4, 8 and 16 count; together 1.
const SCALE_WEIGHTS: [f32; 3] = [0.46, 0.34, 0.2];

/// What lightness, a, b and roughness count; together 1.
const CHANNEL_WEIGHTS: [f32; 4] = [0.28, 0.3, 0.3, 0.12];

/// Boundary strength at each pixel.
///
/// # Errors
/// Cancelled.
pub(crate) fn boundary(fine: &Grid<Histogram>, call: &Call<'_>) -> Result<Grid<Strength>> {
    let middle = halved(fine);
    let coarse = halved(&middle);
    let [near, far, farthest] = SCALE_WEIGHTS;
    let mut middle = half_disc_differences(&middle, far, call)?;
    add_enlarged(
        &mut middle,
        &half_disc_differences(&coarse, farthest, call)?,
    );
    let mut strength = half_disc_differences(fine, near, call)?;
    add_enlarged(&mut strength, &middle);
    Ok(strength)
}

/// The strongest orientation of each pixel, smoothed a little: the relief for the watershed.
pub(crate) fn relief(boundary: &Grid<Strength>) -> Grid<u16> {
    let strongest = boundary.map(|strength| strength.iter().copied().max().unwrap_or(0));
    let framed = strongest.mirrored(1);
    // A Gaussian with a standard deviation of 0.7 pixels, in parts of 256.
    let blur = |before: u16, here: u16, after: u16| {
        ((54 * (u32::from(before) + u32::from(after)) + 148 * u32::from(here)) >> 8) as u16
    };
    let width = boundary.width;
    let mut across = Vec::with_capacity(width * framed.height);
    for row in framed.cells.chunks_exact(framed.width) {
        across.extend(
            row.windows(3)
                .map(|window| blur(window[0], window[1], window[2])),
        );
    }
    let cells = (0..boundary.cells.len())
        .map(|index| {
            blur(
                across[index],
                across[index + width],
                across[index + 2 * width],
            )
        })
        .collect();
    Grid::new(width, boundary.height, cells)
}

/// Adds `coarse`, whose cells are blocks of 2x2 cells of `fine`, to `fine`: bilinear.
fn add_enlarged(fine: &mut Grid<Strength>, coarse: &Grid<Strength>) {
    // A fine cell lies a quarter of a coarse cell off the middle of the one it is in.
    let blend = |near: Strength, far: Strength| {
        let mut blend = [0; ORIENTATIONS];
        for k in 0..ORIENTATIONS {
            blend[k] = near[k] - near[k] / 4 + far[k] / 4;
        }
        blend
    };
    let aside = |cell: usize, length: usize| {
        let aside = if cell.is_multiple_of(2) {
            (cell / 2).saturating_sub(1)
        } else {
            cell / 2 + 1
        };
        aside.min(length - 1)
    };
    let mut blended = Vec::with_capacity(coarse.width);
    for (y, row) in fine.cells.chunks_exact_mut(fine.width).enumerate() {
        let (near, far) = (coarse.row(y / 2), coarse.row(aside(y, coarse.height)));
        blended.clear();
        blended.extend(near.iter().zip(far).map(|(near, far)| blend(*near, *far)));
        for (x, cell) in row.iter_mut().enumerate() {
            let more = blend(blended[x / 2], blended[aside(x, coarse.width)]);
            for k in 0..ORIENTATIONS {
                cell[k] += more[k];
            }
        }
    }
}

/// Chi-squared difference of the two half-discs around each cell, 0 to `weight` times [`FULL`].
fn half_disc_differences(
    histograms: &Grid<Histogram>,
    weight: f32,
    call: &Call<'_>,
) -> Result<Grid<Strength>> {
    let framed = histograms.mirrored(RADIUS);
    let disc = Disc::new(framed.width);
    let weights = bin_weights(weight);
    let mut cells = Vec::with_capacity(histograms.cells.len());
    for y in 0..histograms.height {
        call.check()?;
        let rows = &framed.cells[y * framed.width..(y + SIDE) * framed.width];
        cells.extend((0..histograms.width).map(|x| differences(&rows[x..], &disc, &weights)));
    }
    Ok(Grid::new(histograms.width, histograms.height, cells))
}

/// Of the disc, in cells.
const RADIUS: usize = 4;

/// Of the disc's window, in cells.
const SIDE: usize = 2 * RADIUS + 1;

/// Number of cells in a half-disc; those on the dividing line count by half.
const HALF_DISC: f32 = 24.0;

const WEDGES: usize = 2 * ORIENTATIONS;

/// A disc cut into sixteen wedges by the lines of all orientations: cells as offsets from the
/// top-left cell of the disc's window.
#[derive(Default)]
struct Disc {
    /// The cells strictly inside each wedge.
    wedges: [Vec<usize>; WEDGES],
    /// The cells on the line between wedges `2 * i - 1` and `2 * i`, which belong to both by half.
    /// No cell lies on the other lines.
    spokes: [Vec<usize>; WEDGES / 2],
}

impl Disc {
    /// For windows in a grid of width `stride`.
    fn new(stride: usize) -> Self {
        let mut disc = Self::default();
        let center = RADIUS as f64;
        for y in 0..SIDE {
            for x in 0..SIDE {
                let (dx, dy) = (x as f64 - center, y as f64 - center);
                if (dx, dy) == (0.0, 0.0) || dx.hypot(dy) > center {
                    continue;
                }
                let turn = dy.atan2(dx).rem_euclid(std::f64::consts::TAU);
                let eighth = turn / std::f64::consts::FRAC_PI_4;
                let offset = y * stride + x;
                if (eighth - eighth.round()).abs() < 1e-6 {
                    disc.spokes[eighth.round() as usize % (WEDGES / 2)].push(offset);
                } else {
                    disc.wedges[(2.0 * eighth) as usize % WEDGES].push(offset);
                }
            }
        }
        disc
    }
}

type Bins<T> = [T; BINS];

/// The differences at one cell, whose window starts at `window[0]`.
///
/// Chi-squared is the sum over the bins of (a - b)^2 / (a + b). The whole disc, a + b, is the same
/// for all orientations, so one division serves them all; and from one orientation to the next
/// only two wedges change sides. All in small integers, 32 bins side by side: a wedge has a mass
/// of at most 96 a channel, 123 on the coarsest grid.
#[inline]
fn differences(window: &[Histogram], disc: &Disc, weights: &Bins<f32>) -> Strength {
    let spokes = sums(window, &disc.spokes);
    let mut wedges = sums(window, &disc.wedges);
    for (index, wedge) in wedges.iter_mut().enumerate() {
        let spoke = &spokes[index.div_ceil(2) % (WEDGES / 2)];
        for bin in 0..BINS {
            // Twice the inside, so that a spoke counts once on either side.
            wedge[bin] = wedge[bin].wrapping_mul(2).wrapping_add(spoke[bin]);
        }
    }
    let (mut difference, mut whole): (Bins<i16>, Bins<i16>) = ([0; BINS], [0; BINS]);
    for k in 0..ORIENTATIONS {
        let (this, other) = (&wedges[k], &wedges[k + ORIENTATIONS]);
        for bin in 0..BINS {
            whole[bin] += i16::from(this[bin].wrapping_add(other[bin]));
            difference[bin] += i16::from(this[bin].wrapping_sub(other[bin]).cast_signed());
        }
    }
    let mut scale: Bins<i16> = [0; BINS];
    for bin in 0..BINS {
        scale[bin] = (weights[bin] / f32::from(whole[bin].max(LEAST_MASS)).sqrt()) as i16;
    }
    let mut strength = [0; ORIENTATIONS];
    for k in 0..ORIENTATIONS {
        let mut sum = 0;
        for bin in 0..BINS {
            let root = (i32::from(difference[bin] << 4) * i32::from(scale[bin])) >> 16;
            sum += i32::from(root as i16) * i32::from(root as i16);
        }
        strength[k] = (sum >> (2 * ROOT_BITS)) as u16;
        // Turn the line: the first wedge changes sides, and so does the one opposite.
        let (this, other) = (&wedges[k], &wedges[k + ORIENTATIONS]);
        for bin in 0..BINS {
            difference[bin] -= 2 * i16::from(this[bin].wrapping_sub(other[bin]).cast_signed());
        }
    }
    strength
}

/// The sum of each list of cells.
#[inline]
fn sums<const N: usize>(window: &[Histogram], cells: &[Vec<usize>; N]) -> [Bins<u8>; N] {
    let mut sums = [[0_u8; BINS]; N];
    for (sum, cells) in sums.iter_mut().zip(cells) {
        for &cell in cells {
            let bins = &window[cell].0;
            for bin in 0..BINS {
                sum[bin] = sum[bin].wrapping_add(bins[bin]);
            }
        }
    }
    sums
}

/// Bins with less mass in the whole disc count as if they had this: it bounds the scale.
const LEAST_MASS: i16 = 8;

/// Fraction bits of the roots whose squares are summed up.
const ROOT_BITS: u32 = 3;

/// For each bin, the factor by which its difference over the root of its mass is multiplied, so
/// that the squares add up to `weight` times [`FULL`] for halves that have nothing in common.
fn bin_weights(weight: f32) -> Bins<f32> {
    // The fourfold shift of the difference goes against the sixteenfold one of the product.
    let fraction = (1 << (16 - 4 + ROOT_BITS)) as f32;
    let half_mass = 2.0 * f32::from(MASS) * HALF_DISC;
    let mut weights = [0.0; BINS];
    for (channel, channel_weight) in CHANNELS.into_iter().zip(CHANNEL_WEIGHTS) {
        let share = weight * channel_weight * 0.5 * f32::from(FULL) / half_mass;
        weights[channel].fill(share.sqrt() * fraction);
    }
    weights
}

#[cfg(test)]
mod tests {
    use som_core::Params;

    use super::*;
    use crate::{color::lab, histogram::histograms};

    fn strength_of(
        width: usize,
        height: usize,
        color: impl Fn(usize, usize) -> [u8; 3],
    ) -> Grid<Strength> {
        let cells = (0..width * height)
            .map(|i| lab(color(i % width, i / width)))
            .collect();
        let params = Params::new();
        boundary(
            &histograms(&Grid::new(width, height, cells)),
            &Call::uncancellable(&params),
        )
        .unwrap()
    }

    #[test]
    fn a_plain_picture_has_no_boundary() {
        let plain = strength_of(37, 23, |_, _| [200, 30, 90]);
        assert!(plain.cells.iter().flatten().all(|&strength| strength == 0));
    }

    /// The line between the halves of orientation 0 runs along x, that of orientation 4 along y.
    #[test]
    fn an_edge_is_strongest_along_itself() {
        let upright = strength_of(
            64,
            64,
            |x, _| if x < 32 { [20, 20, 20] } else { [220, 220, 60] },
        );
        let flat = strength_of(
            64,
            64,
            |_, y| if y < 32 { [20, 20, 20] } else { [220, 220, 60] },
        );
        let slanted = strength_of(
            64,
            64,
            |x, y| if x < y { [20, 20, 20] } else { [220, 220, 60] },
        );
        for (picture, orientation) in [(flat, 0), (slanted, 2), (upright, 4)] {
            let at = |x, y| picture.at(x, y);
            let best = (0..ORIENTATIONS).max_by_key(|&k| at(32, 32)[k]).unwrap();
            assert_eq!(best, orientation);
            assert!(at(32, 32)[best] > FULL / 2, "{:?}", at(32, 32));
            assert_eq!(at(4, 60), at(4, 61), "nothing happens far from the edge");
        }
    }

    /// The integers of `differences` against the formula in floating point.
    #[test]
    fn differences_are_chi_squared() {
        let mut state = 1_u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / f64::from(1 << 24)
        };
        let cells = (0..SIDE * SIDE).map(|i| {
            let side = if i % SIDE > RADIUS { 60.0 } else { 0.0 };
            [
                (40.0 * random() + side) as f32,
                (side - 20.0 * random()) as f32,
                30.0 * random() as f32,
            ]
        });
        let window = histograms(&Grid::new(SIDE, SIDE, cells.collect()));
        let strength = differences(&window.cells, &Disc::new(SIDE), &bin_weights(1.0));
        for (k, &strength) in strength.iter().enumerate() {
            let angle = k as f64 * std::f64::consts::PI / ORIENTATIONS as f64;
            let (mut sides, mut mass) = ([[0.0; BINS]; 2], 0.0);
            for (i, histogram) in window.cells.iter().enumerate() {
                let (dx, dy) = ((i % SIDE) as f64 - 4.0, (i / SIDE) as f64 - 4.0);
                if dx.hypot(dy) > 4.0 || (dx, dy) == (0.0, 0.0) {
                    continue;
                }
                let across = dy * angle.cos() - dx * angle.sin();
                let share = if across.abs() < 1e-9 {
                    0.5
                } else if across > 0.0 {
                    1.0
                } else {
                    0.0
                };
                mass += share;
                for (bin, count) in histogram.0.into_iter().map(f64::from).enumerate() {
                    sides[0][bin] += share * count;
                    sides[1][bin] += (1.0 - share) * count;
                }
            }
            let mut expected = 0.0;
            for (channel, weight) in CHANNELS.into_iter().zip(CHANNEL_WEIGHTS) {
                for bin in channel {
                    let (a, b) = (sides[0][bin], sides[1][bin]);
                    let scale = f64::from(MASS) * mass;
                    expected +=
                        f64::from(weight) * 0.5 * (a - b) * (a - b) / (a + b).max(1e-9) / scale;
                }
            }
            let measured = f64::from(strength) / f64::from(FULL);
            assert!(
                (measured - expected).abs() < 0.01,
                "orientation {k}: {measured} for {expected}"
            );
        }
    }
}
