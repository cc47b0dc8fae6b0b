//! Data sets in their published formats.

use std::fs;

use serde_json::{Value, json};
use som_core::Connectivity;
use som_eval::{
    Protocol, Question, Rect, Truth,
    data::{Dataset, LabelMap},
};
use tempfile::TempDir;

use crate::asset::{open, path, reasonseg, try_open};

/// A data set of one's own with these lines.
pub(crate) fn lines(lines: &[Value]) -> (TempDir, Dataset) {
    let folder = tempfile::tempdir().unwrap();
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(folder.path().join("samples.jsonl"), text).unwrap();
    let data = try_open("lines", folder.path(), None).unwrap();
    assert!(data.problems.is_empty(), "{:?}", data.problems);
    (folder, data)
}

fn ids(data: &Dataset) -> Vec<&str> {
    data.samples
        .iter()
        .map(|sample| sample.id.as_str())
        .collect()
}

#[test]
fn instances_keep_images_without_any() {
    let data = open("coco-instances", "coco", None);
    assert!(data.problems.is_empty(), "{:?}", data.problems);
    assert_eq!(ids(&data), ["9001", "9002", "9003", "9004"]);
    let things = data
        .samples
        .iter()
        .map(|sample| data.check(sample).unwrap());
    assert_eq!(things.collect::<Vec<_>>(), [3, 1, 1, 0]);
    let Question::Names { vocabulary } = &data.samples[0].question else {
        panic!("{:?}", data.samples[0]);
    };
    assert_eq!(vocabulary.len(), 80);
    assert_eq!(data.missing_images().len(), 4);
}

#[test]
fn panoptic_segments_are_the_colours_of_a_map() {
    let data = open("coco-panoptic", "coco", None);
    assert!(data.problems.is_empty(), "{:?}", data.problems);
    // Areas as the file has them.
    let areas = [
        &[
            (5_263_440, 167_503),
            (2_105_376, 49_625),
            (3_937_500, 6_389),
        ][..],
        &[(3_937_500, 184_601), (300, 62_398)],
        &[(10_000, 129_555), (65_537, 106_370), (256, 26_219)],
    ];
    for (sample, areas) in data.samples.iter().zip(areas) {
        let Truth::Segments(segments) = &sample.truth else {
            panic!("{sample:?}");
        };
        let cut = segments.cut(sample, data.kind).unwrap();
        let found: Vec<(u64, u64)> = cut
            .segments
            .iter()
            .map(|segment| (segment.id, segment.mask.area()))
            .collect();
        assert_eq!(found, areas);
        let covered: u64 = areas.iter().map(|(_, area)| area).sum();
        assert_eq!(cut.void.unwrap().area(), cut.size.pixels() - covered);
    }
}

#[test]
fn classes_of_ade20k_are_cut_into_parts() {
    let folder = tempfile::tempdir().unwrap();
    let maps = folder.path().join("annotations/validation");
    fs::create_dir_all(&maps).unwrap();
    let name = "ADE_val_90000001.png";
    fs::copy(
        path("ade20k/annotations/validation").join(name),
        maps.join(name),
    )
    .unwrap();
    let mut table = "Idx\tRatio\tTrain\tVal\tName\n".to_owned();
    for class in 1..=150 {
        table += &format!("{class}\t0.1\t1\t1\tname{class}, other {class}\n");
    }
    fs::write(folder.path().join("objectInfo150.txt"), table).unwrap();
    let data = try_open("ade20k", folder.path(), None).unwrap();
    assert_eq!(ids(&data), ["ADE_val_90000001"]);
    let Truth::Segments(segments) = &data.samples[0].truth else {
        panic!("{:?}", data.samples[0]);
    };
    let cut = segments.cut(&data.samples[0], data.kind).unwrap();
    let map = LabelMap::read(&maps.join(name)).unwrap();
    let scored = map.labels.iter().filter(|label| **label != 0).count() as u64;
    let areas: u64 = cut.segments.iter().map(|segment| segment.mask.area()).sum();
    assert_eq!(areas, scored);
    assert_eq!(cut.void.unwrap().area(), cut.size.pixels() - scored);
    for (segment, id) in cut.segments.iter().zip(1..) {
        assert_eq!(segment.id, id);
        assert_eq!(segment.mask.components(Connectivity::Eight).len(), 1);
        let first = segment.mask.rows().next().unwrap();
        let place = first.0 as usize * cut.size.width as usize + first.1[0].start as usize;
        let class = map.labels[place];
        assert_eq!(
            *segment.names,
            [format!("name{class}"), format!("other {class}")]
        );
    }
}

#[test]
fn references_of_all_three_pickles_are_the_same() {
    for kind in ["refcoco", "refcoco+", "refcocog"] {
        // The folder above is taken as well.
        let data = open(kind, "refcoco", None);
        assert!(data.problems.is_empty(), "{:?}", data.problems);
        assert_eq!(ids(&data), ["1:0", "1:1", "2:2"], "{kind}");
        let sample = &data.samples[2];
        assert_eq!(
            sample.question.text(),
            Some("the silver spoon right of the cup")
        );
        assert!(
            sample.image.ends_with("train2014/coffee.png"),
            "{:?}",
            sample.image
        );
        let Truth::Targets {
            targets, protocol, ..
        } = &sample.truth
        else {
            panic!("{sample:?}");
        };
        assert_eq!(*protocol, Protocol::One);
        assert_eq!(targets[0].bbox, Some(Rect::new(326.0, 66.0, 98.0, 260.0)));
    }
    assert_eq!(
        ids(&open("refcoco", "refcoco/refcoco", Some("testA"))),
        ["4:4", "4:5"]
    );
    let error = try_open("refcoco", &path("refcoco"), Some("testB")).unwrap_err();
    assert!(
        error.to_string().contains("there are: testA, train, val"),
        "{error}"
    );
}

#[test]
fn generalized_references_have_any_number_of_targets() {
    let folder = tempfile::tempdir().unwrap();
    let from = path("refcoco/refcoco/instances.json");
    fs::copy(from, folder.path().join("instances.json")).unwrap();
    let refs = json!([
        {"ref_id": 1, "image_id": 9001, "split": "val", "ann_id": [70001, 70002],
         "no_target": false, "sentences": [{"sent_id": 1, "sent": "cup and spoon"}]},
        {"ref_id": 2, "image_id": 9001, "split": "val", "ann_id": [-1],
         "no_target": true, "sentences": [{"sent_id": 2, "sent": "the dog"}]},
        {"ref_id": 3, "image_id": 9001, "split": "val", "ann_id": [77],
         "sentences": [{"sent_id": 3, "sent": "what is not there"}]},
    ]);
    fs::write(folder.path().join("grefs(unc).json"), refs.to_string()).unwrap();
    let data = try_open("grefcoco", folder.path(), None).unwrap();
    let counts = data
        .samples
        .iter()
        .map(|sample| data.check(sample).unwrap());
    assert_eq!(counts.collect::<Vec<_>>(), [2, 0]);
    assert_eq!(data.problems.len(), 1);
    assert!(
        data.problems[0]
            .to_string()
            .contains("reference 3: annotation 77")
    );
}

#[test]
fn phrases_have_the_boxes_of_their_chains() {
    let data = open("flickr30k", "flickr30k_entities", None);
    assert!(data.problems.is_empty(), "{:?}", data.problems);
    let expected = [
        "9000000003:0",
        "9000000004:0",
        "9000000004:1",
        "9000000004:2",
    ];
    let mut found = ids(&data);
    found.sort_unstable();
    assert_eq!(found, expected);
    let sample = data
        .samples
        .iter()
        .find(|sample| sample.id == "9000000004:0")
        .unwrap();
    let text = "A white rocket stands between four steel towers under the night sky .";
    assert_eq!(sample.question.text(), Some(text));
    let Truth::Phrases(phrases) = &sample.truth else {
        panic!("{sample:?}");
    };
    let boxes: Vec<usize> = phrases.iter().map(|phrase| phrase.boxes.len()).collect();
    assert_eq!(boxes, [1, 4]);
    assert_eq!(phrases[0].boxes, [Rect::new(310.0, 127.0, 23.0, 279.0)]);
    // The night sky is a scene, the evening has no box, and "It" is nothing visual.
    assert!(data.notes[0].starts_with("3 phrases"), "{:?}", data.notes);
}

#[test]
fn sequences_are_samples() {
    let data = open("davis2017", "davis2017/DAVIS", None);
    assert_eq!(ids(&data), ["astro"]);
    assert_eq!(data.check(&data.samples[0]).unwrap(), 6);
}

#[test]
fn the_first_question_of_an_image_is_asked() {
    let (_folder, data) = reasonseg();
    assert_eq!(ids(&data), ["9001_coffee", "9004_rocket"]);
    for sample in &data.samples {
        assert!(
            sample
                .question
                .text()
                .is_some_and(|text| !text.contains('\u{fffd}'))
        );
        assert_eq!(data.check(sample).unwrap(), 1);
    }
    assert!(data.missing_images().is_empty());
}

#[test]
fn screens_have_a_box_to_click() {
    let data = open("screenspot-pro", "screenspot_pro", None);
    assert_eq!(ids(&data), ["handmade_linux_0", "handmade_linux_1"]);
    let sample = &data.samples[0];
    assert_eq!(sample.kinds, ["text", "Dev"]);
    let Truth::Click(rect) = sample.truth else {
        panic!("{sample:?}");
    };
    assert_eq!(rect, Rect::new(1100.0, 740.0, 160.0, 40.0));
}

#[test]
fn som_bench_has_images_and_no_truth() {
    let folder = tempfile::tempdir().unwrap();
    for image in [
        "coco_ovseg/som_images/000000009001_0.jpg",
        "refcocog_refseg/000000000001.json",
    ] {
        let file = folder.path().join(image);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "").unwrap();
    }
    let data = try_open("som-bench", folder.path(), None).unwrap();
    assert_eq!(ids(&data), ["coco_ovseg/000000009001_0"]);
    assert_eq!(data.samples[0].group, "coco_ovseg/000000009001");
    assert!(
        data.notes[0].starts_with("refcocog_refseg: 1 JSON files"),
        "{:?}",
        data.notes
    );
}

#[test]
fn lines_of_ones_own_hold_every_task() {
    let (_folder, data) = lines(&crate::schemas::every_task());
    let tasks = data.samples.iter().map(|sample| sample.question.task());
    assert_eq!(
        tasks.collect::<Vec<_>>(),
        ["describe", "refer", "refer", "phrases", "click"]
    );
    for sample in &data.samples {
        data.check(sample).unwrap();
    }
}
