//! Maps of low resolution as maps of the image.
//!
//! Networks enlarge a map bilinearly to their padded input, cut off the padding, and resize what is
//! left to the image. Both steps are linear, in rows and in columns separately: here they are one set
//! of weights for each row and each column of the image, so that any part of the large map can be had
//! without the rest.

use std::ops::Range;

use som_core::Size;
use tch::{Device, Tensor};

use crate::TorchResult;

/// How the second step resizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Between the two nearest, as PyTorch's `bilinear` without `antialias`.
    Bilinear,
    /// Cubic, of as many as the result shows in one, as PyTorch's `bicubic` with `antialias`.
    BicubicAntialias,
}

/// How maps of low resolution cover an image.
#[derive(Clone, Debug)]
pub struct Enlargement {
    low: Size,
    rows: Vec<Taps>,
    columns: Vec<Taps>,
    /// Whether no number of the large map lies beyond those that it is made of.
    is_between: bool,
}

/// The rows (or columns) of low resolution that make one of the image: consecutive, from `start` on.
#[derive(Clone, Debug, PartialEq)]
struct Taps {
    start: usize,
    weights: Vec<f32>,
}

impl Enlargement {
    /// Maps of the size `low` that cover an input of the size `padded`, whose top left `inside` shows
    /// an image of the size `image`.
    pub fn new(low: Size, padded: Size, inside: Size, image: Size, filter: Filter) -> Self {
        let both = |low: u32, padded: u32, inside: u32, image: u32| {
            let first: Vec<Taps> = (0..inside).map(|index| between(index, low, padded)).collect();
            let second = (0..image).map(|index| match filter {
                Filter::Bilinear => between(index, inside, image),
                Filter::BicubicAntialias => cubic(index, inside, image),
            });
            second.map(|taps| taps.after(&first)).collect()
        };
        Self {
            low,
            rows: both(low.height, padded.height, inside.height, image.height),
            columns: both(low.width, padded.width, inside.width, image.width),
            is_between: filter == Filter::Bilinear,
        }
    }

    /// Maps of the size `low` that cover an image of the size `image`.
    pub fn once(low: Size, image: Size) -> Self {
        let all = |low: u32, image: u32| (0..image).map(|index| between(index, low, image)).collect();
        Self {
            low,
            rows: all(low.height, image.height),
            columns: all(low.width, image.width),
            is_between: true,
        }
    }

    /// The size of the large map.
    pub fn size(&self) -> Size {
        Size::new(self.columns.len() as u32, self.rows.len() as u32)
    }

    /// The rows of low resolution that rows of the large map are made of.
    pub fn rows_under(&self, rows: Range<usize>) -> Range<usize> {
        let taps = &self.rows[rows];
        let start = taps.iter().map(|taps| taps.start).min();
        let end = taps.iter().map(|taps| taps.start + taps.weights.len()).max();
        start.unwrap_or(0)..end.unwrap_or(0)
    }

    /// The rows and columns of the large map in which something may exceed `threshold`.
    pub fn part_above(&self, map: &[f32], threshold: f32) -> [Range<usize>; 2] {
        if !self.is_between {
            return [0..self.rows.len(), 0..self.columns.len()];
        }
        let (mut low_rows, mut low_columns) = (Bounds::default(), Bounds::default());
        for (y, row) in map.chunks_exact(self.low.width.max(1) as usize).enumerate() {
            let above = |value: &f32| *value > threshold;
            if let Some(first) = row.iter().position(above) {
                low_rows.include(y);
                low_columns.include(first);
                low_columns.include(row.iter().rposition(above).unwrap_or(first));
            }
        }
        [low_rows.touched(&self.rows), low_columns.touched(&self.columns)]
    }

    /// Rows of the low-resolution `map` with these columns of the large one.
    pub fn widen(
        &self,
        map: &[f32],
        rows: Range<usize>,
        columns: Range<usize>,
        wide: &mut Vec<f32>,
    ) {
        let width = self.low.width as usize;
        let columns = &self.columns[columns];
        wide.clear();
        for row in map.chunks_exact(width).skip(rows.start).take(rows.len()) {
            wide.extend(columns.iter().map(|taps| taps.of(&row[taps.start..])));
        }
    }

    /// Row `y` of the large map, of rows that are [wide](Self::widen) already, the first of which is
    /// row `first` of low resolution.
    pub fn row(&self, y: usize, wide: &[f32], first: usize, row: &mut [f32]) {
        row.fill(0.0);
        let taps = &self.rows[y];
        let rows = wide.chunks_exact(row.len().max(1)).skip(taps.start - first);
        for (weight, wide) in taps.weights.iter().zip(rows) {
            for (value, wide) in row.iter_mut().zip(wide) {
                *value += weight * wide;
            }
        }
    }

    /// What is at column `x` and row `y` of a large map of vectors, of a map `[rows, low columns,
    /// length]` the first row of which is row `first` of low resolution.
    pub fn vector(&self, [x, y]: [usize; 2], map: &[f32], first: usize, vector: &mut [f32]) {
        vector.fill(0.0);
        let (down, across) = (&self.rows[y], &self.columns[x]);
        let (width, length) = (self.low.width as usize, vector.len());
        for (row, above) in (down.start - first..).zip(&down.weights) {
            for (column, beside) in (across.start..).zip(&across.weights) {
                let values = &map[(row * width + column) * length..][..length];
                let weight = above * beside;
                for (sum, value) in vector.iter_mut().zip(values) {
                    *sum += weight * value;
                }
            }
        }
    }

    /// What rows are multiplied with from the left, `[large rows, low rows]`, and columns from the
    /// right, `[low columns, large columns]`, to enlarge a map as a whole.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn matrices(&self, device: Device) -> TorchResult<[Tensor; 2]> {
        let matrix = |taps: &[Taps], low: u32| {
            let low = low as usize;
            let mut numbers = vec![0.0_f32; taps.len() * low];
            for (row, taps) in numbers.chunks_exact_mut(low.max(1)).zip(taps) {
                row[taps.start..][..taps.weights.len()].copy_from_slice(&taps.weights);
            }
            Tensor::f_from_slice(&numbers)?
                .f_view([taps.len() as i64, low as i64])?
                .f_to_device(device)
        };
        let rows = matrix(&self.rows, self.low.height)?;
        let columns = matrix(&self.columns, self.low.width)?.f_tr()?;
        Ok([rows, columns])
    }
}

/// The first and the last of some indices.
#[derive(Default)]
struct Bounds(Option<(usize, usize)>);

impl Bounds {
    fn include(&mut self, index: usize) {
        self.0 = Some(self.0.map_or((index, index), |(first, last)| {
            (first.min(index), last.max(index))
        }));
    }

    /// The outputs that depend on an input within these. Taps are sorted.
    fn touched(&self, taps: &[Taps]) -> Range<usize> {
        let Some((first, last)) = self.0 else {
            return 0..0;
        };
        let from = taps.partition_point(|taps| taps.start + taps.weights.len() <= first);
        let to = taps.partition_point(|taps| taps.start <= last);
        from..to.max(from)
    }
}

impl Taps {
    /// What the inputs, from the first one that counts on, make.
    fn of(&self, inputs: &[f32]) -> f32 {
        self.weights.iter().zip(inputs).map(|(weight, value)| weight * value).sum()
    }

    /// The same of what `first` is made of.
    fn after(&self, first: &[Self]) -> Self {
        let parts = &first[self.start..][..self.weights.len()];
        let start = parts.iter().map(|part| part.start).min().unwrap_or(0);
        let end = parts.iter().map(|part| part.start + part.weights.len()).max();
        let mut weights = vec![0.0; end.unwrap_or(start) - start];
        for (weight, part) in self.weights.iter().zip(parts) {
            for (sum, inner) in weights[part.start - start..].iter_mut().zip(&part.weights) {
                *sum += weight * inner;
            }
        }
        Self { start, weights }
    }
}

/// The two inputs between which output `index` lies: `align_corners=False` of PyTorch's bilinear
/// interpolation, in single precision like it.
fn between(index: u32, input: u32, output: u32) -> Taps {
    let scale = input as f32 / output as f32;
    let place = (scale * (index as f32 + 0.5) - 0.5).max(0.0);
    let first = (place as u32).min(input - 1);
    let part = (place - first as f32).clamp(0.0, 1.0);
    Taps {
        start: first as usize,
        weights: match first + 1 < input {
            true => vec![1.0 - part, part],
            false => vec![1.0],
        },
    }
}

/// The inputs that output `index` shows, by a cubic filter as wide as four outputs, or as four inputs
/// when enlarging: `aten/src/ATen/native/cpu/UpSampleKernel.cpp` of PyTorch.
fn cubic(index: u32, input: u32, output: u32) -> Taps {
    let scale = input as f32 / output as f32;
    let unit = scale.max(1.0);
    let center = scale * (index as f32 + 0.5);
    let start = ((center - 2.0 * unit + 0.5) as i64).max(0) as u32;
    let end = ((center + 2.0 * unit + 0.5) as u32).min(input);
    let weights = (start..end).map(|input| keys((input as f32 - center + 0.5) / unit));
    let mut weights: Vec<f32> = weights.collect();
    let total: f32 = weights.iter().sum();
    for weight in &mut weights {
        *weight /= total;
    }
    Taps {
        start: start as usize,
        weights,
    }
}

/// Keys' cubic, with a = -0.5.
fn keys(x: f32) -> f32 {
    const A: f32 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tch::Kind;

    fn sides(size: Size) -> [i64; 2] {
        [size.height.into(), size.width.into()]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn equals_both_steps(
            across in 1_u32..7, down in 1_u32..7, width in 1_u32..90, height in 1_u32..90,
            cut in [0_u32..4, 0_u32..4], cubic in any::<bool>(), seed in any::<i64>(),
        ) {
            tch::manual_seed(seed);
            let low = Size::new(4 * across, 4 * down);
            let padded = Size::new(16 * across, 16 * down);
            let inside = Size::new(padded.width - cut[0], padded.height - cut[1]);
            let image = Size::new(width, height);
            let map = Tensor::randn(sides(low), (Kind::Float, Device::Cpu));
            let whole = map.view([1, 1, low.height.into(), low.width.into()])
                .upsample_bilinear2d(sides(padded), false, None, None)
                .narrow(2, 0, inside.height.into())
                .narrow(3, 0, inside.width.into());
            let (filter, expected) = if cubic {
                (Filter::BicubicAntialias, whole.internal_upsample_bicubic2d_aa(sides(image), false, None, None))
            } else {
                (Filter::Bilinear, whole.upsample_bilinear2d(sides(image), false, None, None))
            };
            let expected = expected.squeeze();
            let found = Enlargement::new(low, padded, inside, image, filter);
            let near = |other: Tensor| (other - &expected).abs().max().double_value(&[]) < 1e-4;
            let [rows, columns] = found.matrices(Device::Cpu).unwrap();
            prop_assert!(near(rows.matmul(&map).matmul(&columns).squeeze()));
            let map: Vec<f32> = Vec::try_from(map.flatten(0, -1)).unwrap();
            let above = found.part_above(&map, 1.0);
            let (mut wide, mut all, mut vectors) = (Vec::new(), Vec::new(), Vec::new());
            for y in 0..height as usize {
                let under = found.rows_under(y..y + 1);
                found.widen(&map, under.clone(), 0..width as usize, &mut wide);
                let mut row = vec![0.0; width as usize];
                found.row(y, &wide, under.start, &mut row);
                for (x, value) in row.iter().enumerate().filter(|(_, value)| **value > 1.0) {
                    prop_assert!(above[0].contains(&y) && above[1].contains(&x), "{value} at {x},{y}");
                }
                all.extend(row);
                for x in 0..width as usize {
                    let mut vector = [0.0];
                    found.vector([x, y], &map, 0, &mut vector);
                    vectors.extend(vector);
                }
            }
            prop_assert!(near(Tensor::from_slice(&all).view(sides(image)).squeeze()));
            prop_assert!(near(Tensor::from_slice(&vectors).view(sides(image)).squeeze()));
        }
    }
}
