//! From a network's low-resolution logits to masks of the image.
//!
//! SAM, and networks after it, upsample logits bilinearly to the padded input, cut off the padding,
//! resize again to the image, and only then threshold. Here that is one pass per mask that keeps no full-size
//! logits: both interpolations are folded into one set of weights per row and column, rows are
//! thresholded as they arise, and rows and columns where no logit can reach a threshold are
//! skipped.

use som_core::{BBox, Mask, MaskBuilder, Size};

/// How low-resolution logits cover one image, or one crop of it.
#[derive(Clone, Debug)]
pub struct Upsampling {
    /// Low-resolution columns.
    low_width: usize,
    low_height: usize,
    rows: Vec<Taps>,
    columns: Vec<Taps>,
    /// Where the crop lies in the image, and the image's size.
    crop: BBox,
    image: Size,
}

/// The low-resolution rows (or columns) that make one of the image: consecutive, from `start` on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Taps {
    start: usize,
    weights: [f32; 3],
}

/// A mask and how much it depends on the threshold.
#[derive(Clone, Debug)]
pub struct Thresholded {
    /// Pixels whose logit exceeds the threshold, in the image (not in the crop).
    pub mask: Mask,
    /// IoU of the masks at `threshold + offset` and at `threshold - offset`; NaN if both are empty.
    pub stability_score: f32,
}

impl Upsampling {
    /// Logits of the size `low` that cover an input of the size `padded`, which is no smaller and
    /// whose top-left `inside` shows the pixels `crop` of an image of size `image`.
    pub fn new(low: Size, padded: Size, inside: Size, crop: BBox, image: Size) -> Self {
        Self {
            low_width: low.width as usize,
            low_height: low.height as usize,
            rows: taps(low.height, padded.height, inside.height, crop.height),
            columns: taps(low.width, padded.width, inside.width, crop.width),
            crop,
            image,
        }
    }

    /// The mask of `logits` (of the size `low`, row by row) above `threshold`, and its stability.
    pub fn threshold(&self, logits: &[f32], threshold: f32, offset: f32) -> Thresholded {
        let (higher, lower) = (threshold + offset, threshold - offset);
        let mut mask = MaskBuilder::new(self.image);
        let (mut above_higher, mut above_lower) = (0_u64, 0_u64);
        let part = self.part_above(logits, lower.min(threshold));
        // The columns first, since that is the pass which cannot be vectorised.
        let columns = &self.columns[part.columns.clone()];
        let width = columns.len();
        let mut wide = vec![0.0_f32; self.low_height * width];
        for row in part.low_rows {
            let logits = &logits[row * self.low_width..(row + 1) * self.low_width];
            let wide = &mut wide[row * width..(row + 1) * width];
            for (value, taps) in wide.iter_mut().zip(columns) {
                *value = taps
                    .weights
                    .iter()
                    .zip(&logits[taps.start..])
                    .map(|(w, v)| w * v)
                    .sum();
            }
        }
        let mut values = vec![0.0_f32; width];
        for y in part.rows {
            let taps = self.rows[y];
            values.fill(0.0);
            for (weight, wide) in taps
                .weights
                .iter()
                .zip(wide[taps.start * width..].chunks_exact(width.max(1)))
            {
                for (value, wide) in values.iter_mut().zip(wide) {
                    *value += weight * wide;
                }
            }
            above_higher += count_above(&values, higher);
            above_lower += count_above(&values, lower);
            let y = self.crop.y + y as u32;
            let left = self.crop.x + part.columns.start as u32;
            push_runs(&mut mask, y, left, &values, threshold);
        }
        Thresholded {
            mask: mask.finish(),
            stability_score: above_higher as f32 / above_lower as f32,
        }
    }

    /// Where some logit exceeds `threshold`. Interpolation never exceeds what it interpolates.
    fn part_above(&self, logits: &[f32], threshold: f32) -> Part {
        let mut low_rows = Bounds::default();
        let mut low_columns = Bounds::default();
        for (y, row) in logits.chunks_exact(self.low_width).enumerate() {
            let above = |value: &f32| *value > threshold;
            if let Some(first) = row.iter().position(above) {
                low_rows.include(y);
                low_columns.include(first);
                low_columns.include(row.iter().rposition(above).unwrap_or(first));
            }
        }
        let rows = touching(&self.rows, &low_rows);
        let first = rows.clone().next().map_or(0, |y| self.rows[y].start);
        let last = rows
            .clone()
            .next_back()
            .map_or(0, |y| self.rows[y].start + 3);
        Part {
            low_rows: first..last.min(self.low_height),
            columns: touching(&self.columns, &low_columns),
            rows,
        }
    }
}

/// A part of the image, and the low-resolution rows it is made of.
struct Part {
    rows: std::ops::Range<usize>,
    columns: std::ops::Range<usize>,
    low_rows: std::ops::Range<usize>,
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
}

/// The outputs that depend on an input within `bounds`. Taps are sorted.
fn touching(taps: &[Taps], bounds: &Bounds) -> std::ops::Range<usize> {
    let Some((first, last)) = bounds.0 else {
        return 0..0;
    };
    let from = taps.partition_point(|taps| taps.start + 2 < first);
    let to = taps.partition_point(|taps| taps.start <= last);
    from..to.max(from)
}

fn count_above(values: &[f32], threshold: f32) -> u64 {
    values
        .iter()
        .map(|&value| u32::from(value > threshold))
        .sum::<u32>()
        .into()
}

fn push_runs(mask: &mut MaskBuilder, y: u32, left: u32, values: &[f32], threshold: f32) {
    let mut start = None;
    for (x, &value) in (left..).zip(values) {
        match start {
            None if value > threshold => start = Some(x),
            Some(from) if value <= threshold => {
                mask.push(y, from, x);
                start = None;
            }
            _ => {}
        }
    }
    if let Some(from) = start {
        mask.push(y, from, left + values.len() as u32);
    }
}

/// Per output, the weights of the inputs over both interpolations.
fn taps(low: u32, padded: u32, inside: u32, output: u32) -> Vec<Taps> {
    let fold = |index| {
        let mut taps = Taps::default();
        let [(first, weight), (second, rest)] = neighbors(index, inside, output);
        let parts = [(first, weight), (second, rest)].map(|(index, weight)| {
            neighbors(index, low, padded).map(|(index, inner)| (index as usize, weight * inner))
        });
        // Three consecutive inputs cover all four parts, since the first step only enlarges.
        taps.start = parts[0][0].0.min((low as usize).saturating_sub(3));
        for (index, weight) in parts.as_flattened() {
            if let Some(slot) = taps.weights.get_mut(index - taps.start) {
                *slot += weight;
            }
        }
        taps
    };
    (0..output).map(fold).collect()
}

/// The two inputs between which output `index` lies, and their weights: `align_corners=False` of
/// PyTorch's bilinear interpolation, in single precision like it.
fn neighbors(index: u32, input: u32, output: u32) -> [(u32, f32); 2] {
    let scale = input as f32 / output as f32;
    let position = (scale * (index as f32 + 0.5) - 0.5).max(0.0);
    let first = (position as u32).min(input - 1);
    let fraction = (position - first as f32).clamp(0.0, 1.0);
    [
        (first, 1.0 - fraction),
        ((first + 1).min(input - 1), fraction),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tch::Tensor;

    /// What the official project computes, step by step.
    fn reference(low: Size, padded: Size, inside: Size, output: Size, logits: &[f32]) -> Vec<f32> {
        let sides = |size: Size| [i64::from(size.height), i64::from(size.width)];
        let [rows, columns] = sides(low);
        let logits = Tensor::from_slice(logits).view([1, 1, rows, columns]);
        let full = logits
            .upsample_bilinear2d(sides(padded), false, None, None)
            .narrow(2, 0, inside.height.into())
            .narrow(3, 0, inside.width.into())
            .upsample_bilinear2d(sides(output), false, None, None);
        Vec::try_from(full.flatten(0, -1)).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn equals_upsampling_in_two_steps(
            across in 1_u32..12, down in 1_u32..12, square in any::<bool>(),
            width in 1_u32..90, height in 1_u32..90, seed in any::<u64>(), offset in 0.0_f32..1.0,
        ) {
            let grid = Size::new(across, if square { across } else { down });
            let low = Size::new(4 * grid.width, 4 * grid.height);
            let padded = Size::new(16 * grid.width, 16 * grid.height);
            let output = Size::new(width, height);
            let longest = padded.width.min(padded.height);
            let inside = crate::resize::longest_side(output, longest);
            let mut state = seed | 1;
            let logits: Vec<f32> = (0..low.width * low.height).map(|_| {
                state ^= state << 13; state ^= state >> 7; state ^= state << 17;
                (state % 4001) as f32 / 1000.0 - 2.2
            }).collect();
            let full = reference(low, padded, inside, output, &logits);
            let crop = BBox::new(3, 5, width, height);
            let image = Size::new(width + 4, height + 9);
            let upsampling = Upsampling::new(low, padded, inside, crop, image);
            let found = upsampling.threshold(&logits, 0.0, offset);
            let above = |threshold: f32, slack: f32| {
                full.iter().filter(|&&value| value > threshold + slack).count() as f32
            };
            let mut differing = 0;
            for (index, value) in full.iter().enumerate() {
                let (x, y) = (index as u32 % width, index as u32 / width);
                if found.mask.contains(som_core::Point::new(x + 3, y + 5)) != (*value > 0.0) {
                    prop_assert!(value.abs() < 1e-5, "{value} at {x},{y}");
                    differing += 1;
                }
            }
            prop_assert_eq!(found.mask.size(), image);
            prop_assert!((found.mask.area() as f32 - above(0.0, 0.0)).abs() <= differing as f32);
            let (least, most) = (above(offset, 1e-5) / above(-offset, -1e-5), above(offset, -1e-5) / above(-offset, 1e-5));
            if least.is_finite() && most.is_finite() {
                prop_assert!(found.stability_score >= least - 1e-6 && found.stability_score <= most + 1e-6);
            }
        }
    }

    #[test]
    fn nothing_above_gives_an_empty_mask_without_stability() {
        let upsampling = Upsampling::new(
            Size::new(8, 8),
            Size::new(32, 32),
            Size::new(32, 20),
            Size::new(64, 40).bbox(),
            Size::new(64, 40),
        );
        let found = upsampling.threshold(&[-3.0; 64], 0.0, 1.0);
        assert!(found.mask.is_empty());
        assert!(found.stability_score.is_nan());
        let found = upsampling.threshold(&[3.0; 64], 0.0, 1.0);
        assert_eq!(found.mask.area(), 64 * 40);
        assert_eq!(found.stability_score, 1.0);
    }
}
