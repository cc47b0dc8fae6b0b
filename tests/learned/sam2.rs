//! SAM 2: `amg` of a fixture holds settings of the official generator with all their masks, `predict`
//! prompts of the official predictor with theirs.

use serde_json::Value;

use super::{
    case::{Case, Expected},
    plugin::{Fixture, Plugin},
    tests_of,
};

pub(super) const SAM2: Plugin = Plugin {
    folder: "plugins/sam2",
    cases,
};

tests_of!(SAM2, tiny);

fn cases(fixture: &Fixture) -> Vec<Case> {
    let expected = fixture.expected();
    let settings = expected["amg"].as_object().unwrap().iter();
    // Of what comes after a second answer, the order depends on last bits: the plugin's own tests allow
    // for that.
    let settings = settings.filter(|(_, setting)| setting["params"]["use_m2m"] == false);
    let automatic = settings.map(|(name, setting)| Case {
        name: name.clone(),
        arguments: arguments(setting),
        regions: setting["masks"]
            .as_array()
            .unwrap()
            .iter()
            .map(generated)
            .collect(),
    });
    let prompted = expected["predict"].as_object().unwrap().iter();
    // Logits of an earlier call are no hint, nor are fractions of the image. Of several things at once
    // the official predictor is told otherwise.
    let prompted = prompted.filter(|(_, case)| {
        let is_one = !case["point_labels"][0].is_array() && !case["box"][0].is_array();
        is_one && case["mask_input"].is_null() && case["normalize_coords"] == true
    });
    automatic
        .chain(prompted.map(|(name, case)| predicted(name, case)))
        .collect()
}

/// The parameters of a setting of the official generator.
fn arguments(setting: &Value) -> Vec<String> {
    let params = setting["params"].as_object().unwrap().iter();
    // How masks are written, which is the same always here.
    let params = params.filter(|(key, _)| *key != "output_mode");
    params
        .flat_map(|(key, value)| ["--set".to_owned(), format!("{key}={value}")])
        .collect()
}

/// A mask of the official generator.
fn generated(found: &Value) -> Expected {
    Expected::new(&found["segmentation"])
        .near("/extra/predicted_iou", &found["predicted_iou"], 1e-2)
        .near("/extra/stability_score", &found["stability_score"], 1e-2)
        .near_each("/extra/point_coords/0", &found["point_coords"][0], 1e-9)
        .near_each("/extra/crop_box", &found["crop_box"], 0.0)
}

/// A prompt of the official predictor.
fn predicted(name: &str, case: &Value) -> Case {
    let ambiguous = format!("multimask_output={}", case["multimask_output"]);
    let mut arguments = vec!["--set".to_owned(), ambiguous];
    for hint in hints(case) {
        arguments.extend(["--hint".to_owned(), hint]);
    }
    let masks = case["masks"].as_array().unwrap().iter();
    let ious = case["iou_predictions"].as_array().unwrap();
    let regions = masks
        .zip(ious)
        .map(|(mask, iou)| Expected::new(mask).near("/extra/predicted_iou", iou, 1e-2));
    Case {
        name: name.to_owned(),
        arguments,
        regions: regions.collect(),
    }
}

fn hints(case: &Value) -> Vec<String> {
    let points: Vec<[f64; 2]> =
        serde_json::from_value(case["point_coords"].clone()).unwrap_or_default();
    let labels: Vec<u8> = serde_json::from_value(case["point_labels"].clone()).unwrap_or_default();
    let mut hints: Vec<String> = points
        .iter()
        .zip(labels)
        .map(|([x, y], label)| format!("point:{x},{y},{label}"))
        .collect();
    if let Ok([left, top, right, bottom]) = serde_json::from_value::<[f64; 4]>(case["box"].clone())
    {
        hints.push(format!(
            "box:{left},{top},{},{}",
            right - left,
            bottom - top
        ));
    }
    hints
}
