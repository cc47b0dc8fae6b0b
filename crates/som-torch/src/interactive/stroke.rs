//! A stroke as points: networks take no strokes.

use som_core::{Mask, Point, PointHint};

/// Points that stand for a stroke.
const POINTS: usize = 8;

/// Points spread over a stroke: first the one nearest to its middle, then each time the one
/// farthest from all before.
pub(super) fn along(stroke: &Mask) -> Vec<PointHint> {
    let pixels: Vec<Point> = stroke
        .rows()
        .flat_map(|(y, row)| {
            row.iter()
                .flat_map(move |span| (span.start..span.end).map(move |x| Point::new(x, y)))
        })
        .collect();
    let distance = |a: Point, b: Point| {
        let square = |a: u32, b: u32| u64::from(a.abs_diff(b)).pow(2);
        square(a.x, b.x) + square(a.y, b.y)
    };
    let count = pixels.len().max(1) as u64;
    let mean = |coordinate: fn(&Point) -> u32| {
        (pixels.iter().map(|p| u64::from(coordinate(p))).sum::<u64>() / count) as u32
    };
    let middle = Point::new(mean(|point| point.x), mean(|point| point.y));
    let mut nearest: Vec<u64> = vec![u64::MAX; pixels.len()];
    let mut chosen: Vec<Point> = Vec::new();
    let mut next = (0..pixels.len()).min_by_key(|&index| distance(pixels[index], middle));
    while let Some(index) = next.filter(|_| chosen.len() < POINTS) {
        chosen.push(pixels[index]);
        for (nearest, &pixel) in nearest.iter_mut().zip(&pixels) {
            *nearest = (*nearest).min(distance(pixel, pixels[index]));
        }
        next = (0..pixels.len())
            .max_by_key(|&index| nearest[index])
            .filter(|&index| nearest[index] > 0);
    }
    chosen
        .into_iter()
        .map(|Point { x, y }| PointHint {
            x: x.into(),
            y: y.into(),
            label: 1,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use som_core::{BBox, Size};

    const SIZE: Size = Size::new(40, 30);

    fn point(x: f64, y: f64) -> PointHint {
        PointHint { x, y, label: 1 }
    }

    #[test]
    fn a_stroke_becomes_points_spread_over_it() {
        let line = Mask::rect(SIZE, BBox::new(4, 10, 33, 1));
        let points = along(&line);
        assert_eq!(points.len(), POINTS);
        assert_eq!((points[0].x, points[0].y), (20.0, 10.0));
        let mut ends = [points[1].x, points[2].x];
        ends.sort_by(f64::total_cmp);
        assert_eq!(ends, [4.0, 36.0]);
        let dot = Mask::rect(SIZE, BBox::new(7, 7, 1, 1));
        assert_eq!(along(&dot), [point(7.0, 7.0)]);
    }
}
