//! What a region is known by: its pixels, or no more than a box around them or a point on them.
//!
//! Detectors tell boxes. A region of one is its rectangle, so that every stage has pixels to work
//! with, and says in its extras what it is: [`Region::shape`].

use serde_json::{Value, json};

use crate::{Mask, Point, Region, Size};

/// The extra that says what a region is known by; without it, that is its mask.
const SHAPE: &str = "shape";
/// Its value for a box, and the extra with the box's corners.
const BOX: &str = "box";
/// Its value for a point, and the extra with the point.
const POINT: &str = "point";

/// What a region is known by. Numbers are pixels of the original image, not rounded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Its mask.
    Mask,
    /// A box, left, top, right and bottom, which may reach over the image. The mask is its rectangle.
    Box([f64; 4]),
    /// A point, x and y. The mask is its pixel.
    Point([f64; 2]),
}

impl Shape {
    /// As the extra `shape` has it: `mask`, `box` or `point`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mask => "mask",
            Self::Box(_) => BOX,
            Self::Point(_) => POINT,
        }
    }
}

impl Region {
    /// The region of a box with these corners, left, top, right and bottom: the pixels whose centres
    /// lie in it; of a box too small for any, the one in its middle; none of a box that is empty or
    /// lies outside. Its extras are `shape`, `"box"`, and `box`, the corners as they are.
    pub fn of_box(size: Size, corners: [f64; 4]) -> Self {
        let mut region = Self::new(covered(size, corners));
        region.extra.insert(SHAPE.to_owned(), json!(BOX));
        region.extra.insert(BOX.to_owned(), json!(corners));
        region
    }

    /// The region of a point: its pixel; none of a point outside. Its extras are `shape`, `"point"`, and
    /// `point`, which is `[x, y]`.
    pub fn of_point(size: Size, [x, y]: [f64; 2]) -> Self {
        let mut region = Self::new(covered(size, [x, y, x + 1.0, y + 1.0].map(f64::floor)));
        region.extra.insert(SHAPE.to_owned(), json!(POINT));
        region.extra.insert(POINT.to_owned(), json!([x, y]));
        region
    }

    /// What it is known by, as its extras say. A box or point whose numbers are missing is that of
    /// the mask.
    pub fn shape(&self) -> Shape {
        let bbox = self.bbox();
        match self.extra.get(SHAPE).and_then(Value::as_str) {
            Some(BOX) => Shape::Box(self.numbers(BOX).unwrap_or_else(|| {
                let (right, bottom) = (bbox.right() as f64, bbox.bottom() as f64);
                [bbox.x.into(), bbox.y.into(), right, bottom]
            })),
            Some(POINT) => Shape::Point(self.numbers(POINT).unwrap_or_else(|| {
                let Point { x, y } = bbox.center();
                [f64::from(x) + 0.5, f64::from(y) + 0.5]
            })),
            _ => Shape::Mask,
        }
    }

    /// True if no more than a box around it is known.
    pub fn is_box(&self) -> bool {
        matches!(self.shape(), Shape::Box(_))
    }

    /// So many finite numbers in the extra `key`.
    fn numbers<const N: usize>(&self, key: &str) -> Option<[f64; N]> {
        let list = self.extra.get(key)?.as_array()?;
        let numbers = list.iter().filter_map(Value::as_f64);
        let numbers: Vec<f64> = numbers.filter(|number| number.is_finite()).collect();
        numbers.try_into().ok()
    }
}

/// The pixels of a box, as [`Region::of_box`] says.
fn covered(size: Size, [left, top, right, bottom]: [f64; 4]) -> Mask {
    let side = |from: f64, to: f64, end: u32| {
        let last = f64::from(end);
        // Numbers that are none are no less, either.
        let meets = from < to && from < last && to > 0.0;
        let first = (from - 0.5).ceil().clamp(0.0, last);
        let after = (to - 0.5).ceil().clamp(0.0, last);
        match after > first {
            _ if !meets => (0, 0),
            true => (first as u32, (after - first) as u32),
            false => (((from + to) / 2.0).min(last - 1.0).max(0.0) as u32, 1),
        }
    };
    let (x, width) = side(left, right, size.width);
    let (y, height) = side(top, bottom, size.height);
    Mask::rect(size, crate::BBox::new(x, y, width, height))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BBox;

    const SIZE: Size = Size::new(8, 6);

    #[test]
    fn a_box_is_the_pixels_whose_centres_lie_in_it() {
        for (corners, expected) in [
            ([1.0, 2.0, 4.0, 5.0], BBox::new(1, 2, 3, 3)),
            ([1.5, 2.51, 3.5, 4.51], BBox::new(1, 3, 2, 2)),
            ([-3.0, -1.0, 99.0, 99.0], BBox::new(0, 0, 8, 6)),
            // Too small for a centre: the pixel in its middle.
            ([2.6, 2.6, 3.4, 3.4], BBox::new(3, 3, 1, 1)),
            ([7.6, 5.7, 9.0, 9.0], BBox::new(7, 5, 1, 1)),
            // Nothing, or outside.
            ([2.0, 2.0, 2.0, 5.0], BBox::default()),
            ([9.0, 1.0, 12.0, 2.0], BBox::default()),
            ([1.0, -4.0, 2.0, -1.0], BBox::default()),
            ([f64::NAN, 1.0, 2.0, 2.0], BBox::default()),
        ] {
            let region = Region::of_box(SIZE, corners);
            assert_eq!(region.bbox(), expected, "{corners:?}");
            if corners.into_iter().all(f64::is_finite) {
                assert_eq!(region.shape(), Shape::Box(corners));
            }
            assert!(region.is_box());
        }
    }

    #[test]
    fn a_point_is_its_pixel() {
        let region = Region::of_point(SIZE, [3.7, 2.0]);
        assert_eq!(region.bbox(), BBox::new(3, 2, 1, 1));
        assert_eq!(region.shape(), Shape::Point([3.7, 2.0]));
        assert!(Region::of_point(SIZE, [8.0, 2.0]).mask.is_empty());
    }

    #[test]
    fn the_extras_say_what_a_region_is_known_by() {
        let mut region = Region::new(Mask::rect(SIZE, BBox::new(1, 2, 3, 2)));
        assert_eq!(region.shape(), Shape::Mask);
        region.extra.insert("shape".to_owned(), json!("box"));
        assert_eq!(region.shape(), Shape::Box([1.0, 2.0, 4.0, 4.0]));
        region.extra.insert("box".to_owned(), json!([1, 2, "3", 4]));
        assert_eq!(region.shape(), Shape::Box([1.0, 2.0, 4.0, 4.0]));
        region.extra.insert("shape".to_owned(), json!("point"));
        assert_eq!(region.shape(), Shape::Point([2.5, 3.5]));
        region.extra.insert("shape".to_owned(), json!("blob"));
        assert_eq!(region.shape(), Shape::Mask);
    }
}
