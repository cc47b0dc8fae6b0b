use std::collections::HashSet;

use proptest::prelude::*;
use som_core::{Connectivity, Mask, Point, Polygon, Ring, Size};

use super::{check, masks, picture};

fn ring<const N: usize>(corners: [(u32, u32); N]) -> Ring {
    corners.map(|(x, y)| Point::new(x, y)).to_vec()
}

/// Twice the area, positive if the ring runs clockwise on the screen.
fn doubled_area(ring: &Ring) -> i64 {
    let following = ring.iter().cycle().skip(1);
    ring.iter()
        .zip(following)
        .map(|(a, b)| i64::from(a.x) * i64::from(b.y) - i64::from(b.x) * i64::from(a.y))
        .sum()
}

proptest! {
    #[test]
    fn outlines_survive((mask, _) in masks()) {
        let polygons = mask.polygons();
        let covered = Mask::from_polygons(mask.size(), &polygons);
        check(&covered);
        prop_assert_eq!(&covered, &mask);
        // Polygon by polygon these are the parts.
        let parts: Vec<Mask> =
            polygons.iter().map(|polygon| Mask::from_polygons(mask.size(), [polygon])).collect();
        prop_assert_eq!(parts, mask.components(Connectivity::Four));
    }

    #[test]
    fn rings_are_simple_and_turn_the_right_way((mask, _) in masks()) {
        for polygon in mask.polygons() {
            prop_assert!(doubled_area(&polygon.exterior) > 0);
            prop_assert!(polygon.holes.iter().all(|hole| doubled_area(hole) < 0));
            for ring in polygon.rings() {
                let corners: HashSet<_> = ring.iter().collect();
                prop_assert_eq!(corners.len(), ring.len(), "a corner is passed twice");
                // Sides are level and upright in turn, so no corner is needless.
                let sides: Vec<bool> =
                    ring.iter().zip(ring.iter().cycle().skip(1)).map(|(a, b)| a.x == b.x).collect();
                prop_assert!(sides.iter().zip(sides.iter().cycle().skip(1)).all(|(a, b)| a != b));
            }
        }
    }

    /// Corners taken away lie near what is left, and those left are some of the old ones.
    #[test]
    fn simplified_outlines_stay_near((mask, _) in masks(), tolerance in 0.0_f64..4.0) {
        for polygon in mask.polygons() {
            let simple = polygon.simplified(tolerance);
            for (before, after) in polygon.rings().zip(simple.rings()) {
                prop_assert!(after.len() >= 3);
                prop_assert!(after.iter().all(|corner| before.contains(corner)));
                for corner in before {
                    let sides = after.iter().zip(after.iter().cycle().skip(1));
                    let nearest = sides.map(|(a, b)| distance(*corner, *a, *b)).fold(f64::MAX, f64::min);
                    prop_assert!(nearest <= tolerance + 1e-9, "{nearest} > {tolerance}");
                }
            }
        }
    }

    /// Any corners, in the image or far off, as the definition says: centre by centre.
    #[test]
    fn any_polygon_covers_the_centres_it_surrounds(
        corners in proptest::collection::vec((0_u32..30, 0_u32..30), 0..7),
        width in 0_u32..20, height in 0_u32..20
    ) {
        let exterior: Ring = corners.iter().map(|&(x, y)| Point::new(x, y)).collect();
        let size = Size::new(width, height);
        let mask = Mask::from_polygons(size, [&Polygon { exterior: exterior.clone(), holes: vec![] }]);
        check(&mask);
        for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
            // Twice the coordinates, so that centres are whole numbers.
            let (cx, cy) = (2 * i64::from(x) + 1, 2 * i64::from(y) + 1);
            let inside = exterior.iter().zip(exterior.iter().cycle().skip(1)).fold(false, |inside, (a, b)| {
                let [ax, ay, bx, by] = [a.x, a.y, b.x, b.y].map(|v| 2 * i64::from(v));
                let crosses = (ay > cy) != (by > cy);
                let side = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
                // On the line counts as right of it.
                inside ^ (crosses && if by > ay { side <= 0 } else { side >= 0 })
            });
            prop_assert_eq!(mask.contains(Point::new(x, y)), inside, "{},{}", x, y);
        }
    }
}

fn distance(point: Point, a: Point, b: Point) -> f64 {
    let [px, py, ax, ay, bx, by] = [point.x, point.y, a.x, a.y, b.x, b.y].map(f64::from);
    let (dx, dy) = (bx - ax, by - ay);
    let along =
        (((px - ax) * dx + (py - ay) * dy) / (dx * dx + dy * dy).max(1e-300)).clamp(0.0, 1.0);
    (px - ax - along * dx).hypot(py - ay - along * dy)
}

#[test]
fn a_frame_has_a_hole() {
    let mask = picture(&["....", ".###", ".#.#", ".###"]);
    let polygon = Polygon {
        exterior: ring([(1, 1), (4, 1), (4, 4), (1, 4)]),
        holes: vec![ring([(2, 3), (3, 3), (3, 2), (2, 2)])],
    };
    assert_eq!(mask.polygons(), [polygon]);
}

#[test]
fn parts_that_meet_at_a_corner_stay_apart() {
    let mask = picture(&["#.", ".#"]);
    let square = |x, y| Polygon {
        exterior: ring([(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)]),
        holes: vec![],
    };
    assert_eq!(mask.polygons(), [square(0, 0), square(1, 1)]);
}

#[test]
fn a_pocket_behind_a_corner_is_a_hole() {
    let mask = picture(&["###", "#.#", ".##", "###"]);
    let [polygon] = mask.polygons().try_into().unwrap();
    assert_eq!(polygon.holes.len(), 1);
    assert_eq!(Mask::from_polygons(mask.size(), [&polygon]), mask);
}

#[test]
fn polygons_without_area_cover_nothing() {
    let size = Size::new(9, 9);
    for exterior in [vec![], ring([(1, 1)]), ring([(1, 1), (7, 8)])] {
        let polygon = Polygon {
            exterior,
            holes: vec![],
        };
        assert_eq!(polygon.simplified(2.0), polygon);
        assert_eq!(polygon.simplified(f64::NAN), polygon);
        assert_eq!(Mask::from_polygons(size, [&polygon]), Mask::empty(size));
    }
    assert_eq!(Mask::empty(size).polygons(), []);
    // Coordinates at the end of the number range do not overflow.
    let exterior = ring([(0, 0), (u32::MAX, 0), (u32::MAX, u32::MAX), (0, u32::MAX)]);
    let all = Mask::from_polygons(
        size,
        [&Polygon {
            exterior,
            holes: vec![],
        }],
    );
    assert_eq!(all, Mask::rect(size, size.bbox()));
}

#[test]
fn stairs_become_a_line() {
    let rows: Vec<String> = (1..=8)
        .map(|width| "#".repeat(width) + &".".repeat(8 - width))
        .collect();
    let mask = picture(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    let [polygon] = mask.polygons().try_into().unwrap();
    assert_eq!(polygon.exterior.len(), 18);
    assert_eq!(polygon.simplified(0.0), polygon);
    assert!(polygon.simplified(1.0).exterior.len() <= 5);
}
