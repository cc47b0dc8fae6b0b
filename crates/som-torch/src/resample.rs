//! Maps of logits at another size, through any number of linear steps at once.
//!
//! The official projects bring masks to an image's size in steps: enlarged to the padded input, cut
//! to the part that shows the image, resized to its original size. Each step is linear and treats
//! rows and columns apart, so all of them are folded into one set of weights per row and column,
//! and no map ever exists at the sizes between.

use std::ops::Range;

use som_core::Size;

/// What one axis does: for each output the inputs that it is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    inputs: usize,
    taps: Vec<Taps>,
}

/// Consecutive inputs from `start` on, with their weights.
#[derive(Clone, Debug, PartialEq)]
struct Taps {
    start: usize,
    weights: Vec<f32>,
}

impl Axis {
    /// Leaves `size` numbers as they are.
    pub fn identity(size: u32) -> Self {
        let taps = |start| Taps {
            start,
            weights: vec![1.0],
        };
        Self {
            inputs: size as usize,
            taps: (0..size as usize).map(taps).collect(),
        }
    }

    /// Number of outputs.
    pub const fn len(&self) -> usize {
        self.taps.len()
    }

    /// True if nothing comes out.
    pub const fn is_empty(&self) -> bool {
        self.taps.is_empty()
    }

    /// Only the first `size` outputs.
    #[must_use]
    pub fn cropped(mut self, size: u32) -> Self {
        self.taps.truncate(size as usize);
        self
    }

    /// Then linearly to `size` outputs: PyTorch's `bilinear` with `align_corners=False`, in single
    /// precision like it.
    #[must_use]
    pub fn bilinear(self, size: u32) -> Self {
        let inputs = self.len();
        let scale = inputs as f32 / size as f32;
        self.then(size, |index| {
            let position = (scale * (index as f32 + 0.5) - 0.5).max(0.0);
            let start = (position as usize).min(inputs.saturating_sub(1));
            let fraction = (position - start as f32).clamp(0.0, 1.0);
            let weights = if start + 1 < inputs {
                vec![1.0 - fraction, fraction]
            } else {
                vec![1.0]
            };
            Taps { start, weights }
        })
    }

    /// Then by cubic convolution to `size` outputs, low-passed where that is fewer: PyTorch's
    /// `bicubic` with `antialias=True`, which is Pillow's (Keys' kernel with a of -1/2).
    #[must_use]
    pub fn bicubic_antialiased(self, size: u32) -> Self {
        let inputs = self.len();
        let scale = inputs as f32 / size as f32;
        let widened = scale.max(1.0);
        let support = 2.0 * widened;
        self.then(size, |index| {
            let center = scale * (index as f32 + 0.5);
            let start = (center - support + 0.5).max(0.0) as usize;
            let end = ((center + support + 0.5) as usize).min(inputs);
            let weight = |input| cubic((input as f32 - center + 0.5) / widened);
            let weights: Vec<f32> = (start..end).map(weight).collect();
            let total: f32 = weights.iter().sum();
            Taps {
                start,
                weights: weights.iter().map(|weight| weight / total).collect(),
            }
        })
    }

    /// Each of `size` outputs as these taps of the outputs so far.
    fn then(self, size: u32, taps: impl Fn(u32) -> Taps) -> Self {
        let fold = |index| {
            let Taps { start, weights } = taps(index);
            let parts = self.taps.get(start..start + weights.len());
            let parts = parts.unwrap_or_default();
            let first = parts.iter().map(|part| part.start).min().unwrap_or(0);
            let end = parts.iter().map(|part| part.start + part.weights.len());
            let mut folded = vec![0.0; end.max().unwrap_or(first) - first];
            for (part, weight) in parts.iter().zip(&weights) {
                let into = &mut folded[part.start - first..];
                for (sum, inner) in into.iter_mut().zip(&part.weights) {
                    *sum += weight * inner;
                }
            }
            Taps {
                start: first,
                weights: folded,
            }
        };
        Self {
            inputs: self.inputs,
            taps: (0..size).map(fold).collect(),
        }
    }

    /// The inputs that these outputs are made of.
    pub(crate) fn needed(&self, outputs: &Range<usize>) -> Range<usize> {
        let taps = &self.taps[outputs.clone()];
        let start = taps.iter().map(|taps| taps.start).min();
        let end = taps.iter().map(|taps| taps.start + taps.weights.len());
        start.unwrap_or(0)..end.max().unwrap_or(0)
    }
}

/// Keys' cubic convolution kernel.
fn cubic(x: f32) -> f32 {
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

/// What rows and columns do.
#[derive(Clone, Debug, PartialEq)]
pub struct Resampling {
    /// From top to bottom.
    pub rows: Axis,
    /// From left to right.
    pub columns: Axis,
}

impl Resampling {
    /// How many numbers a map has.
    pub const fn inputs(&self) -> usize {
        self.rows.inputs * self.columns.inputs
    }

    /// The size of what comes out.
    pub fn size(&self) -> Size {
        Size::new(self.columns.len() as u32, self.rows.len() as u32)
    }

    /// These rows of one map, which comes as all of its numbers, row by row; into `out`, row by
    /// row.
    pub fn band(&self, map: &[f32], rows: Range<usize>, out: &mut [f32]) {
        self.band_from(0, map, rows, out);
    }

    /// The same of a map of which only the rows from `first` on are there, as far as needed.
    pub fn band_from(&self, first: usize, map: &[f32], rows: Range<usize>, out: &mut [f32]) {
        let Self {
            rows: down,
            columns,
        } = self;
        let width = columns.len();
        let needed = down.needed(&rows);
        let mut stretched = vec![0.0_f32; needed.len() * width];
        let low =
            map[(needed.start - first) * columns.inputs..].chunks_exact(columns.inputs.max(1));
        // The columns first, since that is the pass which cannot be vectorised.
        for (row, stretched) in low.zip(stretched.chunks_exact_mut(width.max(1))) {
            for (value, taps) in stretched.iter_mut().zip(&columns.taps) {
                let inputs = &row[taps.start..];
                *value = taps.weights.iter().zip(inputs).map(|(w, v)| w * v).sum();
            }
        }
        let taps = &down.taps[rows];
        for (taps, out) in taps.iter().zip(out.chunks_exact_mut(width.max(1))) {
            out.fill(0.0);
            let from = (taps.start - needed.start) * width;
            let inputs = stretched[from..].chunks_exact(width.max(1));
            for (weight, row) in taps.weights.iter().zip(inputs) {
                for (value, input) in out.iter_mut().zip(row) {
                    *value += weight * input;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tch::Tensor;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn equals_the_steps_one_after_another(
            grid in (1_u32..12, 1_u32..12), inside in (1_u32..33, 1_u32..33),
            // PyTorch 2.11 repeats the first row of what it filters bicubically to one column.
            out in (1_u32..90, 2_u32..90),
            seed in any::<u64>(), cubic in any::<bool>(),
        ) {
            let (low, padded) = ((8 * grid.0, 8 * grid.1), (32 * grid.0, 32 * grid.1));
            let inside = (inside.0.min(padded.0), inside.1.min(padded.1));
            let mut state = seed | 1;
            let map: Vec<f32> = (0..low.0 * low.1).map(|_| {
                state ^= state << 13; state ^= state >> 7; state ^= state << 17;
                (state % 4001) as f32 / 1000.0 - 2.0
            }).collect();
            let steps = Tensor::from_slice(&map)
                .view([1, 1, i64::from(low.0), i64::from(low.1)])
                .upsample_bilinear2d([i64::from(padded.0), i64::from(padded.1)], false, None, None)
                .narrow(2, 0, inside.0.into())
                .narrow(3, 0, inside.1.into());
            let size = [i64::from(out.0), i64::from(out.1)];
            let steps = if cubic {
                steps.internal_upsample_bicubic2d_aa(size, false, None, None)
            } else {
                steps.upsample_bilinear2d(size, false, None, None)
            };
            let steps: Vec<f32> = Vec::try_from(steps.flatten(0, -1)).unwrap();
            let axis = |low, padded, inside, out| {
                let axis = Axis::identity(low).bilinear(padded).cropped(inside);
                if cubic { axis.bicubic_antialiased(out) } else { axis.bilinear(out) }
            };
            let resampling = Resampling {
                rows: axis(low.0, padded.0, inside.0, out.0),
                columns: axis(low.1, padded.1, inside.1, out.1),
            };
            // In two bands, whose seam must not show.
            let mut found = vec![0.0; (out.0 * out.1) as usize];
            let half = out.0 as usize / 2;
            let (top, bottom) = found.split_at_mut(half * out.1 as usize);
            resampling.band(&map, 0..half, top);
            resampling.band(&map, half..out.0 as usize, bottom);
            for (found, expected) in found.iter().zip(&steps) {
                prop_assert!((found - expected).abs() < 2e-5, "{found} {expected}");
            }
        }
    }
}
