//! Semantic-SAM: `amg` of a fixture holds settings of the official generator with all their masks,
//! `interactive` points of the official predictor with the six masks of each, and with those that it
//! selects. All masks have the size of the resized image.

use serde_json::{Value, json};
use som_core::Size;

use super::{
    case::{Case, Expected, mask},
    plugin::{Fixture, Plugin},
    tests_of,
};

pub(super) const SEMANTIC_SAM: Plugin = Plugin {
    folder: "plugins/semantic-sam",
    cases,
};

tests_of!(SEMANTIC_SAM, tiny);

/// The level of each mask of a point.
const LEVELS: [u8; 6] = [3, 5, 2, 1, 4, 6];

fn cases(fixture: &Fixture) -> Vec<Case> {
    let expected = fixture.expected();
    let [height, width]: [u32; 2] =
        serde_json::from_value(expected["original_size_hw"].clone()).unwrap();
    let size = Size::new(width, height);
    let automatic = expected["amg"].as_object().unwrap().iter();
    let automatic = automatic.map(|(name, setting)| Case {
        name: name.clone(),
        arguments: settings(setting),
        regions: setting["masks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|mask| generated(mask, size))
            .collect(),
    });
    let mut cases: Vec<Case> = automatic.collect();
    for (name, case) in expected["interactive"].as_object().unwrap() {
        // What the official predictor asks where nothing is said, no hint asks.
        if !case["point_xy_normalized"].is_null() {
            cases.extend([all_of(name, case, size), selected(name, case, size)]);
        }
    }
    cases
}

/// The parameters of a setting of the official generator.
fn settings(setting: &Value) -> Vec<String> {
    let params = setting["params"].as_object().unwrap().iter();
    // How masks are written, and what levels are in the network.
    let params =
        params.filter(|(key, _)| !["output_mode", "token_index_for_level"].contains(&key.as_str()));
    params
        .flat_map(|(key, value)| ["--set".to_owned(), format!("{key}={value}")])
        .collect()
}

/// A mask as it comes back to an image of this size.
fn brought_back(rle: &Value, size: Size) -> Value {
    serde_json::to_value(mask(rle).resized(size).to_rle()).unwrap()
}

/// A mask of the official generator.
fn generated(found: &Value, size: Size) -> Expected {
    Expected::new(&brought_back(&found["segmentation"], size))
        .near("/score", &found["predicted_iou"], 1e-3)
        .near("/extra/predicted_iou", &found["predicted_iou"], 1e-3)
        .near("/extra/stability_score", &found["stability_score"], 2e-3)
        .near_each("/extra/point_coords/0", &found["point_coords"][0], 1e-7)
}

fn hint(case: &Value, size: Size) -> [String; 2] {
    let [x, y]: [f64; 2] = serde_json::from_value(case["point_xy_normalized"].clone()).unwrap();
    let (x, y) = (x * f64::from(size.width), y * f64::from(size.height));
    ["--hint".to_owned(), format!("point:{x},{y}")]
}

/// All masks of a point.
fn all_of(name: &str, case: &Value, size: Size) -> Case {
    let ious = case["predicted_iou_by_token"].as_array().unwrap().iter();
    let masks = case["masks_by_token"].as_array().unwrap().iter();
    let regions = masks.zip(ious).zip(LEVELS).map(|((mask, iou), level)| {
        Expected::new(&brought_back(mask, size))
            .near("/extra/predicted_iou", iou, 1e-3)
            .equal("/level", level)
    });
    Case {
        name: name.to_owned(),
        arguments: hint(case, size).to_vec(),
        regions: regions.collect(),
    }
}

/// What the official predictor selects of them.
fn selected(name: &str, case: &Value, size: Size) -> Case {
    let regions = case["selected"].as_array().unwrap().iter();
    let regions = regions.map(|found| {
        let shown: f64 = found["text_iou"].as_str().unwrap().parse().unwrap();
        // Shown with two decimals.
        Expected::new(&brought_back(&found["mask"], size)).near("/score", &json!(shown), 0.006)
    });
    let settings = ["thresh", "hole_scale", "island_scale"].map(|key| {
        let value = &case["predictor_settings"][key];
        ["--set".to_owned(), format!("{key}={value}")]
    });
    Case {
        name: format!("{name}, selected"),
        arguments: [&[hint(case, size)], &settings[..]].concat().concat(),
        regions: regions.collect(),
    }
}
