//! Points, boxes and strokes find what a person meant.

use serde_json::{Value, json};
use som_core::{BBox, ErrorKind, Mask, Point, Region, Size};

use crate::support::{photograph, segment};

fn find(name: &str, hints: impl Into<Value>) -> Vec<Region> {
    segment(&photograph(name), json!({"hints": hints.into()})).unwrap()
}

fn contains(region: &Region, [x, y]: [u32; 2]) -> bool {
    region.mask.contains(Point::new(x, y))
}

#[test]
fn a_point_gives_up_to_three_sizes_around_it() {
    for (name, point) in [
        ("chelsea.png", [150, 120]),
        ("astronaut.png", [225, 140]),
        ("coffee.png", [300, 170]),
        ("rocket.jpg", [322, 250]),
    ] {
        let found = find(name, json!({"points": [{"x": point[0], "y": point[1]}]}));
        assert!((1..=3).contains(&found.len()), "{name}: {}", found.len());
        assert!(found.iter().all(|region| contains(region, point)));
        for (index, region) in found.iter().enumerate() {
            assert!(region.level.is_some() && region.extra["node"].is_u64());
            for other in &found[..index] {
                let shared = region.mask.iou(&other.mask);
                assert!(
                    shared < 0.75,
                    "{name}: two sizes that are nearly one ({shared})"
                );
            }
        }
    }
}

#[test]
fn the_best_region_for_a_point_is_the_thing_pointed_at() {
    for (name, point, bbox) in [
        ("astronaut.png", [230, 40], BBox::new(153, 16, 149, 113)),
        ("astronaut.png", [140, 390], BBox::new(133, 348, 75, 75)),
        ("coffee.png", [186, 110], BBox::new(173, 18, 236, 191)),
        ("chelsea.png", [265, 240], BBox::new(238, 229, 55, 35)),
    ] {
        let found = find(
            name,
            json!({"points": [{"x": point[0], "y": point[1], "label": 1}]}),
        );
        let iou = found[0].mask.bbox().iou(bbox);
        assert!(
            iou > 0.6,
            "{name} {point:?}: {:?} for {bbox:?}",
            found[0].mask.bbox()
        );
    }
}

#[test]
fn background_points_exclude_what_they_lie_on() {
    let (hair, face) = ([230, 40], [225, 140]);
    let point = |[x, y]: [u32; 2], label: u8| json!({"x": x, "y": y, "label": label});
    let found = find(
        "astronaut.png",
        json!({"points": [point(hair, 1), point(face, 0)]}),
    );
    assert!(!found.is_empty());
    assert!(
        found
            .iter()
            .all(|region| contains(region, hair) && !contains(region, face))
    );
    let neither = find(
        "astronaut.png",
        json!({"points": [point(hair, 1), point(hair, 0)]}),
    );
    assert!(neither.is_empty());
}

#[test]
fn points_on_distant_parts_give_the_parts_together() {
    let (rim, spoon) = ([186, 110], [360, 280]);
    let points = [rim, spoon].map(|[x, y]| json!({"x": x, "y": y}));
    let found = find("coffee.png", json!({"points": points}));
    assert!(
        found
            .iter()
            .all(|region| contains(region, rim) && contains(region, spoon))
    );
    let whole = 600 * 400;
    assert!(found[0].mask.area() < whole / 4, "{}", found[0].mask.area());
}

#[test]
fn a_box_gives_the_one_thing_it_is_drawn_around() {
    for (name, [x, y, width, height]) in [
        ("astronaut.png", [153, 16, 149, 113]),
        ("astronaut.png", [133, 348, 75, 75]),
        ("astronaut.png", [278, 338, 51, 39]),
        ("rocket.jpg", [0, 0, 89, 427]),
        ("coffee.png", [173, 18, 236, 191]),
    ] {
        let bbox = json!({"x": x, "y": y, "width": width, "height": height});
        let found = find(name, json!({"boxes": [bbox]}));
        assert_eq!(found.len(), 1);
        let iou = found[0].mask.bbox().iou(BBox::new(x, y, width, height));
        assert!(iou > 0.75, "{name} {bbox}: {:?}", found[0].mask.bbox());
    }
}

#[test]
fn each_box_is_one_object() {
    let bbox = |x, y, width, height| json!({"x": x, "y": y, "width": width, "height": height});
    let boxes = [bbox(153, 16, 149, 113), bbox(133, 348, 75, 75)];
    let both = find("astronaut.png", json!({"boxes": boxes}));
    for (index, (found, bbox)) in both.into_iter().zip(boxes).enumerate() {
        let [mut alone] = find("astronaut.png", json!({"boxes": [bbox]}))
            .try_into()
            .unwrap();
        // Of several, each tells whose it is.
        alone.extra["prompt"] = json!(index);
        assert_eq!(found, alone);
    }
}

#[test]
fn a_stroke_finds_what_it_lies_on_and_a_mask_what_it_is_like() {
    let size = Size::new(512, 512);
    let stroke = Mask::rect(size, BBox::new(170, 50, 110, 6));
    let found = find("astronaut.png", json!({"strokes": [stroke.to_rle()]}));
    let hair = &found[0];
    assert!(
        hair.mask.bbox().iou(BBox::new(153, 16, 149, 113)) > 0.7,
        "{:?}",
        hair.mask.bbox()
    );
    let earlier = hair.mask.difference(&stroke);
    let again = find("astronaut.png", json!({"masks": [earlier.to_rle()]}));
    assert_eq!(again[0].mask, hair.mask);
}

#[test]
fn a_found_region_is_the_one_of_its_level() {
    let picture = photograph("coffee.png");
    let found = find("coffee.png", json!({"points": [{"x": 300, "y": 170}]}));
    let mut tied = 0;
    for region in found {
        let level = region.level.unwrap();
        let all = segment(&picture, json!({"level": level})).unwrap();
        if let Some(same) = all
            .iter()
            .find(|other| other.extra["node"] == region.extra["node"])
        {
            let mut extra = region.extra.clone();
            assert_eq!(extra.remove("prompt"), Some(json!(0)));
            assert_eq!((&same.mask, &same.extra), (&region.mask, &extra));
            tied += 1;
        }
    }
    assert!(tied > 0);
}

#[test]
fn no_more_regions_than_asked_for() {
    let hints = json!({"points": [{"x": 150, "y": 120}]});
    let params = json!({"hints": hints, "max_regions": 1});
    assert_eq!(
        segment(&photograph("chelsea.png"), params).unwrap().len(),
        1
    );
}

#[test]
fn wrong_hints_are_refused() {
    let picture = photograph("chelsea.png");
    for (hints, kind, part) in [
        (json!({"text": "cat"}), ErrorKind::Unsupported, "text"),
        (
            json!({"points": [{"x": 451, "y": 0}]}),
            ErrorKind::Invalid,
            "451,0",
        ),
        (
            json!({"points": [{"x": 5, "y": 5, "label": 0}]}),
            ErrorKind::Invalid,
            "background",
        ),
        (
            json!({"boxes": [{"x": 0, "y": 0, "width": 0, "height": 4}]}),
            ErrorKind::Invalid,
            "0,0,0,4",
        ),
        (
            json!({"masks": [{"size": [300, 450], "counts": [135_000]}]}),
            ErrorKind::Invalid,
            "450",
        ),
        (json!({"circles": []}), ErrorKind::Invalid, "circles"),
    ] {
        let error = segment(&picture, json!({"hints": hints})).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
}
