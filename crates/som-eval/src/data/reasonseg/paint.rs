//! Polygons whose edges belong to them, as OpenCV's `polylines` and `fillPoly` paint them.
//!
//! Corners are cut to whole numbers; a row is filled between its crossings with the edges, and the
//! edges are drawn over it (`modules/imgproc/src/drawing.cpp`: `LineIterator`, 8-connected, from
//! left to right).

use som_core::{BBox, Mask, Size};

/// Coordinates beyond this are refused: a few bytes must not ask for endless lines.
const MAX_COORDINATE: f64 = Size::MAX_SIDE as f64;

/// The pixels of a polygon of (x, y) corners, or what is wrong with it.
pub(super) fn polygon(size: Size, corners: &[[f64; 2]]) -> Result<Mask, String> {
    let is_wrong = |number: &f64| !number.is_finite() || number.abs() > MAX_COORDINATE;
    if let Some(number) = corners.iter().flatten().find(|number| is_wrong(number)) {
        return Err(format!("{number} is no coordinate of an image"));
    }
    let corners: Vec<[i64; 2]> = corners
        .iter()
        .map(|corner| corner.map(|number| number as i64))
        .collect();
    let mut pixels = vec![0; size.pixels() as usize];
    let edges = corners
        .iter()
        .copied()
        .zip(corners.iter().copied().cycle().skip(1));
    let mut rows: Vec<Vec<(i64, i64)>> = vec![Vec::new(); size.height as usize];
    for (from, to) in edges {
        cross(size, from, to, &mut rows);
        line(size, from, to, &mut pixels);
    }
    for (row, y) in rows.iter_mut().zip(0..) {
        row.sort_unstable();
        let (pairs, _) = row.as_chunks();
        for &[(_, left), (right, _)] in pairs {
            let (start, end) = (left.max(0), (right + 1).min(size.width.into()));
            if start < end {
                let first = y * size.width as usize;
                pixels[first + start as usize..first + end as usize].fill(1);
            }
        }
    }
    Mask::from_dense(size, BBox::new(0, 0, size.width, size.height), &pixels)
        .map_err(|error| error.to_string())
}

/// Adds where an edge crosses the middle line of each row: the pixel at or before, and the one at
/// or after it.
fn cross(size: Size, [x0, y0]: [i64; 2], [x1, y1]: [i64; 2], rows: &mut [Vec<(i64, i64)>]) {
    let ((x0, y0), (x1, y1)) = if y0 <= y1 {
        ((x0, y0), (x1, y1))
    } else {
        ((x1, y1), (x0, y0))
    };
    for y in y0.max(0)..y1.min(size.height.into()) {
        let (run, rise) = ((x1 - x0) * (y - y0), y1 - y0);
        let before = x0 + run.div_euclid(rise);
        let after = x0 - (-run).div_euclid(rise);
        if let Some(row) = rows.get_mut(y as usize) {
            row.push((before, after));
        }
    }
}

/// Draws a line of pixels that touch by sides or corners.
fn line(size: Size, from: [i64; 2], to: [i64; 2], pixels: &mut [u8]) {
    let ([x0, y0], [x1, y1]) = if from[0] <= to[0] {
        (from, to)
    } else {
        (to, from)
    };
    let (dx, dy) = (x1 - x0, (y1 - y0).abs());
    let down = (y1 - y0).signum();
    let (long, short) = (dx.max(dy), dx.min(dy));
    for step in 0..=long {
        // Half a pixel is rounded down.
        let aside = if long == 0 {
            0
        } else {
            (2 * step * short - long).div_euclid(2 * long)
                + i64::from((2 * step * short - long).rem_euclid(2 * long) != 0)
        };
        let (x, y) = if dx >= dy {
            (x0 + step, y0 + down * aside)
        } else {
            (x0 + aside, y0 + down * step)
        };
        let is_inside = x >= 0 && y >= 0 && x < size.width.into() && y < size.height.into();
        if is_inside {
            pixels[y as usize * size.width as usize + x as usize] = 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(size: Size, corners: &[[f64; 2]]) -> Vec<String> {
        let mask = polygon(size, corners).unwrap();
        let dense = mask.to_dense(size.bbox());
        dense
            .chunks(size.width as usize)
            .map(|row| {
                row.iter()
                    .map(|p| if *p == 1 { '#' } else { '.' })
                    .collect()
            })
            .collect()
    }

    #[test]
    fn edges_belong_to_the_polygon() {
        let square = [[1.9, 1.0], [3.0, 1.0], [3.0, 2.7], [1.0, 2.0]];
        let expected = [".....", ".###.", ".###.", "....."];
        assert_eq!(rows(Size::new(5, 4), &square), expected);
        let triangle = [[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]];
        let expected = ["#####", "####.", "###..", "##...", "#...."];
        assert_eq!(rows(Size::new(5, 5), &triangle), expected);
    }

    #[test]
    fn what_lies_outside_is_cut_off() {
        let large = [[-5.0, -5.0], [50.0, -5.0], [50.0, 50.0], [-5.0, 50.0]];
        assert_eq!(rows(Size::new(3, 2), &large), ["###", "###"]);
        assert!(polygon(Size::new(3, 2), &[[f64::NAN, 0.0]]).is_err());
    }
}
