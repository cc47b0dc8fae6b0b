//! What a call may ask for, and what it may not.

use image::{Rgb, RgbImage};
use serde_json::json;
use som_core::ErrorKind;

use crate::support::{photograph, segment};

#[test]
fn small_regions_join_a_neighbour() {
    let picture = photograph("coffee.png");
    let default = segment(&picture, json!({"level": 6})).unwrap();
    assert!(
        default
            .iter()
            .all(|region| region.mask.area() >= 600 * 400 / 5000)
    );
    let coarse = segment(&picture, json!({"level": 6, "min_area": 2000})).unwrap();
    assert!(coarse.len() < default.len());
    assert!(coarse.iter().all(|region| region.mask.area() >= 2000));
    assert_eq!(
        segment(&picture, json!({"min_area": 10_000_000}))
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_limit_makes_a_level_coarser_and_a_hierarchy_shorter() {
    let picture = photograph("astronaut.png");
    let pixels = u64::from(picture.width() * picture.height());
    for most in [1, 2, 7, 20] {
        let regions = segment(&picture, json!({"level": 5, "max_regions": most})).unwrap();
        assert_eq!(regions.len(), most);
        assert_eq!(
            regions.iter().map(|region| region.mask.area()).sum::<u64>(),
            pixels
        );
        let nested = json!({"level": 5, "hierarchy": true});
        let all = segment(&picture, nested.clone()).unwrap();
        let mut limited = nested;
        limited["max_regions"] = json!(most);
        let limited = segment(&picture, limited).unwrap();
        assert_eq!(limited.len(), most);
        assert!(
            limited
                .iter()
                .zip(&all)
                .all(|(a, b)| (&a.mask, a.parent) == (&b.mask, b.parent))
        );
    }
}

/// All squares join what is around them at one cost.
#[test]
fn a_limit_takes_some_of_what_is_alike() {
    let picture = RgbImage::from_fn(300, 300, |x, y| {
        let shade = 40 + 20 * (x / 100 + 3 * (y / 100)) as u8;
        match x % 100 < 90 && y % 100 < 90 {
            true => Rgb([shade, 255 - shade, 120]),
            false => Rgb([255; 3]),
        }
    });
    let all = segment(&picture, json!({})).unwrap();
    assert!(all.len() > 9, "{}", all.len());
    assert!(
        all.iter()
            .all(|region| !region.extra.contains_key("capped"))
    );
    for most in 1..all.len() {
        let regions = segment(&picture, json!({"max_regions": most})).unwrap();
        assert_eq!(regions.len(), most);
        assert!(
            regions
                .iter()
                .all(|region| region.extra["capped"] == "max_regions")
        );
    }
}

#[test]
fn what_is_out_of_range_is_refused_by_name() {
    let picture = photograph("chelsea.png");
    for (params, name) in [
        (json!({"level": 0}), "level: 0"),
        (json!({"level": 7}), "level: 7"),
        (json!({"max_regions": 0}), "max_regions: 0"),
        (json!({"hierarchy": "yes"}), "yes"),
        (json!({"min_area": -3}), "-3"),
    ] {
        let error = segment(&picture, params).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(name), "{error}");
    }
}
