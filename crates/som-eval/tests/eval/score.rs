//! Runs scored: what answers are worth, and what happens to samples that have none.

use proptest::prelude::*;
use serde_json::{Value, json};
use som_core::{BBox, Mask, Size};
use som_eval::{Truth, data::Dataset};

use crate::{
    asset::{open, scored, scored_text, value},
    data::lines,
};

/// So many expressions of images of their own, each meaning the left half.
fn expressions(count: usize) -> (tempfile::TempDir, Dataset) {
    let samples: Vec<Value> = (0..count)
        .map(|id| {
            json!({"id": id.to_string(), "image": format!("{id}.png"), "size": [20, 10],
                "task": "refer", "expression": "left",
                "targets": [{"box": [0, 0, 10, 10], "mask": half(0)}]})
        })
        .collect();
    lines(&samples)
}

/// Ten columns from `x` on.
fn half(x: u32) -> Value {
    json!(Mask::rect(Size::new(20, 10), BBox::new(x, 0, 10, 10)).to_rle())
}

#[test]
fn a_known_rate_of_errors_is_the_score() {
    let (_folder, data) = expressions(40);
    let results: Vec<Value> = (0..40)
        .map(|id| {
            let x = if id % 4 == 0 { 10 } else { 0 };
            json!({"sample": id.to_string(), "answer": {"masks": [half(x)]}})
        })
        .collect();
    let report = scored(&data, &results);
    for metric in ["acc@0.5", "box_miou", "miou", "pr@0.5", "pr@0.9"] {
        assert_eq!(value(&report, metric), 0.75, "{metric}");
    }
    // 30 of 100 pixels each, of 30 unions of 100 and 10 of 200.
    assert_eq!(value(&report, "ciou"), 3000.0 / 5000.0);
    let score = report.score("acc@0.5").unwrap();
    assert!(score.low < 0.75 && score.high > 0.75, "{score:?}");
    assert_eq!((score.of, score.groups), (40.0, 40));
}

#[test]
fn what_was_not_run_is_wrong_unless_it_is_left_out() {
    let (_folder, data) = expressions(4);
    let line = json!({"sample": "2", "answer": {"masks": [half(0)]}}).to_string();
    let all = scored_text(&data, &line, false).unwrap();
    assert_eq!(
        (value(&all, "miou"), all.answered, all.not_run),
        (0.25, 1, 3)
    );
    let run = scored_text(&data, &line, true).unwrap();
    assert_eq!(
        (value(&run, "miou"), run.answered, run.not_run),
        (1.0, 1, 3)
    );
}

#[test]
fn boxes_alone_say_nothing_of_masks() {
    let (_folder, data) = expressions(2);
    let line = json!({"sample": "0", "answer": {"boxes": [[0, 0, 10, 10]]}});
    let report = scored(&data, &[line]);
    assert_eq!(value(&report, "acc@0.5"), 0.5);
    assert!(report.score("miou").is_none());
}

#[test]
fn that_nothing_is_meant_has_to_be_said() {
    let (_folder, data) = lines(&[
        json!({"id": "none", "image": "a.png", "size": [20, 10], "task": "refer",
            "expression": "the dog", "targets": []}),
        json!({"id": "two", "image": "a.png", "size": [20, 10], "task": "refer",
            "expression": "both halves", "targets": [{"mask": half(0)}, {"mask": half(10)}]}),
    ]);
    let both = json!({"sample": "two", "answer": {"masks": [half(0), half(10)]}});
    let said = scored(&data, &[json!({"sample": "none"}), both.clone()]);
    assert_eq!(value(&said, "n_acc"), 1.0);
    assert_eq!(value(&said, "t_acc"), 1.0);
    assert_eq!(value(&said, "giou"), 1.0);
    let invented = json!({"sample": "none", "answer": {"masks": [half(0)]}});
    let invented = scored(&data, &[invented, both.clone()]);
    assert_eq!(value(&invented, "n_acc"), 0.0);
    assert_eq!(value(&invented, "giou"), 0.5);
    assert_eq!(value(&invented, "ciou"), 200.0 / 300.0);
    let silent = scored(&data, &[both]);
    assert_eq!(value(&silent, "n_acc"), 0.0);
    assert_eq!(value(&silent, "giou"), 0.5);
}

#[test]
fn clicks_are_told_by_kind() {
    let data = open("screenspot-pro", "screenspot_pro", None);
    let report = scored(
        &data,
        &[
            json!({"sample": "handmade_linux_0", "answer": {"points": [[1260, 780]]}}),
            json!({"sample": "handmade_linux_1", "answer": {"boxes": [[0, 0, 10, 10]]}}),
        ],
    );
    assert_eq!(value(&report, "point_in_box"), 0.5);
    let of = |kind: &str| {
        let mut scores = report.scores.iter();
        scores
            .find(|score| score.kind.as_deref() == Some(kind))
            .unwrap()
            .value
    };
    assert_eq!((of("text"), of("icon"), of("Dev")), (1.0, 0.0, 0.5));
}

#[test]
fn regions_named_as_in_the_truth_are_perfect() {
    let data = open("coco-panoptic", "coco", None);
    let results: Vec<Value> = data
        .samples
        .iter()
        .map(|sample| {
            let Truth::Segments(segments) = &sample.truth else {
                panic!("{sample:?}");
            };
            let cut = segments.cut(sample, data.kind).unwrap();
            let regions: Vec<Value> = cut
                .segments
                .iter()
                .map(|segment| json!({"mask": segment.mask.to_rle(), "name": segment.names[0]}))
                .collect();
            json!({"sample": sample.id, "regions": regions})
        })
        .collect();
    let report = scored(&data, &results);
    assert_eq!(value(&report, "precision"), 1.0);
    let quality = report.panoptic.unwrap();
    assert_eq!((quality.pq, quality.sq, quality.rq), (1.0, 1.0, 1.0));
    // Of image 9003 nothing is told: its three segments are missed.
    let report = scored(&data, &results[..2]);
    assert_eq!(value(&report, "precision"), 5.0 / 8.0);
    assert!(report.panoptic.unwrap().pq < 1.0);
}

#[test]
fn objects_that_do_not_exist_are_refused() {
    let data = open("davis2017", "davis2017/DAVIS", None);
    let mask = json!(Mask::empty(Size::new(1, 1)).to_rle());
    let line = json!({"sample": "astro", "answer": {"frames": {"00001": {"3": mask}}}});
    let report = scored(&data, &[line]);
    assert!(
        report.left_out[0].contains("object 3 is answered"),
        "{:?}",
        report.left_out
    );
    assert_eq!(report.answered, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]
    #[test]
    fn scores_are_shares(lines in proptest::collection::vec((0..20_u32, 1..20_u32), 5)) {
        let (_folder, data) = expressions(5);
        let results: Vec<Value> = lines
            .iter()
            .enumerate()
            .map(|(id, (x, width))| {
                let mask = Mask::rect(Size::new(20, 10), BBox::new(*x, 0, *width, 10));
                json!({"sample": id.to_string(), "answer": {"masks": [mask.to_rle()]}})
            })
            .collect();
        for score in scored(&data, &results).scores {
            prop_assert!((0.0..=1.0).contains(&score.value), "{:?}", score);
            prop_assert!(score.low <= score.high, "{:?}", score);
        }
    }
}
