//! The boundary measure F, of objects and of whole segmentations.

use som_core::{Mask, Size};

/// The tolerance, as a part of the image's diagonal.
const TOLERANCE: f64 = 0.008;

/// How far apart boundary pixels may be, in pixels.
pub fn radius(size: Size) -> u32 {
    let diagonal = f64::from(size.width).hypot(f64::from(size.height));
    (TOLERANCE * diagonal).ceil() as u32
}

/// The F-measure of boundary pixels within [`radius`], pixels of `void` being set in neither mask.
/// 1 if neither has a boundary, 0 if one alone has.
pub fn f(truth: &Mask, found: &Mask, void: Option<&Mask>) -> f64 {
    let size = truth.size();
    let boundary = |mask: &Mask| match void {
        Some(void) => Boundary::of(&mask.difference(void), size),
        None => Boundary::of(mask, size),
    };
    let (truth, found) = (boundary(truth), boundary(found));
    truth.f(&found, radius(size))
}

/// The F-measure of the boundaries of two segmentations of one image, each pixel of a boundary being
/// right if the other one's is within `tolerance`, a part of the diagonal. Several may be right by one:
/// BSDS500's tool (`correspondPixels`) pairs them one to one and is stricter.
pub fn f_of_all(truth: &[&Mask], found: &[&Mask], size: Size, tolerance: f64) -> f64 {
    let diagonal = f64::from(size.width).hypot(f64::from(size.height));
    let (truth, found) = (Boundary::of_all(truth, size), Boundary::of_all(found, size));
    truth.f(&found, (tolerance * diagonal).ceil() as u32)
}

/// The pixels of a mask's boundary.
struct Boundary {
    size: Size,
    /// Column and row.
    pixels: Vec<(u32, u32)>,
}

impl Boundary {
    /// The F-measure with this one as the truth; 1 if both are empty, 0 if one alone is.
    fn f(&self, found: &Self, radius: u32) -> f64 {
        match (self.pixels.is_empty(), found.pixels.is_empty()) {
            (true, true) => return 1.0,
            (true, false) | (false, true) => return 0.0,
            (false, false) => {}
        }
        let precision = found.share_in(&self.widened(radius));
        let recall = self.share_in(&found.widened(radius));
        if precision + recall == 0.0 {
            0.0
        } else {
            2.0 * precision * recall / (precision + recall)
        }
    }

    /// The boundaries of all masks, each pixel once.
    fn of_all(masks: &[&Mask], size: Size) -> Self {
        let mut pixels: Vec<(u32, u32)> = masks
            .iter()
            .flat_map(|mask| Self::of(mask, size).pixels)
            .collect();
        pixels.sort_unstable_by_key(|(x, y)| (*y, *x));
        pixels.dedup();
        Self { size, pixels }
    }

    /// The pixels that differ from the one right, below or right below, as far as there is one.
    fn of(mask: &Mask, size: Size) -> Self {
        let width = size.width as usize;
        let dense = mask.to_dense(size.bbox());
        let mut pixels = Vec::new();
        let mut rows = dense.chunks_exact(width.max(1)).zip(0..).peekable();
        while let Some((row, y)) = rows.next() {
            let below = rows.peek().map(|(below, _)| *below);
            for ((place, &here), x) in row.iter().enumerate().zip(0..) {
                let differs =
                    |row: &[u8], place: usize| row.get(place).is_some_and(|there| *there != here);
                let is_edge = differs(row, place + 1)
                    || below
                        .is_some_and(|below| differs(below, place) || differs(below, place + 1));
                if is_edge {
                    pixels.push((x, y));
                }
            }
        }
        Self { size, pixels }
    }

    /// True for each pixel of the image within `radius` of the boundary: a disk around each pixel,
    /// its rows begun and ended in sums that run along the image's rows.
    fn widened(&self, radius: u32) -> Vec<bool> {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let radius = i64::from(radius);
        let reaches: Vec<(i64, i64)> = (-radius..=radius)
            .map(|dy| (dy, (radius * radius - dy * dy).isqrt()))
            .collect();
        let mut changes = vec![0_i32; (width + 1) * height];
        for &(x, y) in &self.pixels {
            for &(dy, reach) in &reaches {
                let row = i64::from(y) + dy;
                if (0..i64::from(self.size.height)).contains(&row) {
                    let start = (i64::from(x) - reach).max(0) as usize;
                    let end = ((i64::from(x) + reach + 1) as usize).min(width);
                    let row = &mut changes[row as usize * (width + 1)..][..=width];
                    row[start] += 1;
                    row[end] -= 1;
                }
            }
        }
        let mut near = Vec::with_capacity(width * height);
        for row in changes.chunks_exact(width + 1) {
            let mut depth = 0;
            near.extend(row[..width].iter().map(|change| {
                depth += change;
                depth > 0
            }));
        }
        near
    }

    /// The share of its pixels that are near the other boundary.
    fn share_in(&self, near: &[bool]) -> f64 {
        let width = self.size.width as usize;
        let there = self
            .pixels
            .iter()
            .filter(|&&(x, y)| near[y as usize * width + x as usize])
            .count();
        there as f64 / self.pixels.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use som_core::BBox;

    use super::*;

    #[test]
    fn the_images_edge_is_no_boundary() {
        let size = Size::new(4, 3);
        let whole = Mask::rect(size, size.bbox());
        assert!(Boundary::of(&whole, size).pixels.is_empty());
        let corner = Mask::rect(size, BBox::new(2, 1, 2, 2));
        // The pixels left of and above it, and the one left above.
        let expected = [(1, 0), (2, 0), (3, 0), (1, 1), (1, 2)];
        assert_eq!(Boundary::of(&corner, size).pixels, expected);
    }

    proptest! {
        #[test]
        fn disks_are_disks(x in 0..20_u32, y in 0..12_u32, radius in 0..6_u32) {
            let size = Size::new(20, 12);
            let near = Boundary { size, pixels: vec![(x, y)] }.widened(radius);
            for (is_near, place) in near.iter().zip(0_u32..) {
                let (dx, dy) = ((place % 20).abs_diff(x), (place / 20).abs_diff(y));
                prop_assert_eq!(*is_near, dx * dx + dy * dy <= radius * radius);
            }
        }
    }
}
