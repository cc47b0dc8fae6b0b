//! Outline: the basins at the full resolution of the image, with smooth outlines on its edges.
//!
//! Each pixel near an outline takes the label that the working pixels around it vote for, where
//! near ones and ones of its own colour count more: the joint bilateral upsampling of Kopf, Cohen,
//! Lischinski and Uyttendaele, 2007, done to labels.

use som_core::{Call, Image, Result, Size};

use crate::{
    connect::connect,
    grid::Grid,
    partition::{Partition, Runs},
};

/// The partition of `image` into the basins of its working copy.
///
/// # Errors
/// Cancelled.
pub(crate) fn outline(
    image: &Image<'_>,
    working: &Grid<[u8; 3]>,
    basins: &Grid<u32>,
    call: &Call<'_>,
) -> Result<Partition> {
    let (width, height) = image.dimensions();
    let across = Axis::new(width, working.width);
    let down = Axis::new(height, working.height);
    let (colors, labels) = (working.mirrored(REACH), basins.mirrored(REACH));
    let affinity = Affinity::new();
    let mut runs = Runs::new(Size::new(width, height));
    for y in 0..height {
        call.check()?;
        let row = down.cell(y);
        let is_plain = plain_cells(&labels, row);
        let down = down.weights(y, row);
        let mut x = 0;
        while x < width {
            let column = across.cell(x);
            if is_plain[column] {
                x = across.end(column);
                runs.push(x, basins.at(column, row));
                continue;
            }
            let pixel = image.get_pixel(x, y).0;
            let across = across.weights(x, column);
            let mut votes = Votes::default();
            for (y, down) in (row..).zip(down) {
                for (x, across) in (column..).zip(across) {
                    let weight = down * across * affinity.between(pixel, colors.at(x, y));
                    votes.add(labels.at(x, y), weight);
                }
            }
            x += 1;
            runs.push(x, votes.winner());
        }
        runs.end_row();
    }
    Ok(connect(&runs))
}

/// How far away voters are, in working pixels.
const REACH: usize = 1;

const SIDE: usize = 2 * REACH + 1;

/// For each cell of a row, whether all voters have its label. `labels` are framed by [`REACH`].
fn plain_cells(labels: &Grid<u32>, row: usize) -> Vec<bool> {
    let mut is_plain = vec![true; labels.width - 2 * REACH];
    let own = &labels.row(row + REACH)[REACH..];
    for y in row..row + SIDE {
        let windows = labels.row(y).windows(SIDE);
        for ((is_plain, own), window) in is_plain.iter_mut().zip(own).zip(windows) {
            *is_plain &= window.iter().all(|label| label == own);
        }
    }
    is_plain
}

/// How the pixels of the image lie on the cells of the working copy, in one direction.
struct Axis {
    pixels: u64,
    cells: u64,
}

impl Axis {
    fn new(pixels: u32, cells: usize) -> Self {
        Self {
            pixels: u64::from(pixels),
            cells: cells as u64,
        }
    }

    /// The cell that the pixel's middle lies in.
    fn cell(&self, pixel: u32) -> usize {
        ((2 * u64::from(pixel) + 1) * self.cells / (2 * self.pixels)) as usize
    }

    /// The first pixel after the cell.
    fn end(&self, cell: usize) -> u32 {
        let end = 2 * self.pixels * (cell as u64 + 1);
        end.saturating_sub(self.cells).div_ceil(2 * self.cells) as u32
    }

    /// What the cells around `cell` count for the pixel: a Gaussian with a standard deviation of
    /// one cell.
    fn weights(&self, pixel: u32, cell: usize) -> [f32; SIDE] {
        let scale = self.cells as f64 / self.pixels as f64;
        let first = (f64::from(pixel) + 0.5) * scale - 0.5 - cell as f64 + REACH as f64;
        std::array::from_fn(|index| {
            let distance = first - index as f64;
            (-0.5 * distance * distance).exp() as f32
        })
    }
}

/// How much two colours count as the same: a table over their squared distance in RGB.
struct Affinity(Vec<f32>);

impl Affinity {
    /// Distance at which colours begin to differ.
    const SPREAD: f64 = 20.0;

    /// What a vote counts whatever its colour: it keeps outlines smooth where colours are noise.
    const LEAST: f64 = 0.15;

    /// Squared distances a step.
    const STEP: u32 = 64;

    fn new() -> Self {
        let steps = 3 * 255 * 255 / Self::STEP + 1;
        let affinity = |step: u32| {
            let squared = f64::from(step * Self::STEP);
            (Self::LEAST + (-0.5 * squared / (Self::SPREAD * Self::SPREAD)).exp()) as f32
        };
        Self((0..steps).map(affinity).collect())
    }

    fn between(&self, a: [u8; 3], b: [u8; 3]) -> f32 {
        let squared: u32 = a
            .iter()
            .zip(b)
            .map(|(&a, b)| u32::from(a.abs_diff(b)).pow(2))
            .sum();
        self.0[(squared / Self::STEP) as usize]
    }
}

/// The votes for each label.
#[derive(Default)]
struct Votes {
    labels: [u32; SIDE * SIDE],
    weights: [f32; SIDE * SIDE],
    count: usize,
}

impl Votes {
    fn add(&mut self, label: u32, weight: f32) {
        let known = self.labels[..self.count]
            .iter()
            .position(|&known| known == label);
        let index = known.unwrap_or_else(|| {
            self.labels[self.count] = label;
            self.count += 1;
            self.count - 1
        });
        self.weights[index] += weight;
    }

    /// The label with most; the first of equals.
    fn winner(&self) -> u32 {
        let mut best = 0;
        for index in 1..self.count {
            if self.weights[index] > self.weights[best] {
                best = index;
            }
        }
        self.labels[best]
    }
}

#[cfg(test)]
mod tests {
    use som_core::Params;

    use super::*;

    #[test]
    fn pixels_and_cells_fit_together() {
        for (pixels, cells) in [(1, 1), (7, 7), (10, 4), (640, 480), (1001, 7), (4000, 640)] {
            let axis = Axis::new(pixels, cells);
            let mut pixel = 0;
            for cell in 0..cells {
                let end = axis.end(cell);
                assert!(
                    (pixel..end).all(|pixel| axis.cell(pixel) == cell),
                    "{pixels} on {cells}"
                );
                pixel = end;
            }
            assert_eq!(pixel, pixels);
        }
    }

    /// An edge that does not fall between working pixels is found where it is.
    #[test]
    fn outlines_follow_edges_of_the_full_resolution() {
        let edge = |y: u32| 30 + y / 3;
        let full = image::RgbImage::from_fn(80, 60, |x, y| {
            image::Rgb(if x < edge(y) {
                [200, 60, 40]
            } else {
                [30, 90, 120]
            })
        });
        let image = Image::from_raw(80, 60, full.as_raw().as_slice()).unwrap();
        let small = Grid::new(
            20,
            15,
            (0..300)
                .map(|i| full.get_pixel(i % 20 * 4 + 1, i / 20 * 4 + 1).0)
                .collect(),
        );
        // The basins are off by up to one working pixel.
        let basins = Grid::new(
            20,
            15,
            (0..300_u32)
                .map(|i| u32::from(i % 20 > 7 + i / 60))
                .collect(),
        );
        let params = Params::new();
        let partition = outline(&image, &small, &basins, &Call::uncancellable(&params)).unwrap();
        let labels = partition.sampled(80, 60);
        for y in 0..60 {
            let found = (0..80).find(|&x| labels.at(x, y) == 1).unwrap();
            let expected = edge(y as u32) as usize;
            assert!(
                found.abs_diff(expected) <= 1,
                "row {y}: {found} for {expected}"
            );
        }
    }
}
