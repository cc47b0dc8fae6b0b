//! How far an object moved from one frame to the next: block matching over a pyramid of gray images,
//! coarse to fine.

use crate::{BBox, Image, Mask};

/// The shortest side in pixels of the coarsest level.
const LEAST_SIDE: u32 = 32;
/// The most levels.
const LEVELS: usize = 5;
/// How far is looked on the coarsest level, in its pixels.
const REACH: i64 = 12;
/// How far on each finer one, around what the coarser one found.
const FINER: i64 = 2;
/// About so many pixels of an object are compared.
const SAMPLES: u64 = 400;
/// What lies around an object is compared as well, so far in pixels of a level: the inside of a plain
/// thing looks the same wherever it is.
const AROUND: u32 = 2;
/// What a pixel of the object counts …
const INSIDE: u64 = 2;
/// … and one around it, most often of what does not move along.
const OUTSIDE: u64 = 1;
/// Of the pixels to compare, at least one in so many has to lie inside the next frame.
const IN_SIGHT: u64 = 4;

/// A gray image at several sizes, each half as large as the one before.
#[derive(Clone, Debug)]
pub(super) struct Pyramid(Vec<Plane>);

#[derive(Clone, Debug)]
struct Plane {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

/// A displacement in pixels, and what is left of a difference then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shift {
    pub(super) x: i64,
    pub(super) y: i64,
    /// Mean difference of gray values, 0 to 255.
    pub(super) error: f32,
}

impl Pyramid {
    pub(super) fn new(image: &Image<'_>) -> Self {
        let (width, height) = image.dimensions();
        let gray = |&[red, green, blue]: &[u8; 3]| {
            // The weights of ITU-R BT.601 in 256ths.
            ((77 * u32::from(red) + 150 * u32::from(green) + 29 * u32::from(blue)) >> 8) as u8
        };
        let pixels = image.as_raw().as_chunks().0.iter().map(gray).collect();
        let mut levels = vec![Plane {
            width,
            height,
            pixels,
        }];
        while let Some(finest) = levels.last()
            && levels.len() < LEVELS
            && finest.width.min(finest.height) >= 2 * LEAST_SIDE
        {
            let half = finest.half();
            levels.push(half);
        }
        Self(levels)
    }

    /// Where what `mask` covers here went in `next`, an image of the same size; `None` if that is
    /// outside of it.
    pub(super) fn shift(&self, next: &Self, mask: &Mask) -> Option<Shift> {
        let coarsest = self.coarsest(mask);
        let mut found = Shift {
            x: 0,
            y: 0,
            error: 0.0,
        };
        for level in (0..=coarsest).rev() {
            let (reach, x, y) = match level == coarsest {
                true => (REACH, 0, 0),
                false => (FINER, 2 * found.x, 2 * found.y),
            };
            let (here, there) = (self.0.get(level)?, next.0.get(level)?);
            let samples = here.samples(mask, level);
            let mut best: Option<(f32, i64, Shift)> = None;
            for dy in y - reach..=y + reach {
                for dx in x - reach..=x + reach {
                    let Some(error) = there.difference(&samples, dx, dy) else {
                        continue;
                    };
                    // Of places that look the same, the nearest.
                    let far = dx.abs() + dy.abs();
                    let better = best.as_ref().is_none_or(|&(least, nearest, _)| {
                        error < least || (error == least && far < nearest)
                    });
                    if better {
                        best = Some((
                            error,
                            far,
                            Shift {
                                x: dx,
                                y: dy,
                                error,
                            },
                        ));
                    }
                }
            }
            found = best?.2;
        }
        Some(found)
    }

    /// The coarsest level on which there is enough left of an object.
    fn coarsest(&self, mask: &Mask) -> usize {
        const LEAST_AREA: u64 = 24;
        let BBox { width, height, .. } = mask.bbox();
        let area = u64::from(width) * u64::from(height);
        let enough = |&level: &usize| area >> (2 * level) >= LEAST_AREA;
        (0..self.0.len()).rev().find(enough).unwrap_or(0)
    }
}

/// A pixel to compare.
struct Sample {
    x: i64,
    y: i64,
    gray: u8,
    weight: u64,
}

impl Plane {
    fn half(&self) -> Self {
        let (width, height) = (self.width / 2, self.height / 2);
        let mut pixels = Vec::with_capacity(width as usize * height as usize);
        for rows in self.pixels.chunks_exact(2 * self.width as usize) {
            let (upper, lower) = rows.split_at(self.width as usize);
            let pairs = upper
                .as_chunks::<2>()
                .0
                .iter()
                .zip(lower.as_chunks::<2>().0);
            pixels.extend(pairs.map(|(a, b)| {
                let sum = [a[0], a[1], b[0], b[1]].map(u16::from).iter().sum::<u16>();
                ((sum + 2) / 4) as u8
            }));
        }
        Self {
            width,
            height,
            pixels,
        }
    }

    /// Pixels of the object and around it, evenly spread, where `level` halvings made this plane.
    fn samples(&self, mask: &Mask, level: usize) -> Vec<Sample> {
        let bbox = mask.bbox();
        let left = (bbox.x >> level).saturating_sub(AROUND);
        let top = (bbox.y >> level).saturating_sub(AROUND);
        let end = |end: u64, most: u32| ((end >> level) as u32 + 1 + AROUND).min(most);
        let (right, bottom) = (
            end(bbox.right(), self.width),
            end(bbox.bottom(), self.height),
        );
        let area = u64::from(right.saturating_sub(left)) * u64::from(bottom.saturating_sub(top));
        let step = ((area / SAMPLES).isqrt() as usize).max(1);
        let mut samples = Vec::new();
        for y in (top..bottom).step_by(step) {
            for x in (left..right).step_by(step) {
                let point = crate::Point::new(x << level, y << level);
                let weight = match mask.contains(point) {
                    true => INSIDE,
                    false => OUTSIDE,
                };
                samples.push(Sample {
                    x: i64::from(x),
                    y: i64::from(y),
                    gray: self.pixels[y as usize * self.width as usize + x as usize],
                    weight,
                });
            }
        }
        samples
    }

    /// Mean difference of `samples` to what lies here so far from them; `None`, if most of that is
    /// outside.
    fn difference(&self, samples: &[Sample], dx: i64, dy: i64) -> Option<f32> {
        let (mut sum, mut weight, mut all) = (0, 0, 0);
        for sample in samples {
            all += sample.weight;
            let (x, y) = (sample.x + dx, sample.y + dy);
            if x < 0 || y < 0 || x >= i64::from(self.width) || y >= i64::from(self.height) {
                continue;
            }
            let other = self.pixels[y as usize * self.width as usize + x as usize];
            sum += sample.weight * u64::from(sample.gray.abs_diff(other));
            weight += sample.weight;
        }
        (weight * IN_SIGHT >= all && weight > 0).then(|| sum as f32 / weight as f32)
    }
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;
    use crate::Size;

    const SIZE: Size = Size::new(200, 120);

    /// Noise that is the same at every call, and a disc of other noise at a place.
    fn scene(center: (i64, i64)) -> RgbImage {
        RgbImage::from_fn(SIZE.width, SIZE.height, |x, y| {
            let (dx, dy) = (i64::from(x) - center.0, i64::from(y) - center.1);
            let value = match dx * dx + dy * dy < 15 * 15 {
                true => 160 + (dx / 4 * 7 + dy / 4 * 13).rem_euclid(60),
                false => i64::from(x / 6 * 5 + y / 6 * 11) % 50,
            };
            Rgb([value as u8; 3])
        })
    }

    fn pyramid(center: (i64, i64)) -> Pyramid {
        let scene = scene(center);
        let image = Image::from_raw(SIZE.width, SIZE.height, scene.as_raw().as_slice());
        Pyramid::new(&image.unwrap())
    }

    fn disc(center: (i64, i64)) -> Mask {
        let bbox = BBox::new(center.0 as u32 - 15, center.1 as u32 - 15, 30, 30);
        let pixels: Vec<u8> = (0..900)
            .map(|at| {
                let (dx, dy) = (at % 30 - 15, at / 30 - 15);
                u8::from(dx * dx + dy * dy < 15 * 15)
            })
            .collect();
        Mask::from_dense(SIZE, bbox, &pixels).unwrap()
    }

    #[test]
    fn a_thing_is_found_where_it_went() {
        let here = pyramid((60, 60));
        for to in [(60, 60), (63, 58), (80, 41), (37, 78)] {
            let there = pyramid(to);
            let shift = here.shift(&there, &disc((60, 60))).unwrap();
            assert_eq!((60 + shift.x, 60 + shift.y), to);
            assert!(shift.error < 15.0, "{shift:?}");
        }
    }

    #[test]
    fn what_is_covered_looks_different() {
        let here = pyramid((60, 60));
        let gone = pyramid((-90, -90));
        let shift = here.shift(&gone, &disc((60, 60))).unwrap();
        assert!(shift.error > 60.0, "{shift:?}");
    }
}
