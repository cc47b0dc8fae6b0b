//! Polygons as pixels, by the rule of scikit-image, which the official project fills them by.
//!
//! `skimage/draw/_polygon2mask.py` and `skimage/_shared/geometry.pyx`, `point_in_polygon`, after O'Rourke,
//! *Computational Geometry in C*, second edition, section 7.4: a pixel is covered if its place, the whole
//! numbers of its column and row, lies inside by the even-odd rule, or on an edge or a corner. Corners are
//! cut off to whole numbers before, as the official `utils/eval_utils.py`, `convert_pts`, does.

use som_core::{Mask, MaskBuilder, Size};

/// The pixels that a polygon covers, whose corners are pairs of x and y, none below 0.
pub(crate) fn filled(corners: &[[f64; 2]], size: Size) -> Mask {
    let corners: Vec<Corner> = corners.iter().map(|&corner| Corner::of(corner)).collect();
    let rows = corners.iter().map(|corner| corner.y);
    let (top, bottom) = (rows.clone().min(), rows.max());
    let (top, bottom) = (top.unwrap_or(0), bottom.unwrap_or(-1));
    let mut mask = MaskBuilder::new(size);
    for y in top..=bottom.min(i64::from(size.height) - 1) {
        let mut runs = runs(&corners, y);
        runs.sort_unstable();
        for (start, end) in runs {
            let column = |x: i64| u32::try_from(x).unwrap_or(0);
            mask.push(column(y), column(start), column(end));
        }
    }
    mask.finish()
}

/// Where two edges meet: a place between no pixels.
#[derive(Clone, Copy, Debug)]
struct Corner {
    x: i64,
    y: i64,
}

impl Corner {
    const fn of([x, y]: [f64; 2]) -> Self {
        Self {
            x: x as i64,
            y: y as i64,
        }
    }

    /// Where the edge to `other` crosses row `y`, as a fraction: numerator and positive denominator.
    const fn crossing(self, other: Self, y: i64) -> (i64, i64) {
        let (down, right) = (other.y - self.y, other.x - self.x);
        let numerator = self.x * down + (y - self.y) * right;
        (numerator * down.signum(), down.abs())
    }
}

/// First columns and ends of what a polygon covers in row `y`, in any order.
fn runs(corners: &[Corner], y: i64) -> Vec<(i64, i64)> {
    let following = corners.iter().cycle().skip(1);
    let edges = || corners.iter().zip(following.clone());
    // Once as a line just below the row crosses the edges, and once as one just above does: only together
    // they find edges that lie in the row, or end there.
    let below = edges().filter(|(a, b)| (a.y > y) != (b.y > y));
    let mut below: Vec<i64> = below.map(|(a, b)| ceiling(a.crossing(*b, y))).collect();
    let above = edges().filter(|(a, b)| (a.y < y) != (b.y < y));
    let mut above: Vec<i64> = above.map(|(a, b)| floor(a.crossing(*b, y))).collect();
    below.sort_unstable();
    above.sort_unstable();
    let pairs = |crossings: &[i64], by: i64| -> Vec<(i64, i64)> {
        let pairs = crossings.as_chunks().0.iter();
        pairs.map(|&[from, to]| (from + by, to + by)).collect()
    };
    let here = corners.iter().filter(|corner| corner.y == y);
    let here = here.map(|corner| (corner.x, corner.x + 1));
    // What lies exactly on a crossing: the first of a pair is in below, the second is in above.
    let crossed = pairs(&below, 0).into_iter().chain(pairs(&above, 1));
    crossed.chain(here).collect()
}

const fn floor((numerator, denominator): (i64, i64)) -> i64 {
    numerator.div_euclid(denominator)
}

const fn ceiling((numerator, denominator): (i64, i64)) -> i64 {
    -(-numerator).div_euclid(denominator)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde::Deserialize;
    use som_core::Rle;

    use super::*;

    /// A polygon, and what `skimage.draw.polygon2mask` of scikit-image 0.26 makes of it.
    #[derive(Deserialize)]
    struct Drawn {
        size: [u32; 2],
        corners: Vec<[f64; 2]>,
        mask: Rle,
    }

    /// Triangles, stars whose edges cross, lines, points, and what reaches beyond the image.
    #[test]
    fn pixels_are_those_of_scikit_image() {
        let drawn = fs::read("tests/polygons.json").unwrap();
        let drawn: Vec<Drawn> = serde_json::from_slice(&drawn).unwrap();
        assert!(drawn.len() > 100);
        for Drawn {
            size: [width, height],
            corners,
            mask,
        } in drawn
        {
            let found = filled(&corners, Size::new(width, height));
            assert_eq!(found, Mask::from_rle(&mask).unwrap(), "{corners:?}");
        }
    }

    #[test]
    fn a_square_has_its_edges_and_nothing_no_pixel() {
        let size = Size::new(9, 9);
        let square = [[2.9, 3.0], [5.0, 3.7], [5.0, 5.0], [2.0, 5.0]];
        assert_eq!(filled(&square, size).area(), 4 * 3);
        assert!(filled(&[], size).is_empty());
        assert!(filled(&[[9.0, 9.0]], size).is_empty());
    }
}
