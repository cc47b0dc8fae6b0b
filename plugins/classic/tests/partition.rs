//! Regions cover the image, each in one piece, nested from level to level.

use image::{Rgb, RgbImage};
use proptest::prelude::*;
use serde_json::json;
use som_core::{BBox, Mask, Region, Size};

use crate::support::{PHOTOGRAPHS, photograph, pieces, segment};

fn at_level(picture: &RgbImage, level: u8) -> Vec<Region> {
    segment(picture, json!({"level": level})).unwrap()
}

fn size_of(picture: &RgbImage) -> Size {
    Size::new(picture.width(), picture.height())
}

/// Panics unless the regions are disjoint, connected, and cover the image.
fn assert_partition(regions: &[Region], size: Size) {
    let mut covered = Mask::empty(size);
    for region in regions {
        assert_eq!(region.mask.size(), size);
        assert_eq!(pieces(&region.mask), 1, "{:?}", region.mask.bbox());
        assert_eq!(
            covered.intersection_area(&region.mask),
            0,
            "{:?}",
            region.mask.bbox()
        );
        covered = covered.union(&region.mask);
    }
    assert_eq!(covered.area(), size.pixels());
}

fn node(region: &Region) -> u64 {
    region.extra["node"].as_u64().expect("a node")
}

#[test]
fn photographs_are_cut_into_nested_partitions() {
    for name in PHOTOGRAPHS {
        let picture = photograph(name);
        let mut coarser: Vec<Region> = Vec::new();
        for level in 1..=6 {
            let regions = at_level(&picture, level);
            assert_partition(&regions, size_of(&picture));
            assert!(regions.len() > coarser.len(), "{name}, level {level}");
            for region in regions.iter().filter(|_| level > 1) {
                assert_eq!(region.level, Some(level));
                let holds = |outer: &&Region| outer.mask.intersection_area(&region.mask) > 0;
                let outer: Vec<_> = coarser.iter().filter(holds).collect();
                assert_eq!(outer.len(), 1, "{name}, level {level}: a region in two");
                // The same region, or the one that the node's parent is.
                if node(outer[0]) == node(region) {
                    assert_eq!(outer[0].mask, region.mask);
                } else {
                    assert_eq!(region.extra["parent_node"], node(outer[0]));
                }
            }
            coarser = regions;
        }
    }
}

#[test]
fn the_default_level_shows_what_a_person_would_name() {
    for name in PHOTOGRAPHS {
        let regions = segment(&photograph(name), json!({})).unwrap();
        assert!(
            (8..=60).contains(&regions.len()),
            "{name}: {}",
            regions.len()
        );
        assert!(regions.is_sorted_by_key(|region| std::cmp::Reverse(region.mask.area())));
        for region in &regions {
            assert_eq!(
                (region.level, region.parent, &region.label),
                (Some(3), None, &None)
            );
            assert!(
                region
                    .score
                    .is_some_and(|score| (0.0..1.0).contains(&score))
            );
        }
    }
}

#[test]
fn a_hierarchy_has_every_region_of_its_levels_once() {
    let picture = photograph("coffee.png");
    let nested = segment(&picture, json!({"level": 4, "hierarchy": true})).unwrap();
    let mut nodes: Vec<u64> = nested.iter().map(node).collect();
    nodes.sort_unstable();
    let before = nodes.len();
    nodes.dedup();
    assert_eq!(nodes.len(), before);
    let flat: Vec<Region> = (1..=4)
        .flat_map(|level| at_level(&picture, level))
        .collect();
    for region in &flat {
        let same = nested
            .iter()
            .find(|other| node(other) == node(region))
            .expect("in the list");
        assert_eq!(same.mask, region.mask);
        assert!(same.level <= region.level);
    }
    assert!(
        nested
            .iter()
            .all(|region| flat.iter().any(|other| node(other) == node(region)))
    );
    for (index, region) in nested.iter().enumerate() {
        let Some(parent) = region.parent.map(|parent| parent as usize) else {
            assert_eq!(region.level, Some(1));
            assert!(region.extra["parent_node"].is_null());
            continue;
        };
        assert!(parent < index);
        assert_eq!(region.extra["parent_node"], node(&nested[parent]));
        assert!(nested[parent].level < region.level);
        let shared = nested[parent].mask.intersection_area(&region.mask);
        assert_eq!(shared, region.mask.area());
        assert!(nested[parent].mask.area() > shared);
    }
}

#[test]
fn the_same_picture_gives_the_same_regions() {
    let picture = photograph("rocket.jpg");
    let params = json!({"level": 6, "hierarchy": true});
    assert_eq!(
        segment(&picture, params.clone()).unwrap(),
        segment(&picture, params).unwrap()
    );
}

#[test]
fn one_colour_is_one_region_of_any_shape() {
    for (width, height) in [
        (1, 1),
        (2, 2),
        (1, 9),
        (9, 1),
        (1, 70_000),
        (400_000, 1),
        (33, 20),
        (900, 700),
    ] {
        let picture = RgbImage::from_pixel(width, height, Rgb([90, 20, 160]));
        for level in [1, 6] {
            let regions = at_level(&picture, level);
            assert_eq!(regions.len(), 1, "{width}x{height}");
            assert_eq!(regions[0].mask.area(), u64::from(width) * u64::from(height));
            assert_eq!((regions[0].score, regions[0].parent), (None, None));
        }
    }
    assert_eq!(at_level(&RgbImage::new(0, 0), 3), []);
}

#[test]
fn plain_pictures_have_few_regions() {
    let shade = RgbImage::from_fn(320, 240, |x, y| {
        Rgb([60 + (x / 4) as u8, 90 + (y / 6) as u8, 120])
    });
    assert!(
        at_level(&shade, 3).len() <= 2,
        "{}",
        at_level(&shade, 3).len()
    );
    let mut state = 7_u32;
    let noise = RgbImage::from_fn(320, 240, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Rgb([100, 110, 120].map(|gray: u8| gray + (state >> 29) as u8))
    });
    assert!(
        at_level(&noise, 3).len() <= 2,
        "{}",
        at_level(&noise, 3).len()
    );
}

/// Two discs on a ground, at several sizes: also ones beyond the working resolution.
#[test]
fn plain_objects_are_found_exactly() {
    for scale in [1, 2, 5, 10] {
        let (width, height) = (240 * scale, 160 * scale);
        let discs = [(80, 70, 45, [210, 180, 40]), (170, 100, 30, [30, 60, 170])];
        let is_in = |x: u32, y: u32, (cx, cy, radius): (u32, u32, u32)| {
            let square = |a: u32, b: u32| u64::from(a.abs_diff(b * scale)).pow(2);
            square(x, cx) + square(y, cy) <= u64::from(radius * scale).pow(2)
        };
        let picture = RgbImage::from_fn(width, height, |x, y| {
            let disc = discs
                .iter()
                .find(|&&(cx, cy, radius, _)| is_in(x, y, (cx, cy, radius)));
            Rgb(disc.map_or([90, 130, 90], |disc| disc.3))
        });
        let regions = at_level(&picture, 3);
        assert_partition(&regions, size_of(&picture));
        assert_eq!(regions.len(), 3, "scale {scale}");
        for (cx, cy, radius, _) in discs {
            let dense: Vec<u8> = (0..width * height)
                .map(|i| u8::from(is_in(i % width, i / width, (cx, cy, radius))))
                .collect();
            let size = size_of(&picture);
            let disc = Mask::from_dense(size, BBox::new(0, 0, width, height), &dense).unwrap();
            let best = regions
                .iter()
                .map(|region| region.mask.iou(&disc))
                .fold(0.0, f64::max);
            assert!(best > 0.985, "scale {scale}: {best}");
        }
    }
}

/// What the working copy cannot show is bounded, what it shows is not.
#[test]
fn a_hundred_megapixels_are_fine() {
    let picture = RgbImage::from_fn(10_000, 10_000, |x, y| {
        Rgb(if x < 3000 + y / 2 {
            [200, 60, 40]
        } else {
            [40, 60, 200]
        })
    });
    let regions = at_level(&picture, 3);
    assert_eq!(regions.len(), 2);
    let left: u64 = (0..10_000).map(|y| 3000 + y / 2).sum();
    let found = regions[0].mask.area();
    assert!(
        found.abs_diff(left) < 10_000 * 2,
        "{found} pixels for {left}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_picture_is_cut_into_a_partition(
        width in 1_u32..40,
        pixels in prop::collection::vec(prop::sample::select(vec![[0, 0, 0], [255, 0, 0], [20, 200, 90], [250; 3]]), 1..900),
        level in 1_u8..=6,
        min_area in 0_u32..30,
    ) {
        let height = (pixels.len() as u32).div_ceil(width);
        let picture = RgbImage::from_fn(width, height, |x, y| {
            Rgb(pixels[(y * width + x) as usize % pixels.len()])
        });
        let params = json!({"level": level, "min_area": min_area});
        let regions = segment(&picture, params).unwrap();
        assert_partition(&regions, size_of(&picture));
        let least = u64::from(min_area).min(size_of(&picture).pixels());
        prop_assert!(regions.iter().all(|region| region.mask.area() >= least));
    }
}
