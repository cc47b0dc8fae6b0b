use proptest::prelude::*;
use som_core::{BBox, Mask, Point, Size};

use super::{masks, sizes};

proptest! {
    #[test]
    fn each_pixel_takes_the_value_of_the_one_in_which_its_centre_lies(
        (mask, _) in masks(), size in sizes(),
    ) {
        let from = mask.size();
        let resized = mask.resized(size);
        prop_assert_eq!(resized.size(), size);
        let source = |index: u32, from: u32, to: u32| {
            ((f64::from(index) + 0.5) * f64::from(from) / f64::from(to) + 1e-9) as u32
        };
        for y in 0..size.height {
            for x in 0..size.width {
                let point = Point::new(
                    source(x, from.width, size.width),
                    source(y, from.height, size.height),
                );
                prop_assert_eq!(resized.contains(Point::new(x, y)), mask.contains(point));
            }
        }
    }

    #[test]
    fn enlarged_and_brought_back_a_mask_is_what_it_was(
        (mask, _) in masks(), more in (0_u32..50, 0_u32..50),
    ) {
        let Size { width, height } = mask.size();
        let larger = Size::new(width + more.0, height + more.1);
        prop_assert_eq!(mask.resized(larger).resized(mask.size()), mask);
    }
}

#[test]
fn known_answers() {
    let mask = Mask::rect(Size::new(4, 2), BBox::new(1, 0, 2, 1));
    let twice = Mask::rect(Size::new(8, 4), BBox::new(2, 0, 4, 2));
    assert_eq!(mask.resized(Size::new(8, 4)), twice);
    // The centres of three columns lie in the first of four, in the third, and in the last.
    let three = Mask::rect(Size::new(3, 2), BBox::new(1, 0, 1, 1));
    assert_eq!(mask.resized(Size::new(3, 2)), three);
    assert!(
        Mask::empty(Size::new(4, 2))
            .resized(Size::new(9, 9))
            .is_empty()
    );
}
