//! Segment Anything: `amg` of a fixture holds settings of the official generator with all their
//! masks, `predict` prompts of the official predictor with theirs.

use std::fs;

use image::RgbImage;
use serde_json::{Value, json};
use som_core::{Mask, Size};

use super::{
    case::{Case, Expected, mask},
    plugin::{Fixture, Plugin},
    tests_of,
};

pub(super) const SAM: Plugin = Plugin {
    folder: "plugins/sam",
    cases,
};

tests_of!(SAM, tiny, shapes, sizes);

fn cases(fixture: &Fixture) -> Vec<Case> {
    let expected = fixture.expected();
    let automatic = expected["amg"].as_object().unwrap().iter();
    let automatic = automatic.map(|(name, setting)| Case {
        name: name.clone(),
        arguments: settings(setting),
        regions: setting["masks"]
            .as_array()
            .unwrap()
            .iter()
            .map(generated)
            .collect(),
    });
    let prompted = expected["predict"].as_object().unwrap().iter();
    // Logits of an earlier call are no hint: that is a mask.
    let prompted = prompted.filter(|(_, case)| case["mask_input"].is_null());
    automatic
        .chain(prompted.map(|(name, case)| predicted(name, case)))
        .collect()
}

/// The parameters of a setting of the official generator.
fn settings(setting: &Value) -> Vec<String> {
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
        .near("/score", &found["predicted_iou"], 1e-3)
        .near("/extra/predicted_iou", &found["predicted_iou"], 1e-3)
        .near("/extra/stability_score", &found["stability_score"], 2e-3)
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
        .map(|(mask, iou)| Expected::new(mask).near("/extra/predicted_iou", iou, 1e-3));
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

/// Best IoU of each drawn shape (the first is the background), as the official masks reach it with
/// the setting `crop_layer1`.
const OFFICIAL: [f64; 11] = [
    0.94, 0.94, 0.93, 0.13, 0.48, 0.88, 0.81, 0.68, 0.74, 0.81, 0.89,
];

#[test]
fn shapes_are_found_where_they_were_drawn() {
    let Some(fixture) = SAM.usual() else {
        return;
    };
    let regions = fixture.regions(&with_crops(&fixture));
    let found = regions.iter().map(|region| mask(&region["segmentation"]));
    let found: Vec<Mask> = found.collect();

    let labels = image::open(fixture.file("labels_x20.png"))
        .unwrap()
        .into_luma8();
    let size = Size::new(labels.width(), labels.height());
    for (shape, official) in OFFICIAL.iter().enumerate() {
        let drawn: Vec<u8> = labels
            .iter()
            .map(|&value| u8::from(usize::from(value) == 20 * shape))
            .collect();
        let drawn = Mask::from_dense(size, size.bbox(), &drawn).unwrap();
        let best = found
            .iter()
            .map(|mask| mask.iou(&drawn))
            .fold(0.0, f64::max);
        assert!((best - official).abs() < 0.015, "shape {shape}: IoU {best}");
    }
}

#[test]
fn what_a_learned_model_finds_is_marked() {
    let Some(fixture) = SAM.usual() else {
        return;
    };
    let mut arguments = with_crops(&fixture);
    arguments.extend(["-o", "marked.png", "--json", "marks.json"].map(str::to_owned));
    fixture.run("mark", &arguments).succeeded();

    let plain: RgbImage = image::load_from_memory(&fs::read(fixture.file("image.png")).unwrap())
        .unwrap()
        .into_rgb8();
    let marked = fixture.folder.image("marked.png");
    let report = fixture.folder.json("marks.json");
    // A small image is drawn enlarged.
    let scale = report["scale"].as_u64().unwrap() as u32;
    let (width, height) = plain.dimensions();
    assert_eq!(marked.dimensions(), (width * scale, height * scale));
    assert_eq!(report["segmenter"]["id"], "sam");
    let marks = report["marks"].as_array().unwrap();
    assert_eq!(marks.len(), 29);
    assert_eq!(marks[0]["text"], json!("1"));
    assert!(
        marks
            .iter()
            .all(|mark| mark["region"]["extra"]["predicted_iou"].is_f64())
    );
}

/// The arguments of the setting `crop_layer1`.
fn with_crops(fixture: &Fixture) -> Vec<String> {
    settings(&fixture.expected()["amg"]["crop_layer1"])
}
