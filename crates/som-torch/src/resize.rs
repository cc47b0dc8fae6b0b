//! Resizing as Pillow does it, to the byte.
//!
//! The official projects resize their inputs with Pillow, whose filters low-pass when shrinking
//! and round to bytes after each direction. Networks see the difference to other resamplers.
//! Source: Pillow, `src/libImaging/Resample.c`.

use std::borrow::Cow;

use image::{ImageBuffer, RgbImage};
use rayon::prelude::*;
use som_core::{Image, Size};

/// Bits behind the binary point of a weight.
const PRECISION: u32 = 32 - 8 - 2;

/// The size at which the longer side is `target`: SAM's and Detectron2's rule. No side gets 0.
pub fn longest_side(size: Size, target: u32) -> Size {
    let scale = f64::from(target) / f64::from(size.width.max(size.height).max(1));
    let side = |side: u32| ((f64::from(side) * scale + 0.5) as u32).max(1);
    Size::new(side(size.width), side(size.height))
}

/// The size at which the shorter side is `target`, unless the longer one then exceeded `most`:
/// Detectron2's rule (`ResizeShortestEdge`). No side gets 0.
pub fn shortest_edge(size: Size, target: u32, most: u32) -> Size {
    let [width, height] = [size.width, size.height].map(|side| f64::from(side.max(1)));
    let target = f64::from(target);
    let scale = target / width.min(height);
    let (width, height) = match height < width {
        true => (scale * width, target),
        false => (target, scale * height),
    };
    let scale = (f64::from(most) / width.max(height)).min(1.0);
    let side = |side: f64| ((side * scale + 0.5) as u32).max(1);
    Size::new(side(width), side(height))
}

/// The size at which the shorter side is `target`, and the longer one in proportion, cut off to whole
/// pixels: torchvision's rule for `Resize(target)`. No side gets 0.
pub fn shortest_side(size: Size, target: u32) -> Size {
    let Size { width, height } = size;
    // In double precision, as there.
    let longer = |short: u32, long: u32| {
        ((f64::from(target) * f64::from(long) / f64::from(short.max(1))) as u32).max(1)
    };
    if width <= height {
        Size::new(target, longer(width, height))
    } else {
        Size::new(longer(height, width), target)
    }
}

/// `image` at another size, bilinearly; byte-equal to Pillow's `Image.resize(…, BILINEAR)`.
pub fn bilinear(image: &Image<'_>, size: Size) -> RgbImage {
    resize(image, size, Kernel::Triangle)
}

/// `image` at another size, bicubically; byte-equal to Pillow's `Image.resize(…, BICUBIC)`.
pub fn bicubic(image: &Image<'_>, size: Size) -> RgbImage {
    resize(image, size, Kernel::Cubic)
}

/// Each direction rounds, so their order shows. It is Pillow 13's: first across, but first down
/// where the height shrinks by more than twice as many pixels as the width. (Until Pillow 12 it
/// was first across, always.)
fn resize(image: &Image<'_>, size: Size, kernel: Kernel) -> RgbImage {
    let (width, height) = image.dimensions();
    let lost = |from: u32, to: u32| i64::from(from) - i64::from(to);
    let (lost_across, lost_down) = (lost(width, size.width), lost(height, size.height));
    let pixels = Cow::Borrowed(&image.as_raw()[..]);
    let pixels = if lost_down > 0 && lost_down > 2 * lost_across {
        let pixels = down(pixels, Size::new(width, height), size.height, kernel);
        across(pixels, width, size.width, kernel)
    } else {
        let pixels = across(pixels, width, size.width, kernel);
        down(pixels, Size::new(size.width, height), size.height, kernel)
    };
    ImageBuffer::from_raw(size.width, size.height, pixels.into_owned()).unwrap_or_default()
}

/// Every row of `from` pixels with `to` pixels.
fn across(pixels: Cow<'_, [u8]>, from: u32, to: u32, kernel: Kernel) -> Cow<'_, [u8]> {
    if from == to {
        return pixels;
    }
    let filter = filter(from, to, kernel);
    let rows = pixels.par_chunks_exact(3 * from as usize);
    let mut resized = vec![0; 3 * to as usize * rows.len()];
    let resize = |(out, row): (&mut [u8], &[u8])| {
        for (out, taps) in out.chunks_exact_mut(3).zip(&filter) {
            let mut sums = [1_i32 << (PRECISION - 1); 3];
            let inputs = row[3 * taps.start..].chunks_exact(3);
            for (pixel, weight) in inputs.zip(&taps.weights) {
                for (sum, &value) in sums.iter_mut().zip(pixel) {
                    *sum += i32::from(value) * weight;
                }
            }
            for (out, sum) in out.iter_mut().zip(sums) {
                *out = to_byte(sum);
            }
        }
    };
    let outs = resized.par_chunks_exact_mut(3 * to as usize);
    outs.zip(rows).for_each(resize);
    resized.into()
}

/// Pixels of size `from` with `to` rows.
fn down(pixels: Cow<'_, [u8]>, from: Size, to: u32, kernel: Kernel) -> Cow<'_, [u8]> {
    if from.height == to {
        return pixels;
    }
    let filter = filter(from.height, to, kernel);
    let stride = 3 * from.width as usize;
    let mut resized = vec![0; stride * to as usize];
    let resize = |(out, taps): (&mut [u8], &Taps)| {
        let mut sums = vec![1_i32 << (PRECISION - 1); stride];
        let rows = pixels[taps.start * stride..].chunks_exact(stride);
        for (row, weight) in rows.zip(&taps.weights) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += i32::from(value) * weight;
            }
        }
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = to_byte(sum);
        }
    };
    let outs = resized.par_chunks_exact_mut(stride);
    outs.zip(&filter).for_each(resize);
    resized.into()
}

fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

/// The inputs of one output, from index `start` on.
struct Taps {
    start: usize,
    weights: Vec<i32>,
}

/// How much an input weighs, by its distance from the output.
#[derive(Clone, Copy)]
enum Kernel {
    Triangle,
    /// Keys' cubic, with a slope of -0.5 at its first zero.
    Cubic,
}

impl Kernel {
    /// From which distance on nothing weighs.
    const fn support(self) -> f64 {
        match self {
            Self::Triangle => 1.0,
            Self::Cubic => 2.0,
        }
    }

    fn weight(self, distance: f64) -> f64 {
        const SLOPE: f64 = -0.5;
        let x = distance.abs();
        match self {
            Self::Triangle => (1.0 - x).max(0.0),
            Self::Cubic if x < 1.0 => ((SLOPE + 2.0) * x - (SLOPE + 3.0)) * x * x + 1.0,
            Self::Cubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * SLOPE,
            Self::Cubic => 0.0,
        }
    }
}

/// The inputs of each output, under a kernel as wide as the outputs are apart (or the inputs, when
/// enlarging).
fn filter(input: u32, output: u32, kernel: Kernel) -> Vec<Taps> {
    let scale = f64::from(input) / f64::from(output);
    let stretch = scale.max(1.0);
    let support = stretch * kernel.support();
    let taps = |index: u32| {
        let center = (f64::from(index) + 0.5) * scale;
        let start = (center - support + 0.5).max(0.0) as usize;
        let end = ((center + support + 0.5) as usize).min(input as usize);
        // Pillow multiplies, where dividing could give another last bit.
        let shrink = 1.0 / stretch;
        let weights: Vec<f64> = (start..end)
            .map(|input| kernel.weight((input as f64 - center + 0.5) * shrink))
            .collect();
        let total: f64 = weights.iter().sum();
        let fixed = |weight: &f64| {
            let weight = weight / total * f64::from(1_u32 << PRECISION);
            (weight + 0.5_f64.copysign(weight)) as i32
        };
        Taps {
            start,
            weights: weights.iter().map(fixed).collect(),
        }
    };
    (0..output).map(taps).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_side_is_the_target() {
        assert_eq!(longest_side(Size::new(400, 267), 320), Size::new(320, 214));
        assert_eq!(longest_side(Size::new(3, 8000), 1024), Size::new(1, 1024));
        assert_eq!(longest_side(Size::new(1, 1), 1024), Size::new(1024, 1024));
    }

    #[test]
    fn the_shorter_side_is_the_target_unless_the_longer_is_too_long() {
        let size = |width, height| shortest_edge(Size::new(width, height), 800, 1333);
        assert_eq!(size(640, 480), Size::new(1067, 800));
        assert_eq!(size(480, 640), Size::new(800, 1067));
        assert_eq!(size(4000, 1000), Size::new(1333, 333));
        assert_eq!(size(1, 1), Size::new(800, 800));
        assert_eq!(size(1, 8000), Size::new(1, 1333));
    }

    /// Made with Pillow 13.0.0, of numbers that a multiplicative generator gives: first across for
    /// the wide one, first down for the others.
    #[test]
    fn both_orders_are_those_of_pillow() {
        let cases: [(Size, Size, &[u8]); 3] = [
            (
                Size::new(6, 31),
                Size::new(4, 5),
                &[
                    134, 119, 118, 134, 118, 119, 138, 113, 141, 119, 108, 121, 158, 142, 112, 145,
                    155, 126, 145, 137, 109, 117, 97, 108, 137, 125, 137, 132, 123, 157, 123, 127,
                    133, 143, 107, 122, 163, 107, 136, 156, 156, 150, 149, 150, 170, 138, 146, 151,
                    130, 116, 102, 136, 139, 126, 133, 133, 127, 99, 116, 145,
                ],
            ),
            (
                Size::new(31, 6),
                Size::new(7, 4),
                &[
                    133, 152, 155, 113, 115, 133, 153, 134, 110, 140, 149, 102, 132, 104, 112, 115,
                    99, 98, 157, 100, 150, 162, 139, 121, 105, 135, 109, 132, 127, 103, 138, 107,
                    130, 108, 102, 157, 131, 148, 123, 168, 143, 130, 149, 108, 114, 139, 131, 119,
                    155, 136, 155, 147, 135, 168, 117, 110, 152, 167, 135, 156, 152, 162, 154, 133,
                    140, 134, 114, 100, 141, 150, 161, 98, 138, 144, 101, 130, 121, 142, 114, 100,
                    147, 135, 113, 155,
                ],
            ),
            (
                Size::new(7, 5),
                Size::new(9, 3),
                &[
                    124, 178, 191, 74, 201, 134, 108, 156, 143, 167, 90, 198, 115, 102, 229, 112,
                    170, 129, 165, 183, 68, 173, 148, 73, 101, 87, 134, 168, 130, 115, 109, 130,
                    114, 107, 129, 102, 124, 111, 99, 60, 54, 145, 122, 141, 136, 167, 122, 113,
                    174, 89, 102, 145, 93, 113, 69, 72, 124, 128, 95, 133, 153, 92, 129, 141, 70,
                    108, 117, 58, 68, 163, 88, 139, 152, 71, 131, 164, 93, 155, 227, 180, 246,
                ],
            ),
        ];
        for (from, to, expected) in cases {
            let pixels = numbers(from);
            let image = Image::from_raw(from.width, from.height, pixels.as_slice()).unwrap();
            assert_eq!(
                bilinear(&image, to).as_raw(),
                expected,
                "{from:?} to {to:?}"
            );
        }
    }

    /// The same images, bicubically.
    #[test]
    fn bicubic_is_that_of_pillow() {
        let cases: [(Size, Size, &[u8]); 3] = [
            (
                Size::new(6, 31),
                Size::new(4, 5),
                &[
                    133, 117, 119, 133, 117, 117, 140, 112, 148, 120, 109, 122, 161, 142, 108, 145,
                    160, 127, 150, 139, 101, 111, 93, 105, 134, 124, 136, 130, 118, 164, 114, 129,
                    133, 144, 102, 118, 166, 104, 139, 160, 164, 149, 152, 150, 175, 141, 150, 153,
                    130, 115, 97, 138, 139, 127, 133, 132, 125, 94, 112, 147,
                ],
            ),
            (
                Size::new(31, 6),
                Size::new(7, 4),
                &[
                    131, 154, 161, 111, 112, 132, 157, 132, 109, 140, 158, 99, 133, 103, 112, 113,
                    94, 91, 160, 98, 155, 171, 141, 123, 95, 135, 103, 130, 128, 95, 139, 100, 129,
                    101, 96, 164, 131, 159, 118, 172, 141, 125, 146, 106, 113, 145, 132, 114, 158,
                    136, 166, 151, 138, 180, 112, 108, 151, 178, 135, 159, 152, 169, 157, 133, 147,
                    137, 108, 90, 145, 153, 166, 91, 140, 148, 96, 132, 119, 144, 110, 97, 145,
                    135, 111, 157,
                ],
            ),
            (
                Size::new(7, 5),
                Size::new(9, 3),
                &[
                    129, 179, 198, 63, 213, 130, 105, 162, 137, 182, 81, 209, 117, 103, 233, 105,
                    180, 126, 178, 199, 51, 185, 151, 64, 92, 83, 133, 180, 127, 108, 101, 127,
                    110, 99, 130, 91, 126, 109, 88, 56, 51, 145, 123, 150, 139, 174, 123, 115, 176,
                    79, 101, 145, 94, 105, 62, 70, 123, 132, 97, 135, 163, 95, 132, 138, 69, 104,
                    115, 57, 64, 166, 89, 146, 145, 60, 128, 158, 87, 153, 233, 186, 255,
                ],
            ),
        ];
        for (from, to, expected) in cases {
            let pixels = numbers(from);
            let image = Image::from_raw(from.width, from.height, pixels.as_slice()).unwrap();
            assert_eq!(bicubic(&image, to).as_raw(), expected, "{from:?} to {to:?}");
        }
    }

    #[test]
    fn the_shorter_side_is_the_target() {
        assert_eq!(shortest_side(Size::new(300, 200), 180), Size::new(270, 180));
        assert_eq!(shortest_side(Size::new(427, 640), 640), Size::new(640, 959));
        assert_eq!(shortest_side(Size::new(5, 1), 64), Size::new(320, 64));
        assert_eq!(shortest_side(Size::new(7, 7), 64), Size::new(64, 64));
    }

    fn numbers(size: Size) -> Vec<u8> {
        let numbers = std::iter::successors(Some(75_u32), |state| Some(state * 75 % 65537));
        let count = 3 * (size.width * size.height) as usize;
        numbers.map(|state| state as u8).take(count).collect()
    }

    #[test]
    fn a_flat_image_stays_flat_at_any_size() {
        let pixels = [[7, 200, 255]; 15].concat();
        let image = Image::from_raw(5, 3, pixels.as_slice()).unwrap();
        for size in [
            Size::new(1, 1),
            Size::new(5, 3),
            Size::new(4, 7),
            Size::new(90, 2),
        ] {
            let resized = bilinear(&image, size);
            assert_eq!(resized.dimensions(), (size.width, size.height));
            assert!(resized.pixels().all(|pixel| pixel.0 == [7, 200, 255]));
        }
    }
}
