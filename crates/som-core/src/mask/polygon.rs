//! Polygons with holes, and the masks they cover.

use serde::{Deserialize, Serialize};

use super::{Mask, MaskBuilder};
use crate::{Point, Size};

/// The corners of a closed line, the first one not repeated at the end.
pub type Ring = Vec<Point>;

/// An outline with holes. Corners are corners of pixels: (x, y) is the top left one of pixel
/// (x, y), so they reach from (0, 0) to (width, height).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Polygon {
    /// The outline.
    pub exterior: Ring,
    /// What is cut out of it.
    #[serde(default)]
    pub holes: Vec<Ring>,
}

impl Polygon {
    /// With fewer corners, none further from the old outline than `tolerance` pixels (Douglas and
    /// Peucker, *Algorithms for the reduction of the number of points required to represent a
    /// digitized line or its caricature*, 1973). A ring that would lose its area stays as it is.
    /// Simplified rings may cross.
    #[must_use]
    pub fn simplified(&self, tolerance: f64) -> Polygon {
        let holes = self
            .holes
            .iter()
            .map(|ring| simplify(ring, tolerance))
            .collect();
        Polygon {
            exterior: simplify(&self.exterior, tolerance),
            holes,
        }
    }

    /// All rings, the exterior first.
    pub fn rings(&self) -> impl Iterator<Item = &Ring> {
        std::iter::once(&self.exterior).chain(&self.holes)
    }
}

impl Mask {
    /// The pixels of the image whose centres an odd number of rings surround.
    pub fn from_polygons<'a>(size: Size, polygons: impl IntoIterator<Item = &'a Polygon>) -> Self {
        let mut crossings = Vec::new();
        for ring in polygons.into_iter().flat_map(Polygon::rings) {
            let following = ring.iter().cycle().skip(1);
            for (&a, &b) in ring.iter().zip(following) {
                cross_rows(size, a, b, &mut crossings);
            }
        }
        crossings.sort_unstable();
        let mut mask = MaskBuilder::new(size);
        // Rings are closed, so each row is crossed an even number of times.
        for &[(y, start), (_, end)] in crossings.as_chunks().0 {
            mask.push(y, start, end);
        }
        mask.finish()
    }
}

/// For each row of the image whose middle the line from `a` to `b` crosses: the row, and the first
/// column whose centre lies on the line or right of it, at most the width.
fn cross_rows(size: Size, a: Point, b: Point, crossings: &mut Vec<(u32, u32)>) {
    let (top, bottom) = if a.y <= b.y { (a, b) } else { (b, a) };
    let (dx, dy) = (
        i128::from(bottom.x) - i128::from(top.x),
        i128::from(bottom.y - top.y),
    );
    for y in top.y..bottom.y.min(size.height) {
        let column = if dx == 0 {
            i128::from(top.x)
        } else {
            // Exact: centres lie at halves, so everything is doubled.
            let doubled = 2 * i128::from(top.x) * dy + (2 * i128::from(y - top.y) + 1) * dx - dy;
            -(-doubled).div_euclid(2 * dy)
        };
        crossings.push((y, column.clamp(0, i128::from(size.width)) as u32));
    }
}

fn simplify(ring: &Ring, tolerance: f64) -> Ring {
    let far = |index: &usize| squared_distance(ring[*index], ring[0], ring[0]);
    // The corner furthest from the first one cuts the ring into two lines.
    let Some(opposite) = (1..ring.len()).max_by(|a, b| far(a).total_cmp(&far(b))) else {
        return ring.clone();
    };
    let mut keep = vec![false; ring.len()];
    keep[0] = true;
    keep[opposite] = true;
    let mut lines = vec![(0, opposite), (opposite, ring.len())];
    while let Some((from, to)) = lines.pop() {
        let (a, b) = (ring[from], ring[to % ring.len()]);
        let distance = |index: &usize| squared_distance(ring[*index], a, b);
        let furthest = (from + 1..to).max_by(|a, b| distance(a).total_cmp(&distance(b)));
        if let Some(index) = furthest
            && distance(&index) > tolerance * tolerance
        {
            keep[index] = true;
            lines.extend([(from, index), (index, to)]);
        }
    }
    let simple: Ring = ring
        .iter()
        .zip(keep)
        .filter(|&(_, keep)| keep)
        .map(|(&p, _)| p)
        .collect();
    if simple.len() < 3 {
        ring.clone()
    } else {
        simple
    }
}

/// From `point` to the line from `a` to `b`.
fn squared_distance(point: Point, a: Point, b: Point) -> f64 {
    let [x, y] = [
        f64::from(point.x) - f64::from(a.x),
        f64::from(point.y) - f64::from(a.y),
    ];
    let [dx, dy] = [
        f64::from(b.x) - f64::from(a.x),
        f64::from(b.y) - f64::from(a.y),
    ];
    let length = dx * dx + dy * dy;
    let along = if length == 0.0 {
        0.0
    } else {
        ((x * dx + y * dy) / length).clamp(0.0, 1.0)
    };
    (x - along * dx).powi(2) + (y - along * dy).powi(2)
}
