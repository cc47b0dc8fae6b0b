//! Histogram: what a pixel, or a block of pixels, looks like in 32 small numbers.

use std::ops::Range;

use crate::{color::Lab, grid::Grid};

/// Bins of all channels together.
pub(crate) const BINS: usize = 32;

/// Where each channel's bins lie: lightness, a, b, and roughness.
pub(crate) const CHANNELS: [Range<usize>; 4] = [0..10, 10..18, 18..26, 26..32];

/// What the bins of one channel of a pixel add up to.
pub(crate) const MASS: u8 = 16;

/// A histogram over all channels; every value is shared between the two bins next to it, so that
/// a small change makes a small difference.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(align(32))]
pub(crate) struct Histogram(pub(crate) [u8; BINS]);

/// Chroma at which half of the bins of a or b are used up: most colours are near gray.
const HALF_CHROMA: f32 = 25.0;

/// Stretches chroma so that the most colourful sRGB colours reach the outermost bins.
const CHROMA_STRETCH: f32 = 1.25;

/// Roughness, in units of L, at which half of its bins are used up.
const HALF_ROUGHNESS: f32 = 8.0;

/// The histogram of every pixel.
pub(crate) fn histograms(lab: &Grid<Lab>) -> Grid<Histogram> {
    let chroma = |c: f32| 0.5 + 0.5 * CHROMA_STRETCH * c / (c.abs() + HALF_CHROMA);
    let cells = lab
        .cells
        .iter()
        .zip(roughness(lab))
        .map(|(&[l, a, b], rough)| {
            let values = [
                l / 100.0,
                chroma(a),
                chroma(b),
                rough / (rough + HALF_ROUGHNESS),
            ];
            let mut bins = [0; BINS];
            for (channel, value) in CHANNELS.into_iter().zip(values) {
                deposit(&mut bins[channel], value);
            }
            Histogram(bins)
        });
    Grid::new(lab.width, lab.height, cells.collect())
}

/// The mean histograms of blocks of 2x2 cells.
pub(crate) fn halved(fine: &Grid<Histogram>) -> Grid<Histogram> {
    let (width, height) = (fine.width.div_ceil(2), fine.height.div_ceil(2));
    let mut cells = Vec::with_capacity(width * height);
    for y in 0..height {
        let upper = fine.row(2 * y);
        let lower = fine.row((2 * y + 1).min(fine.height - 1));
        for x in 0..width {
            let (left, right) = (2 * x, (2 * x + 1).min(fine.width - 1));
            let block = [upper[left].0, upper[right].0, lower[left].0, lower[right].0];
            let mut mean = [0; BINS];
            for (bin, mean) in mean.iter_mut().enumerate() {
                let sum: u16 = block.iter().map(|bins| u16::from(bins[bin])).sum();
                // Halves go down, so that the mass hardly grows: `boundary` counts on it.
                *mean = ((sum + 1) / 4) as u8;
            }
            cells.push(Histogram(mean));
        }
    }
    Grid::new(width, height, cells)
}

/// Adds [`MASS`] at `value`, in [0, 1], to the two bins next to it.
fn deposit(bins: &mut [u8], value: f32) {
    let last = bins.len() - 1;
    let position = value.clamp(0.0, 1.0) * last as f32;
    let low = (position as usize).min(last - 1);
    let upper = ((position - low as f32) * f32::from(MASS) + 0.5) as u8;
    bins[low] += MASS - upper;
    bins[low + 1] += upper;
}

/// How far each pixel's lightness is from the mean of the 5x5 pixels around it: near 0 in smooth
/// places, large in textured ones.
fn roughness(lab: &Grid<Lab>) -> Vec<f32> {
    const REACH: usize = 2;
    const SIDE: usize = 2 * REACH + 1;
    let light = lab.map(|lab| lab[0]).mirrored(REACH);
    let mut across = Vec::with_capacity(lab.width * light.height);
    for row in light.cells.chunks_exact(light.width) {
        across.extend(row.windows(SIDE).map(|window| window.iter().sum::<f32>()));
    }
    let mut roughness = Vec::with_capacity(lab.cells.len());
    for (index, lab_here) in lab.cells.iter().enumerate() {
        let sum: f32 = (0..SIDE).map(|dy| across[index + dy * lab.width]).sum();
        roughness.push((lab_here[0] - sum / (SIDE * SIDE) as f32).abs());
    }
    roughness
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_has_its_mass() {
        let extremes = [
            [0.0, -128.0, -128.0],
            [100.0, 128.0, 128.0],
            [50.0, 0.0, 0.0],
            [33.3, 7.0, -80.0],
        ];
        let lab = Grid::new(2, 2, extremes.to_vec());
        for histogram in histograms(&lab).cells {
            for channel in CHANNELS {
                let mass: u8 = histogram.0[channel].iter().sum();
                assert_eq!(mass, MASS);
            }
        }
    }

    #[test]
    fn blocks_keep_their_mean_at_odd_sizes() {
        let gray = Grid::new(3, 5, vec![[40.0, 3.0, 9.0]; 15]);
        let fine = histograms(&gray);
        let coarse = halved(&fine);
        assert_eq!((coarse.width, coarse.height), (2, 3));
        assert!(coarse.cells.iter().all(|&cell| cell == fine.cells[0]));
    }
}
