//! From what the network writes to regions: a box, and polygons that are filled.
//!
//! Official file `utils/eval_utils.py`, `eval_refcoco`, at the size of the image instead of the network's
//! input. (The official `demo.py` does so, too, but takes the width for the height from the second
//! polygon on.)

use serde_json::json;
use som_core::{Mask, Region, Size};

use crate::{network::SEPARATOR, polygon::filled};

/// How many of the numbers are the box: the coordinates of two opposite corners.
const OF_BOX: usize = 4;

/// The region of the numbers that the network wrote about an expression: coordinates in 0..=1 of the
/// width and height in turns, and separators between polygons.
///
/// Its mask is the union of the polygons, or the rectangle of the box where they cover no pixel.
pub(crate) fn region(written: &[f32], expression: &str, size: Size) -> Region {
    let (corners, outlines) = written.split_at_checked(OF_BOX).unwrap_or((written, &[]));
    let corners: Vec<f64> = points(corners, size).into_iter().flatten().collect();
    let outlines = outlines.split(|&number| number == SEPARATOR);
    let polygons: Vec<Vec<[f64; 2]>> = outlines
        .map(|outline| points(outline, size))
        .filter(|polygon| !polygon.is_empty())
        .collect();
    let mut region = match corners[..] {
        [x1, y1, x2, y2] => {
            // Nothing keeps the network from writing the corners the other way around.
            let sorted = [x1.min(x2), y1.min(y2), x1.max(x2), y1.max(y2)];
            let mut region = Region::of_box(size, sorted);
            let written = json!([x1, y1, x2, y2]);
            region.extra.insert("box".to_owned(), written);
            region
        }
        _ => Region::new(Mask::empty(size)),
    };
    let covered = polygons.iter().map(|polygon| filled(polygon, size));
    let mask = covered.fold(Mask::empty(size), |all, mask| all.union(&mask));
    if !mask.is_empty() {
        region.mask = mask;
        region.extra.remove("shape");
    }
    let flat = polygons.iter().map(|polygon| polygon.concat());
    let flat: Vec<Vec<f64>> = flat.collect();
    region.extra.insert("polygons".to_owned(), json!(flat));
    region.label = Some(expression.to_owned());
    region
}

/// Coordinates in 0..=1, x and y in turns, as points in pixels of an image of this size.
fn points(numbers: &[f32], size: Size) -> Vec<[f64; 2]> {
    let [width, height] = [size.width, size.height].map(f64::from);
    let pairs = numbers.as_chunks().0.iter();
    pairs
        .map(|&[x, y]| [f64::from(x) * width, f64::from(y) * height])
        .collect()
}

#[cfg(test)]
mod tests {
    use som_core::BBox;

    use super::*;

    const SIZE: Size = Size::new(40, 20);

    #[test]
    fn the_first_two_points_are_a_box_and_polygons_end_at_separators() {
        let triangle = [0.25, 0.25, 0.5, 0.25, 0.25, 0.75];
        let point = [0.875, 0.5];
        let written = [
            &[0.125, 0.25, 0.5, 0.875][..],
            &triangle,
            &[SEPARATOR, SEPARATOR],
            &point,
        ];
        let found = region(&written.concat(), "the cup", SIZE);
        assert_eq!(found.label.as_deref(), Some("the cup"));
        assert_eq!(found.score, None);
        assert_eq!(found.extra["box"], json!([5.0, 5.0, 20.0, 17.5]));
        let polygons = json!([[10.0, 5.0, 20.0, 5.0, 10.0, 15.0], [35.0, 10.0]]);
        assert_eq!(found.extra["polygons"], polygons);
        assert!(!found.extra.contains_key("shape"));
        // A triangle with its edges, and the pixel of a corner.
        assert_eq!(found.mask.area(), 66 + 1);
        assert_eq!(found.mask.bbox(), BBox::new(10, 5, 26, 11));
    }

    #[test]
    fn without_a_pixel_of_a_polygon_the_region_is_the_box_and_says_so() {
        let corners = [0.125, 0.25, 0.5, 0.75];
        // Beyond the last column, and no polygon at all.
        for outline in [&[1.0, 0.5, 1.0, 0.25][..], &[SEPARATOR], &[]] {
            let found = region(&[&corners, outline].concat(), "the cup", SIZE);
            assert_eq!(found.extra["shape"], "box");
            assert_eq!(found.mask, Mask::rect(SIZE, BBox::new(5, 5, 15, 10)));
        }
        // Its corners the other way around: the same pixels, the numbers as they are.
        let found = region(&[0.5, 0.75, 0.125, 0.25], "the cup", SIZE);
        assert_eq!(found.mask, Mask::rect(SIZE, BBox::new(5, 5, 15, 10)));
        assert_eq!(found.extra["box"], json!([20.0, 15.0, 5.0, 5.0]));
    }
}
