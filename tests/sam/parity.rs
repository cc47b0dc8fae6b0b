use serde_json::Value;
use som_core::{Mask, Rle};

use super::Sam;

fn mask(rle: &Value) -> Mask {
    let rle: Rle = serde_json::from_value(rle.clone()).unwrap();
    Mask::from_rle(&rle).unwrap()
}

#[track_caller]
fn assert_near(found: &Value, expected: &Value, tolerance: f64, what: &str) {
    let distance = (found.as_f64().unwrap() - expected.as_f64().unwrap()).abs();
    assert!(
        distance <= tolerance,
        "{what}: {found}, expected {expected}"
    );
}

#[track_caller]
fn assert_same_mask(region: &Value, expected: &Value, what: &str) {
    let iou = mask(&region["segmentation"]).iou(&mask(expected));
    assert!(iou >= 0.99, "{what}: IoU {iou}");
}

/// Every setting of the official mask generator for which its masks are known.
pub(super) fn automatic(sam: &Sam) {
    for (name, setting) in sam.expected()["amg"].as_object().unwrap() {
        // How masks are written, which is the same always here.
        let params = setting["params"].as_object().unwrap().iter();
        let params: Vec<_> = params
            .filter(|(key, _)| *key != "output_mode")
            .map(|(key, value)| (key.as_str(), value))
            .collect();
        let regions = sam.regions(&params, &[]);
        let expected = setting["masks"].as_array().unwrap();
        assert_eq!(regions.len(), expected.len(), "{name}");
        for (index, (region, expected)) in regions.iter().zip(expected).enumerate() {
            let what = format!("{name}, mask {index}");
            assert_same_mask(region, &expected["segmentation"], &what);
            let (score, extra) = (&region["score"], &region["extra"]);
            assert_near(score, &expected["predicted_iou"], 1e-3, &what);
            for (key, tolerance) in [("predicted_iou", 1e-3), ("stability_score", 2e-3)] {
                assert_near(&extra[key], &expected[key], tolerance, &what);
            }
            for axis in 0..2 {
                let (point, expected) = (&extra["point_coords"], &expected["point_coords"]);
                assert_near(&point[0][axis], &expected[0][axis], 1e-9, &what);
            }
            for side in 0..4 {
                let (crop, expected) = (&extra["crop_box"], &expected["crop_box"]);
                assert_near(&crop[side], &expected[side], 0.0, &what);
            }
        }
    }
}

/// Every prompt of the official predictor for which its masks are known, but those with logits of
/// an earlier call: a hint is a mask.
pub(super) fn prompted(sam: &Sam) {
    for (name, case) in sam.expected()["predict"].as_object().unwrap() {
        if !case["mask_input"].is_null() {
            continue;
        }
        let hints = hints(case);
        let hints: Vec<&str> = hints.iter().flat_map(|hint| ["--hint", hint]).collect();
        let params = [("multimask_output", &case["multimask_output"])];
        let regions = sam.regions(&params, &hints);
        let expected = case["masks"].as_array().unwrap();
        assert_eq!(regions.len(), expected.len(), "{name}");
        for (index, (region, expected)) in regions.iter().zip(expected).enumerate() {
            assert_same_mask(region, expected, name);
            let iou = &case["iou_predictions"][index];
            assert_near(&region["extra"]["predicted_iou"], iou, 1e-3, name);
        }
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

/// Half the precision is not half the quality: what a click finds stays nearly the same.
pub(super) fn in_less(sam: &Sam) {
    let find = |precision: &str| -> Vec<Mask> {
        let precision = format!("precision={precision}");
        let regions = sam.regions(&[], &["--set", &precision, "--hint", "point:40,115"]);
        regions
            .iter()
            .map(|region| mask(&region["segmentation"]))
            .collect()
    };
    let exact = find("fp32");
    for precision in ["bf16", "fp16"] {
        for (near, exact) in find(precision).iter().zip(&exact) {
            let iou = near.iou(exact);
            assert!(iou > 0.9, "{precision}: IoU {iou}");
        }
    }
}

/// Runs a check with each of these networks.
fn with(names: &[&str], check: impl Fn(&Sam)) {
    let networks = names.iter().filter_map(|name| Sam::open(name));
    networks.for_each(|sam| check(&sam));
}

#[test]
fn a_photograph_is_cut_as_the_official_generator_cuts_it() {
    with(&["tiny"], automatic);
}

#[test]
fn drawn_shapes_are_cut_as_the_official_generator_cuts_them() {
    with(&["shapes"], automatic);
}

#[test]
fn sizes_that_no_released_network_has_are_as_exact() {
    with(&["sizes"], automatic);
    with(&["sizes"], prompted);
}

#[test]
fn hints_find_what_the_official_predictor_finds() {
    with(&["tiny", "shapes"], prompted);
}

#[test]
fn lower_precisions_find_nearly_the_same() {
    with(&["shapes"], in_less);
}
