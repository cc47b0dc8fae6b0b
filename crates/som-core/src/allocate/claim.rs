//! What of the image a region claims for itself: of one that no more is known of than its box, the frame.
//!
//! What lies in a box is not all the thing in it. So the box hides nothing but its frame, in which there
//! is room for its label, and leaves the rest to whatever else is there.

use std::borrow::Cow;

use crate::{BBox, Mask, Region};

/// How wide a frame is: this part of the shorter side of its box...
const OF_BOX: u32 = 4;
/// ...but at least this part of the mean side of the image, so that labels fit in it.
const OF_IMAGE: u32 = 16;

/// The pixels of a page that `region` hides from larger ones, and on which its label stands; `mask` are
/// all of its pixels there.
pub(super) fn claim<'m>(region: &Region, mask: Cow<'m, Mask>) -> Cow<'m, Mask> {
    if !region.is_box() {
        return mask;
    }
    let size = mask.size();
    let BBox {
        x,
        y,
        width,
        height,
    } = mask.bbox();
    let mean = size.width / 2 + size.height / 2;
    let frame = (width.min(height) / OF_BOX).max(mean / OF_IMAGE);
    let (inner_width, inner_height) = (
        width.saturating_sub(2 * frame),
        height.saturating_sub(2 * frame),
    );
    if inner_width == 0 || inner_height == 0 {
        return mask;
    }
    let inner = BBox::new(x + frame, y + frame, inner_width, inner_height);
    Cow::Owned(mask.difference(&Mask::rect(size, inner)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Point, Size};

    const SIZE: Size = Size::new(320, 160);

    fn claimed(region: &Region) -> Cow<'_, Mask> {
        claim(region, Cow::Borrowed(&region.mask))
    }

    fn boxed(bbox: [f64; 4]) -> Region {
        Region::of_box(SIZE, bbox)
    }

    #[test]
    fn a_box_claims_its_frame() {
        let region = boxed([20.0, 10.0, 220.0, 110.0]);
        let frame = claimed(&region);
        assert_eq!(frame.bbox(), region.bbox());
        // A quarter of 100 pixels on each side.
        assert_eq!(frame.area(), 200 * 100 - 150 * 50);
        for (x, y, is_claimed) in [(20, 10, true), (44, 60, true), (45, 60, false)] {
            assert_eq!(frame.contains(Point::new(x, y)), is_claimed, "{x},{y}");
        }
    }

    #[test]
    fn small_boxes_and_masks_claim_all_they_have() {
        let small = boxed([20.0, 10.0, 50.0, 40.0]);
        assert_eq!(*claimed(&small), small.mask);
        let mask = Region::new(boxed([20.0, 10.0, 220.0, 110.0]).mask);
        assert_eq!(*claimed(&mask), mask.mask);
        let nothing = boxed([400.0, 10.0, 420.0, 30.0]);
        assert!(claimed(&nothing).is_empty());
    }
}
