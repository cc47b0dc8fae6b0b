//! Regions of which only a box is known.

use serde_json::json;
use som_core::{BBox, Mask, Params, Region, Size};

/// The region of the box between left, top, right and bottom, in pixels of an image of this size: the
/// pixels whose centres lie in it. Its extras say that it is a box (`shape`), and which (`box`), not
/// rounded; both may lie beyond the image.
pub fn boxed(corners: [f64; 4], size: Size) -> Region {
    let mut extra = Params::new();
    extra.insert("shape".to_owned(), json!("box"));
    extra.insert("box".to_owned(), json!(corners));
    Region {
        extra,
        ..Region::new(Mask::rect(size, inside(corners, size)))
    }
}

/// The pixels whose centres lie between left, top, right and bottom.
fn inside([left, top, right, bottom]: [f64; 4], size: Size) -> BBox {
    let first = |edge: f64, most: u32| (edge - 0.5).ceil().clamp(0.0, f64::from(most)) as u32;
    let (x, y) = (first(left, size.width), first(top, size.height));
    let (right, bottom) = (first(right, size.width), first(bottom, size.height));
    BBox::new(x, y, right.saturating_sub(x), bottom.saturating_sub(y))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_the_pixels_whose_centres_lie_in_it() {
        let size = Size::new(8, 6);
        for (corners, expected) in [
            ([1.0, 2.0, 4.0, 5.0], BBox::new(1, 2, 3, 3)),
            ([1.5, 2.51, 3.5, 4.51], BBox::new(1, 3, 2, 2)),
            ([-3.0, -1.0, 99.0, 99.0], BBox::new(0, 0, 8, 6)),
            ([2.6, 2.6, 3.4, 3.4], BBox::new(3, 3, 0, 0)),
            ([9.0, 1.0, 12.0, 2.0], BBox::new(8, 1, 0, 1)),
        ] {
            assert_eq!(inside(corners, size), expected, "{corners:?}");
        }
        let nothing = boxed([15.6, 2.7, 16.4, 3.3], size);
        assert!(nothing.mask.is_empty());
        assert_eq!(nothing.extra["box"], json!([15.6, 2.7, 16.4, 3.3]));
    }
}
