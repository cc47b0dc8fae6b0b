use std::fs;

use image::RgbImage;
use serde_json::{Value, json};
use som_core::{Mask, Rle, Size};

use super::Sam;

/// Best IoU of each drawn shape (the first is the background), as the official masks reach it with
/// the setting `crop_layer1`.
const OFFICIAL: [f64; 11] = [
    0.94, 0.94, 0.93, 0.13, 0.48, 0.88, 0.81, 0.68, 0.74, 0.81, 0.89,
];

fn setting(sam: &Sam) -> Vec<String> {
    let params = sam.expected()["amg"]["crop_layer1"]["params"].clone();
    let params = params.as_object().unwrap().iter();
    params
        .filter(|(key, _)| *key != "output_mode")
        .map(|(key, value)| format!("{key}={value}"))
        .collect()
}

#[test]
fn shapes_are_found_where_they_were_drawn() {
    let Some(sam) = Sam::open("shapes") else {
        return;
    };
    let settings = setting(&sam);
    let settings: Vec<&str> = settings.iter().flat_map(|s| ["--set", s]).collect();
    let regions = sam.run("segment", &settings).succeeded().json()["regions"].clone();
    let found: Vec<Mask> = regions.as_array().unwrap().iter().map(mask).collect();

    let labels = image::open(sam.file("labels_x20.png"))
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
    let Some(sam) = Sam::open("shapes") else {
        return;
    };
    let mut arguments: Vec<String> = setting(&sam)
        .into_iter()
        .flat_map(|setting| ["--set".to_owned(), setting])
        .collect();
    arguments.extend(["-o", "marked.png", "--json", "marks.json"].map(str::to_owned));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    sam.run("mark", &arguments).succeeded();

    let plain: RgbImage = image::load_from_memory(&fs::read(sam.file("image.png")).unwrap())
        .unwrap()
        .into_rgb8();
    let marked = sam.folder.image("marked.png");
    assert_eq!(marked.dimensions(), plain.dimensions());
    assert_ne!(marked, plain);
    let report = sam.folder.json("marks.json");
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

fn mask(region: &Value) -> Mask {
    let rle: Rle = serde_json::from_value(region["segmentation"].clone()).unwrap();
    Mask::from_rle(&rle).unwrap()
}
