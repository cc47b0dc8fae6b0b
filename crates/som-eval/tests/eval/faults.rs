//! What is missing, cut off or wrong is named with its file and entry, and the rest goes on.

use std::fs;

use serde_json::{Value, json};
use som_eval::{Error, data::Place};

use crate::asset::{open, path, scored_text, try_open};

#[test]
fn what_is_missing_is_named_with_where_it_can_be_had() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, missing, from) in [
        (
            "coco-instances",
            "instances_val2017.json",
            "cocodataset.org",
        ),
        ("coco-panoptic", "panoptic_val2017.json", "cocodataset.org"),
        ("ade20k", "objectInfo150.txt", "sceneparsing.csail.mit.edu"),
        ("refcoco", "refs(unc).p", "lichengunc/refer"),
        ("refcocog", "refs(umd).p", "lichengunc/refer"),
        ("grefcoco", "grefs(unc).json", "gRefCOCO"),
        ("flickr30k", "test.txt", "flickr30k_entities"),
        ("davis2017", "val.txt", "davischallenge.org"),
        ("reasonseg", "val", "LISA"),
        ("screenspot-pro", "annotations", "ScreenSpot-Pro"),
        ("som-bench", "coco_ovseg", "microsoft/SoM"),
        ("lines", "samples.jsonl", "whoever wrote them"),
    ] {
        let error = try_open(kind, folder.path(), None).unwrap_err();
        assert!(matches!(error, Error::Missing { .. }), "{kind}: {error}");
        let text = error.to_string();
        assert!(text.contains(missing) && text.contains(from), "{text}");
        assert!(text.contains("licence: "), "{text}");
    }
}

#[test]
fn half_a_data_set_says_what_the_other_half_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(
        path("refcoco/refcoco/refs(unc).p"),
        folder.path().join("refs(unc).p"),
    )
    .unwrap();
    let error = try_open("refcoco", folder.path(), None).unwrap_err();
    assert!(
        error.to_string().contains("instances.json is missing"),
        "{error}"
    );
    let json = path("coco/annotations/panoptic_handmade.json");
    fs::copy(json, folder.path().join("panoptic_handmade.json")).unwrap();
    let error = try_open("coco-panoptic", folder.path(), Some("handmade")).unwrap_err();
    assert!(
        error.to_string().contains("panoptic_handmade is missing"),
        "{error}"
    );
}

#[test]
fn files_that_break_off_are_told_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read(path("coco/annotations/instances_handmade.json")).unwrap();
    let file = folder.path().join("instances_val2017.json");
    fs::write(&file, &text[..text.len() / 2]).unwrap();
    let error = try_open("coco-instances", folder.path(), None)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("instances_val2017.json: line 1") && error.contains("breaks off"),
        "{error}"
    );
    let pickle = fs::read(path("refcoco/refcoco/refs(unc).p")).unwrap();
    fs::write(folder.path().join("refs(unc).p"), &pickle[..100]).unwrap();
    let error = try_open("refcoco", folder.path(), None)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("refs(unc).p: byte ") && error.contains("breaks off"),
        "{error}"
    );
}

#[test]
fn a_pickle_with_code_in_it_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("made");
    let code = format!("cos\nsystem\n(S'touch {}'\ntR.", made.display());
    fs::write(folder.path().join("refs(unc).p"), code).unwrap();
    let error = try_open("refcoco", folder.path(), None)
        .unwrap_err()
        .to_string();
    assert!(error.contains("byte 0: GLOBAL would run code"), "{error}");
    assert!(!made.exists());
}

#[test]
fn entries_that_are_wrong_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(path("coco/annotations/instances_handmade.json")).unwrap();
    let mut json: Value = serde_json::from_str(&text).unwrap();
    let annotations = json["annotations"].as_array_mut().unwrap();
    annotations[0]["category_id"] = 12.into();
    annotations[1]["image_id"] = 1.into();
    annotations[4]["id"] = 70004.into();
    annotations[2]["segmentation"]["counts"] = json!([3]);
    fs::write(
        folder.path().join("instances_val2017.json"),
        json.to_string(),
    )
    .unwrap();
    let data = try_open("coco-instances", folder.path(), None).unwrap();
    let told: Vec<String> = data.problems.iter().map(ToString::to_string).collect();
    for (problem, expected) in told.iter().zip([
        "annotation 70004: the id occurs twice",
        "annotation 70001: category 12 is not listed",
        "annotation 70002: image 1 is not listed",
    ]) {
        assert!(problem.contains(expected), "{told:?}");
    }
    assert_eq!(told.len(), 3);
    // Its image is left out of scores, and the others go on.
    let result = json!({"sample": "9002", "answer": {"names": {"70004": "cat"}}});
    let report = scored_text(&data, &result.to_string(), false).unwrap();
    assert_eq!(report.score("precision").unwrap().value, 1.0);
    let told = report.left_out.last().unwrap();
    assert!(
        told.contains("segment 70003") && told.contains("add up to 3 pixels"),
        "{told}"
    );
}

#[test]
fn lines_that_are_wrong_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let click = r#"{"id": "1", "image": "a.png", "task": "click", "instruction": "go", "box": [0, 0, 9, 9]}"#;
    let text = format!(
        "{click}\nnot json\n{{\"id\": \"2\"}}\n{click}\n{}\n",
        r#"{"id": "3", "image": "a.png", "task": "refer", "expression": "it", "targets": [{"mask": [[0, 0, 1, 0, 1, 1]]}]}"#
    );
    let file = folder.path().join("mine.jsonl");
    fs::write(&file, text).unwrap();
    let data = try_open("lines", &file, None).unwrap();
    assert_eq!(data.samples.len(), 1);
    let told: Vec<String> = data.problems.iter().map(ToString::to_string).collect();
    for (problem, expected) in told.iter().zip([
        "line 2: ",
        "line 3: ",
        "line 5: size is missing",
        "sample 1: the id occurs twice",
    ]) {
        assert!(problem.contains(expected), "{told:?}");
    }
    assert_eq!(told.len(), 4);
}

#[test]
fn results_that_are_wrong_are_named_and_count_as_wrong() {
    let data = open("refcoco", "refcoco", None);
    let truth = r#""boxes": [[173, 18, 235, 290]]"#;
    let text = [
        format!(r#"{{"sample": "1:0", "answer": {{{truth}}}}}"#),
        format!(r#"{{"sample": "1:0", "answer": {{{truth}}}}}"#),
        r#"{"sample": "1:1", "answer": {"masks": [{"size": [2, 2], "counts": [4]}]}}"#.to_owned(),
        r#"{"sample": "9:9"}"#.to_owned(),
        r#"{"sample": "2:2", "answr": {}}"#.to_owned(),
    ]
    .join("\n");
    let report = scored_text(&data, &text, false).unwrap();
    for (told, expected) in report.left_out.iter().zip([
        "results.jsonl: line 2, sample 1:0: the sample occurs twice",
        "line 3, sample 1:1: the mask is of a 2x2 image, but this one is 600x400",
        "line 4, sample 9:9: the data set has no such sample",
        "line 5: unknown field `answr`",
    ]) {
        assert!(told.contains(expected), "{:?}", report.left_out);
    }
    assert_eq!(report.left_out.len(), 4);
    assert_eq!((report.answered, report.not_run), (1, 1));
    assert!((report.score("acc@0.5").unwrap().value - 1.0 / 3.0).abs() < 1e-12);
}

#[test]
fn a_truth_that_was_never_published_cannot_be_scored() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("coco_ovseg/som_images");
    fs::create_dir_all(&images).unwrap();
    fs::write(images.join("000000009001_0.jpg"), "").unwrap();
    let data = try_open("som-bench", folder.path(), None).unwrap();
    let error = scored_text(&data, "", false).unwrap_err().to_string();
    assert!(
        error.contains("never published") && error.contains("coco-panoptic"),
        "{error}"
    );
}

#[test]
fn maps_that_are_no_maps_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let from = path("coco/annotations");
    fs::copy(
        from.join("panoptic_handmade.json"),
        folder.path().join("panoptic_handmade.json"),
    )
    .unwrap();
    let maps = folder.path().join("panoptic_handmade");
    fs::create_dir(&maps).unwrap();
    let whole = fs::read(from.join("panoptic_handmade/coffee.png")).unwrap();
    fs::write(maps.join("coffee.png"), &whole[..whole.len() / 2]).unwrap();
    fs::copy(
        from.join("panoptic_handmade/coffee.png"),
        maps.join("rocket.png"),
    )
    .unwrap();
    let data = try_open("coco-panoptic", folder.path(), None).unwrap();
    let told = data
        .samples
        .iter()
        .map(|sample| data.check(sample).unwrap_err().to_string());
    let told: Vec<String> = told.collect();
    assert!(told[0].contains("coffee.png: PNG"), "{told:?}");
    assert!(
        told[1].contains("rocket.png: size: the map is 600x400"),
        "{told:?}"
    );
    assert!(told[2].contains("astronaut.png is missing"), "{told:?}");
}

#[test]
fn a_place_names_a_kind_and_a_folder() {
    for (place, expected) in [
        ("refcocoo:x", "did you mean \"refcoco"),
        ("refcoco", "the folder is missing"),
        ("refcoco:", "the folder is missing"),
    ] {
        let error = place.parse::<Place>().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
