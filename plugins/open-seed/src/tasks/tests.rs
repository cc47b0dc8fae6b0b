//! Every run of the official project, to the regions.

use serde_json::{Value, json};
use som_core::{Params, Rle, Schema};

use super::*;
use crate::{
    OPEN_SEED,
    golden::{Golden, both},
};

/// The regions that a call with these parameters finds.
fn regions(golden: &Golden, values: &Value) -> Vec<Region> {
    let schema: Value = serde_json::from_str(OPEN_SEED.schema).unwrap();
    let schema = Schema::compile(&schema["params"]).unwrap();
    let params = schema.resolve("open-seed", values.as_object().unwrap());
    let params: Params = params.unwrap();
    let call = Call::uncancellable(&params);
    let params: CallParams = call.parse().unwrap();
    let vocabulary = golden.open_seed.vocabulary(&params, &call).unwrap();
    let image = golden.encode();
    let found = golden
        .open_seed
        .regions(&image, &vocabulary, &params, &call);
    let mut found = found.unwrap();
    found.retain(|region| !region.mask.is_empty());
    found
}

/// The class list of a run.
fn names(run: &Value) -> Vec<String> {
    serde_json::from_value(run["class_names"].clone()).unwrap()
}

fn things(run: &Value) -> Vec<String> {
    let names = names(run);
    let ids: Vec<usize> = serde_json::from_value(run["thing_class_ids"].clone()).unwrap();
    ids.into_iter().map(|id| names[id].clone()).collect()
}

fn assert_same_mask(region: &Region, expected: &Value, what: &str) {
    let rle: Rle = serde_json::from_value(expected.clone()).unwrap();
    let iou = region.mask.iou(&Mask::from_rle(&rle).unwrap());
    assert!(iou >= 0.999, "{what}: IoU {iou}");
}

/// Compares regions with a label map, whose ids count from `first`.
fn assert_map(golden: &Golden, tensor: &str, first: u8, ids: &[u8], regions: &[Region]) {
    let map = golden.tensor(tensor);
    let (height, width) = map.size2().unwrap();
    let pixels = Vec::<u8>::try_from(map.flatten(0, -1)).unwrap();
    let wrong = pixels.iter().zip(0..).filter(|&(&id, index)| {
        let point = som_core::Point::new(index % width as u32, index / width as u32);
        let found = regions
            .iter()
            .position(|region| region.mask.contains(point))
            .map(|at| ids[at]);
        found != (id >= first).then_some(id)
    });
    let share = wrong.count() as f64 / (height * width) as f64;
    assert!(share <= 1e-3, "{tensor}: {share} of the pixels differ");
}

/// Compares with the segments of a run.
fn assert_segments(golden: &Golden, run: &Value, segments: &Value, tensor: &str, found: &[Region]) {
    let names = names(run);
    let expected = segments["segments_info"].as_array().unwrap();
    assert_eq!(found.len(), expected.len(), "{tensor}");
    for (region, expected) in found.iter().zip(expected) {
        let class = expected["category_id"].as_u64().unwrap() as usize;
        assert_eq!(region.label.as_ref(), Some(&names[class]), "{tensor}");
        assert_eq!(region.extra["thing"], expected["isthing"], "{tensor}");
        assert_eq!(
            region.extra["category_id"], expected["category_id"],
            "{tensor}"
        );
        if !expected["segmentation"].is_null() {
            assert_same_mask(region, &expected["segmentation"], tensor);
        }
    }
    let ids: Vec<u8> = (1..).take(found.len()).collect();
    assert_map(golden, tensor, 1, &ids, found);
}

/// Compares with the instances of a run, whose masks may be missing.
fn assert_instances(run: &Value, expected: &Value, what: &str, found: &[Region]) {
    let names = names(run);
    // An empty mask is no region.
    let expected: Vec<&Value> = expected
        .as_array()
        .unwrap()
        .iter()
        .filter(|instance| instance["area"] != 0)
        .collect();
    let near = |found: f64, expected: &Value, tolerance: f64, key: &str| {
        let expected = expected.as_f64().unwrap();
        assert!(
            (found - expected).abs() <= tolerance,
            "{what}, {key}: {found} {expected}"
        );
    };
    assert_eq!(found.len(), expected.len(), "{what}");
    for (region, expected) in found.iter().zip(expected) {
        let class = expected["category_id"].as_u64().unwrap() as usize;
        assert_eq!(region.label.as_ref(), Some(&names[class]), "{what}");
        near(
            f64::from(region.score.unwrap()),
            &expected["score"],
            1e-3,
            "score",
        );
        for side in 0..4 {
            let found = region.extra["pred_box"][side].as_f64().unwrap();
            near(found, &expected["box_xyxy_predicted"][side], 1e-2, "box");
        }
        if !expected["segmentation"].is_null() {
            assert_same_mask(region, &expected["segmentation"], what);
        }
    }
}

#[test]
fn panoptic_segments_are_the_official_ones() {
    both(|golden| {
        let json = &golden.json;
        let run = &json["text"];
        let found = regions(
            golden,
            &json!({"classes": names(run), "things": things(run)}),
        );
        assert_segments(
            golden,
            run,
            &json["panoptic"],
            "output.panoptic_seg",
            &found,
        );
        let run = &json["panoptic_only"];
        if run.is_object() {
            let found = regions(
                golden,
                &json!({"classes": names(run), "things": things(run)}),
            );
            let tensor = "panoptic_only.panoptic_seg";
            assert_segments(golden, run, &run["panoptic"], tensor, &found);
        }
    });
}

#[test]
fn the_demo_with_one_template_for_each_class_finds_the_same() {
    both(|golden| {
        let run = &golden.json["demo_panoptic_one_template"];
        let all: Vec<&str> = som_torch::text::templates().collect();
        let drawn = run["drawn"]["template_indices"].as_array().unwrap().iter();
        let drawn: Vec<&str> = drawn
            .map(|index| all[index.as_u64().unwrap() as usize])
            .collect();
        let values = json!({"classes": names(run), "things": things(run), "template": drawn});
        let found = regions(golden, &values);
        let tensor = "demo_panoptic_one_template.panoptic_seg";
        assert_segments(golden, run, &run["panoptic"], tensor, &found);
        let mut values = values;
        values["task"] = "instance".into();
        let found = regions(golden, &values);
        assert_instances(
            run,
            &run["instances_sorted_by_score"],
            "demo instances",
            &found,
        );
    });
}

#[test]
fn every_pixel_gets_the_official_class() {
    both(|golden| {
        for (run, key, tensor) in [
            ("text", "semantic", "output.sem_seg_argmax"),
            (
                "demo_semantic",
                "demo_semantic",
                "demo_semantic.sem_seg_argmax",
            ),
        ] {
            let names = names(&golden.json[run]);
            let found = regions(golden, &json!({"task": "semantic", "classes": names}));
            let ids: Vec<u8> = found
                .iter()
                .map(|region| region.extra["category_id"].as_u64().unwrap() as u8)
                .collect();
            assert!(ids.is_sorted());
            assert!(golden.json[key].is_object());
            assert_map(golden, tensor, 0, &ids, &found);
        }
    });
}

#[test]
fn instances_and_boxes_are_the_official_ones_in_the_official_order() {
    both(|golden| {
        let json = &golden.json;
        let run = &json["text"];
        let values = json!({"task": "instance", "classes": names(run), "things": things(run)});
        let found = regions(golden, &values);
        let expected = &json["instances_seg_task_sorted_by_score"];
        assert_instances(run, expected, "instances beside stuff", &found);
        for (name, task) in [
            ("instance_only", "instance"),
            ("detection_only", "detection"),
        ] {
            let run = &json[name];
            let found = regions(golden, &json!({"task": task, "classes": names(run)}));
            assert_instances(run, &run["instances_sorted_by_score"], name, &found);
        }
    });
}
