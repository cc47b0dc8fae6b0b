//! Resizing as Pillow does it, to the byte.
//!
//! The official projects resize their inputs with Pillow, whose filters low-pass when shrinking
//! and round to bytes after each direction. Networks see the difference to other resamplers.
//! Source: Pillow, `src/libImaging/Resample.c`.

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

/// `image` at another size, bilinearly; byte-equal to Pillow's `Image.resize(…, BILINEAR)`.
pub fn bilinear(image: &Image<'_>, size: Size) -> RgbImage {
    let (width, height) = image.dimensions();
    let pixels = if width == size.width {
        image.as_raw().to_vec()
    } else {
        let filter = filter(width, size.width);
        let mut pixels = vec![0; 3 * size.width as usize * height as usize];
        let rows = pixels.par_chunks_mut(3 * size.width as usize);
        rows.zip(image.as_raw().par_chunks(3 * width as usize))
            .for_each(|(out, row)| {
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
            });
        pixels
    };
    let pixels = if height == size.height {
        pixels
    } else {
        let stride = 3 * size.width as usize;
        let filter = filter(height, size.height);
        let mut resized = vec![0; stride * size.height as usize];
        resized
            .par_chunks_mut(stride)
            .zip(&filter)
            .for_each(|(out, taps)| {
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
            });
        resized
    };
    ImageBuffer::from_raw(size.width, size.height, pixels).unwrap_or_default()
}

fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

/// The inputs of one output, from index `start` on.
struct Taps {
    start: usize,
    weights: Vec<i32>,
}

/// A triangle as wide as two outputs (or two inputs, when enlarging) around each output.
fn filter(input: u32, output: u32) -> Vec<Taps> {
    let scale = f64::from(input) / f64::from(output);
    let support = scale.max(1.0);
    let taps = |index: u32| {
        let center = (f64::from(index) + 0.5) * scale;
        let start = (center - support + 0.5).max(0.0) as usize;
        let end = ((center + support + 0.5) as usize).min(input as usize);
        let weights: Vec<f64> = (start..end)
            .map(|input| (1.0 - ((input as f64 - center + 0.5) / support).abs()).max(0.0))
            .collect();
        let total: f64 = weights.iter().sum();
        let fixed = |weight: &f64| (0.5 + weight / total * f64::from(1_u32 << PRECISION)) as i32;
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
