//! Each metric, against values that official implementations computed.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use som_core::{BBox, Mask, Rle, Size};
use som_eval::{
    Rect, Sample, Segments, Shape, Truth,
    data::LabelMap,
    metrics::{
        Ratio, boxes, clicks,
        masks::Overlap,
        video::{Statistics, f, j, radius},
    },
};

use crate::asset::{assert_near, open, path, reasonseg, scored, value, worked};

fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

/// A mask from rows of `.` and `#`, or of 0 and other numbers of which `wanted` counts.
fn mask(rows: &Value, wanted: u64) -> Mask {
    let rows: Vec<Vec<u8>> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| match row {
            Value::String(row) => row.bytes().map(|byte| u8::from(byte == b'#')).collect(),
            row => {
                let row = row.as_array().unwrap().iter();
                row.map(|number| u8::from(number.as_u64() == Some(wanted)))
                    .collect()
            }
        })
        .collect();
    let size = Size::new(rows[0].len() as u32, rows.len() as u32);
    Mask::from_dense(size, size.bbox(), &rows.concat()).unwrap()
}

#[test]
fn iou_of_boxes() {
    for example in worked("box_iou")["examples"].as_array().unwrap() {
        let [truth, found]: [Rect; 2] = ["truth", "detection"].map(|key| read(&example[key]));
        assert_near(boxes::iou(truth, found), &example["iou"]);
        assert_near(
            boxes::iou_with_crowd(truth, found),
            &example["iou_if_truth_is_crowd"],
        );
    }
}

#[test]
fn accuracy_of_referring_expressions() {
    let example = worked("rec_acc");
    let truth: Vec<Rect> = read(&example["truth_xywh"]);
    let found: Vec<Option<Rect>> = read(&example["prediction_xywh"]);
    let ious: Vec<f64> = truth
        .iter()
        .zip(&found)
        .map(|(truth, found)| found.map_or(0.0, |found| boxes::iou(*truth, found)))
        .collect();
    for (iou, expected) in ious.iter().zip(example["iou"].as_array().unwrap()) {
        assert_near(*iou, expected);
    }
    let hits: Vec<Ratio> = truth
        .iter()
        .zip(&found)
        .map(|(truth, found)| Ratio::hit(found.is_some_and(|f| boxes::is_hit(*truth, f))))
        .collect();
    assert_near(
        hits.iter().sum::<Ratio>().value().unwrap(),
        &example["acc_at_0.5"],
    );
}

#[test]
fn referring_segmentation() {
    let example = worked("res");
    let mut lines = Vec::new();
    let mut results = Vec::new();
    for (index, case) in example["cases"].as_array().unwrap().iter().enumerate() {
        let [truth, found] = ["truth", "prediction"].map(|key| mask(&case[key], 1));
        let overlap = Overlap::of(&truth, &found);
        assert_eq!(json!(overlap.intersection), case["intersection"]);
        assert_eq!(json!(overlap.union), case["union"]);
        assert_near(overlap.iou(), &case["iou"]);
        lines.push(
            json!({"id": index.to_string(), "image": "a.png", "size": [8, 4],
            "task": "refer", "expression": "it", "targets": [{"mask": truth.to_rle()}]}),
        );
        results.push(json!({"sample": index.to_string(), "answer": {"masks": [found.to_rle()]}}));
    }
    let (_folder, data) = crate::data::lines(&lines);
    let report = scored(&data, &results);
    assert_near(value(&report, "miou"), &example["miou"]);
    assert_near(value(&report, "ciou"), &example["ciou"]);
    assert_near(value(&report, "pr@0.5"), &example["precision_at_0.5"]);
}

#[test]
fn reasoning_segmentation() {
    let example = worked("reasonseg");
    let (mut giou, mut ciou) = (Ratio::default(), Ratio::default());
    for case in example["cases"].as_array().unwrap() {
        let [truth, void] = [1, 255].map(|number| mask(&case["truth"], number));
        let overlap = Overlap::without(&truth, &mask(&case["prediction"], 1), Some(&void));
        assert_eq!(json!(overlap.intersection), case["intersection"]);
        assert_eq!(json!(overlap.union), case["union"]);
        assert_near(overlap.lisa_iou(), &case["iou"]);
        giou += Ratio::one(overlap.lisa_iou());
        ciou += overlap.cumulative();
    }
    assert_near(giou.value().unwrap(), &example["giou"]);
    assert_near(ciou.value().unwrap(), &example["ciou"]);
}

#[test]
fn masks_of_reasoning_segmentation() {
    let (_folder, data) = reasonseg();
    assert!(data.problems.is_empty(), "{:?}", data.problems);
    let pixels = worked("reasonseg_mask_pixels");
    for sample in &data.samples {
        let Truth::Targets { targets, void, .. } = &sample.truth else {
            panic!("{sample:?}");
        };
        let size = sample.size.unwrap();
        let area = |shape: &Shape| shape.mask(size).unwrap().area();
        let target = area(targets[0].shape.as_ref().unwrap());
        let void = void.as_ref().map_or(0, area);
        let expected = &pixels["pixels_by_value"][&sample.id];
        assert_eq!(json!(target), expected["1"], "{}", sample.id);
        assert_eq!(void, expected["255"].as_u64().unwrap_or(0), "{}", sample.id);
    }
}

#[test]
fn phrase_grounding() {
    let example = worked("phrase_recall_at_1");
    let data = open("flickr30k", "flickr30k_entities", None);
    let results: Vec<Value> = example["predictions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|prediction| {
            let texts: Vec<String> = read(&prediction["phrases"]);
            let boxes: Vec<Vec<[f64; 4]>> = read(&prediction["boxes"]);
            let phrases: Vec<Value> = texts
                .iter()
                .zip(boxes)
                .map(|(phrase, boxes)| {
                    // As the truth is read: from 0, as wide as xmax - xmin.
                    let boxes: Vec<Rect> = boxes
                        .iter()
                        .map(|corners| Rect::between(corners.map(|side| side - 1.0)))
                        .collect();
                    json!({"phrase": phrase, "boxes": boxes})
                })
                .collect();
            let image = prediction["image_id"].as_str().unwrap();
            json!({"sample": format!("{image}:{}", prediction["sentence_id"]),
                "answer": {"phrases": phrases}})
        })
        .collect();
    let report = scored(&data, &results);
    assert!(report.counts.is_empty(), "{:?}", report.counts);
    for (protocol, metric) in [
        ("any_box", "recall@1 any-box"),
        ("merged_box", "recall@1 merged-box"),
    ] {
        for (kind, expected) in example["recall_at_1"][protocol].as_object().unwrap() {
            let mut scores = report.scores.iter().filter(|score| score.metric == metric);
            let wanted = Some(kind.as_str()).filter(|kind| *kind != "all");
            let score = scores
                .find(|score| score.kind.as_deref() == wanted)
                .unwrap();
            assert_near(score.value, expected);
        }
    }
}

#[test]
fn open_vocabulary_precision() {
    let example = worked("open_vocabulary_precision");
    let size = Size::new(50, 10);
    let segments: Vec<Value> = example["truth"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(id, name)| {
            let id: u32 = id.parse().unwrap();
            let mask = Mask::rect(size, BBox::new(10 * (id - 1), 0, 10, 10));
            json!({"id": id, "name": name, "mask": mask.to_rle()})
        })
        .collect();
    let (_folder, data) = crate::data::lines(&[json!({"id": "1", "image": "a.png",
        "size": [50, 10], "task": "describe", "segments": segments})]);
    let results = [json!({"sample": "1", "answer": {"names": example["answers"]}})];
    let report = scored(&data, &results);
    assert_near(value(&report, "precision"), &example["precision"]);
    assert_near(
        value(&report, "precision_of_answered"),
        &example["precision_of_answered"],
    );
    assert_eq!(report.counts["names for marks that do not exist"], 1);
}

#[test]
fn j_and_f_of_a_frame() {
    for name in ["j_and_f_one_frame", "j_and_f_480p"] {
        let example = worked(name);
        let [height, width]: [u32; 2] = read(&example["size"]);
        let size = Size::new(width, height);
        let [truth, found] = ["truth_box_xywh", "prediction_box_xywh"]
            .map(|key| Mask::rect(size, read(&example[key])));
        assert_near(j(&truth, &found, None), &example["j"]);
        assert_near(f(&truth, &found, None), &example["f"]);
        assert_eq!(json!(radius(size)), example["radius_px"]);
    }
    let example = worked("j_and_f_one_frame");
    let size = Size::new(32, 24);
    let (there, empty) = (Mask::rect(size, BBox::new(8, 6, 12, 10)), Mask::empty(size));
    for (key, truth, found) in [
        ("empty_both", &empty, &empty),
        ("empty_prediction", &there, &empty),
        ("empty_truth", &empty, &there),
    ] {
        assert_near(j(truth, found, None), &example[key]["j"]);
        assert_near(f(truth, found, None), &example[key]["f"]);
    }
}

#[test]
fn statistics_of_frames() {
    let example = worked("davis_real_blackswan");
    let statistics = Statistics::of(&read::<Vec<f64>>(&example["j"])).unwrap();
    let near = |found: f64, key: &str| {
        assert!(
            (found - example["statistics"][key].as_f64().unwrap()).abs() < 2e-6,
            "{key}"
        );
    };
    near(statistics.mean, "M");
    near(statistics.recall, "R");
    near(statistics.decay, "D");
}

#[test]
fn objects_of_videos() {
    for (kind, name) in [
        ("davis2017", "davis_semi_supervised"),
        ("davis2017-unsupervised", "davis_unsupervised"),
    ] {
        let example = worked(name);
        let data = open(kind, "davis2017/DAVIS", None);
        let report = scored(&data, &[davis_results()]);
        for (metric, key) in [("j", "J"), ("f", "F")] {
            for (suffix, statistic) in [("", "M"), ("_recall", "R"), ("_decay", "D")] {
                let objects: [f64; 2] = read(&example[key][statistic]);
                let mean = json!((objects[0] + objects[1]) / 2.0);
                assert_near(value(&report, &format!("{metric}{suffix}")), &mean);
            }
        }
        assert_near(value(&report, "j"), &example["J_mean"]);
        assert_near(value(&report, "f"), &example["F_mean"]);
        assert_near(value(&report, "j&f"), &example["J&F"]);
    }
}

/// The miniature's results, as a run tells them.
fn davis_results() -> Value {
    let mut frames = json!({});
    for frame in 0..6 {
        let name = format!("{frame:05}");
        let map = LabelMap::read(&path(&format!("davis2017/results/astro/{name}.png"))).unwrap();
        assert!(map.is_indexed);
        for object in [1, 2] {
            frames[&name][object.to_string()] = json!(map.mask(object).to_rle());
        }
    }
    json!({"sample": "astro", "answer": {"frames": frames}})
}

#[test]
fn run_lengths_and_polygons() {
    let example = worked("rle");
    let expected = mask(&example["mask"], 1);
    for key in ["compressed", "uncompressed"] {
        let rle: Rle = read(&json!({"size": example["size"], "counts": example[key]}));
        assert_eq!(Mask::from_rle(&rle).unwrap(), expected);
    }
    assert_eq!(json!(expected.area()), example["area"]);
    assert_eq!(json!(Rect::from(expected.bbox())), example["bbox"]);
    for example in worked("polygons")["examples"].as_array().unwrap() {
        let shape: Shape = read(&example["segmentation"]);
        let cut = shape.mask(Size::new(8, 8)).unwrap();
        assert_eq!(*cut, mask(&example["mask"], 1));
    }
}

#[test]
fn points_in_boxes() {
    let example = worked("screenspot_pro");
    let truth = Rect::between(read(&example["bbox_xyxy"]));
    for point in example["examples"].as_array().unwrap() {
        assert_eq!(
            json!(clicks::is_hit(truth, read(&point["point"]))),
            point["correct"]
        );
    }
}

#[test]
fn pixels_of_coco_masks() {
    let data = open(
        "coco-instances",
        "coco/annotations/instances_handmade.json",
        None,
    );
    let cut = |sample: &Sample| {
        let Truth::Segments(segments @ Segments::Listed(_)) = &sample.truth else {
            panic!("{sample:?}");
        };
        segments.cut(sample, data.kind).unwrap().segments
    };
    let mut pixels: Vec<[u64; 2]> = data
        .samples
        .iter()
        .flat_map(cut)
        .map(|segment| [segment.id, segment.mask.area()])
        .collect();
    pixels.sort_unstable();
    let expected = worked("coco_mask_pixels");
    let expected = &expected["files"]["coco/handmade/annotations/instances_handmade.json"];
    assert_eq!(json!(pixels), *expected);
}
