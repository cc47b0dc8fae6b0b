use proptest::prelude::*;
use som_core::{BBox, ErrorKind, Mask, MaskBuilder, Size};

use super::{check, masks, model, picture, sizes};

proptest! {
    #[test]
    fn pixels_survive((mask, pixels) in masks()) {
        check(&mask);
        let set: Vec<u8> = pixels.iter().map(|&byte| u8::from(byte != 0)).collect();
        prop_assert_eq!(mask.to_dense(mask.size().bbox()), set.clone());
        prop_assert_eq!(model(&mask), set.clone());
        prop_assert_eq!(mask.area(), set.iter().map(|&byte| u64::from(byte)).sum::<u64>());
    }

    #[test]
    fn its_box_holds_all_of_a_mask((mask, _) in masks()) {
        let crop = mask.to_dense(mask.bbox());
        prop_assert_eq!(Mask::from_dense(mask.size(), mask.bbox(), &crop).unwrap(), mask);
    }

    /// The box may lie anywhere, wider than the image or off it.
    #[test]
    fn any_crop_is_cut_from_the_whole(
        (mask, _) in masks(), x in 0_u32..250, y in 0_u32..20, width in 0_u32..250, height in 0_u32..20
    ) {
        let bbox = BBox::new(x, y, width, height);
        let points = (y..y + height).flat_map(|y| (x..x + width).map(move |x| (x, y)));
        let expected: Vec<u8> =
            points.map(|(x, y)| u8::from(mask.contains(som_core::Point::new(x, y)))).collect();
        prop_assert_eq!(mask.to_dense(bbox), expected);
    }

    #[test]
    fn a_label_map_is_cut_into_its_masks(size in sizes(), seed in any::<u32>(), run in 1_u32..40) {
        let labels: Vec<u32> = (0..size.pixels() as u32)
            .map(|i| (i / run).wrapping_mul(seed | 1).rotate_left(7) % 6)
            .map(|label| if label == 5 { u32::MAX } else { label })
            .collect();
        let masks = Mask::from_label_map(size, &labels, 4);
        prop_assert_eq!(masks.len(), 4);
        for (mask, label) in masks.iter().zip(0..) {
            check(mask);
            let expected: Vec<u8> = labels.iter().map(|&other| u8::from(other == label)).collect();
            prop_assert_eq!(model(mask), expected);
        }
    }

    #[test]
    fn the_builder_takes_any_runs_in_reading_order(
        size in sizes(), mut runs in proptest::collection::vec((0_u32..14, 0_u32..220, 0_u32..90), 0..40)
    ) {
        runs.sort_unstable();
        let mut builder = MaskBuilder::new(size);
        for &(y, start, length) in &runs {
            builder.push(y, start, start + length);
        }
        let mask = builder.finish();
        check(&mask);
        let covered = |x, y| runs.iter().any(|&(row, start, len)| row == y && (start..start + len).contains(&x));
        let points = (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y)));
        let expected: Vec<u8> = points.map(|(x, y)| u8::from(covered(x, y))).collect();
        prop_assert_eq!(model(&mask), expected);
    }

    #[test]
    fn a_rectangle_is_what_lies_in_the_image(
        size in sizes(), x in 0_u32..220, y in 0_u32..14, width in 0_u32..220, height in 0_u32..14
    ) {
        let bbox = BBox::new(x, y, width, height);
        let mask = Mask::rect(size, bbox);
        check(&mask);
        let points = (0..size.height).flat_map(|y| (0..size.width).map(move |x| som_core::Point::new(x, y)));
        let expected: Vec<u8> = points.map(|point| u8::from(bbox.contains(point))).collect();
        prop_assert_eq!(model(&mask), expected);
    }
}

#[test]
fn a_crop_lands_where_its_box_is() {
    let mask =
        Mask::from_dense(Size::new(5, 4), BBox::new(1, 1, 3, 2), &[0, 9, 9, 0, 9, 0]).unwrap();
    assert_eq!(mask, picture(&[".....", "..##.", "..#..", "....."]));
    assert_eq!(mask.bbox(), BBox::new(2, 1, 2, 2));
}

#[test]
fn wrong_boxes_and_sizes_are_refused() {
    let size = Size::new(4, 3);
    let refusal = |bbox, pixels: &[u8]| {
        let error = Mask::from_dense(size, bbox, pixels).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        error.to_string()
    };
    assert_eq!(
        refusal(BBox::new(2, 0, 3, 1), &[1; 3]),
        "the box 2,0,3,1 lies outside of the 4x3 image"
    );
    assert_eq!(
        refusal(BBox::new(0, 0, 2, 2), &[1; 3]),
        "a mask of the box 0,0,2,2 takes 4 bytes, not 3"
    );
    let huge = BBox::new(u32::MAX, u32::MAX, u32::MAX, u32::MAX);
    assert!(refusal(huge, &[]).contains("outside"));
}

#[test]
fn painting_leaves_the_rest_alone() {
    let mask = picture(&["#..", ".##"]);
    let mut pixels = [7_u16; 6];
    mask.paint(mask.size().bbox(), &mut pixels, 9);
    assert_eq!(pixels, [9, 7, 7, 7, 9, 9]);
}
