//! What the colours of marks are.

use std::collections::BTreeSet;

use image::{Rgb, RgbImage};
use som_core::{BBox, Mask, Region, Size};

use crate::{ciede2000::difference, scores::draw};

const SIZE: Size = Size::new(630, 630);

/// Seven by seven squares on ground of one colour.
fn marked(ground: [u8; 3], gap: u32) -> Vec<(Mask, [u8; 3])> {
    let picture = RgbImage::from_pixel(SIZE.width, SIZE.height, Rgb(ground));
    let square = |i: u32| BBox::new(90 * (i % 7), 90 * (i / 7), 90 - gap, 90 - gap);
    let regions = (0..49).map(|i| Region::new(Mask::rect(SIZE, square(i))));
    let marks = draw(&picture, regions.collect()).allocation.marks;
    marks
        .into_iter()
        .map(|mark| (mark.mark.region.mask, mark.mark.color.0))
        .collect()
}

#[test]
fn forty_nine_marks_take_thirty_colours_that_look_different() {
    for ground in [
        [255; 3],
        [0; 3],
        [128; 3],
        [200, 180, 160],
        [40, 60, 120],
        [90, 130, 90],
    ] {
        let colors: BTreeSet<[u8; 3]> = marked(ground, 10).into_iter().map(|mark| mark.1).collect();
        assert!(colors.len() >= 30, "{} on {ground:?}", colors.len());
        for a in &colors {
            for b in colors.range(..*a) {
                assert!(difference(*a, *b) > 10.0, "{a:?} and {b:?}");
            }
        }
    }
}

#[test]
fn neighbours_have_different_colours() {
    let marks = marked([230, 240, 250], 0);
    let mut pairs = 0;
    for (index, (mask, color)) in marks.iter().enumerate() {
        let bbox = mask.bbox();
        let around = BBox::new(
            bbox.x.saturating_sub(1),
            bbox.y.saturating_sub(1),
            bbox.width + 2,
            bbox.height + 2,
        );
        let around = Mask::rect(SIZE, around);
        for (other, other_color) in &marks[..index] {
            // More than a corner.
            if around.intersection_area(other) > 4 {
                pairs += 1;
                assert_ne!(color, other_color);
            }
        }
    }
    assert_eq!(pairs, 2 * 6 * 7);
}
