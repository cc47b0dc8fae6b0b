use proptest::prelude::*;
use som_core::{BBox, Mask, Size};

use super::{check, masks, model, pairs, picture};

fn combined(a: &[u8], b: &[u8], keep: impl Fn(bool, bool) -> bool) -> Vec<u8> {
    a.iter()
        .zip(b)
        .map(|(&a, &b)| u8::from(keep(a != 0, b != 0)))
        .collect()
}

proptest! {
    #[test]
    fn set_operations_work_pixel_by_pixel([(a, pixels_a), (b, pixels_b)] in pairs()) {
        let results = [
            (a.union(&b), combined(&pixels_a, &pixels_b, |a, b| a || b)),
            (a.intersection(&b), combined(&pixels_a, &pixels_b, |a, b| a && b)),
            (a.difference(&b), combined(&pixels_a, &pixels_b, |a, b| a && !b)),
            (a.complement(), combined(&pixels_a, &pixels_a, |a, _| !a)),
        ];
        for (mask, expected) in &results {
            check(mask);
            prop_assert_eq!(&model(mask), expected);
        }
    }

    #[test]
    fn iou_and_shared_area_agree_with_the_built_sets([(a, _), (b, _)] in pairs()) {
        let shared = a.intersection(&b).area();
        prop_assert_eq!(a.intersection_area(&b), shared);
        prop_assert_eq!(b.intersection_area(&a), shared);
        let either = a.union(&b).area();
        let expected = if either == 0 { 0.0 } else { shared as f64 / either as f64 };
        prop_assert_eq!(a.iou(&b), expected);
    }

    #[test]
    fn what_is_moved_moves_pixel_by_pixel((mask, pixels) in masks(), dx in -40_i64..40, dy in -40_i64..40) {
        let Size { width, height } = mask.size();
        let moved = mask.moved(dx, dy);
        check(&moved);
        let was = |x: i64, y: i64| {
            let inside = (0..i64::from(width)).contains(&x) && (0..i64::from(height)).contains(&y);
            u8::from(inside && pixels[(y * i64::from(width) + x) as usize] != 0)
        };
        let (width, height) = (i64::from(width), i64::from(height));
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let expected: Vec<u8> = places.map(|(x, y)| was(x - dx, y - dy)).collect();
        prop_assert_eq!(model(&moved), expected);
        prop_assert!(mask.moved(i64::MAX, 0).is_empty() && mask.moved(0, i64::MIN).is_empty());
    }

    #[test]
    fn the_algebra_of_sets_holds([(a, _), (b, _)] in pairs(), (c, _) in masks()) {
        prop_assert_eq!(a.complement().complement(), a.clone());
        prop_assert_eq!(a.union(&b).complement(), a.complement().intersection(&b.complement()));
        prop_assert_eq!(a.difference(&b), a.intersection(&b.complement()));
        prop_assert_eq!(a.difference(&b).union(&a.intersection(&b)), a.clone());
        // A mask of another size keeps its coordinates and is cut to the image of the first.
        let everything = Mask::rect(a.size(), a.size().bbox());
        prop_assert_eq!(a.union(&c), a.union(&everything.intersection(&c)));
        prop_assert_eq!(a.union(&c).size(), a.size());
    }
}

#[test]
fn masks_apart_share_nothing() {
    let size = Size::new(10, 10);
    let (a, b) = (
        Mask::rect(size, BBox::new(0, 0, 3, 3)),
        Mask::rect(size, BBox::new(5, 6, 3, 3)),
    );
    assert_eq!(a.iou(&b), 0.0);
    assert_eq!(a.intersection(&b), Mask::empty(size));
    assert_eq!(a.union(&b).area(), 18);
    assert_eq!(Mask::empty(size).iou(&Mask::empty(size)), 0.0);
    assert_eq!(a.iou(&a), 1.0);
}

#[test]
fn neighbouring_runs_become_one() {
    let (left, right) = (picture(&["##.."]), picture(&["..##"]));
    assert_eq!(left.union(&right), picture(&["####"]));
    assert_eq!(left.union(&right).row(0).len(), 1);
}
