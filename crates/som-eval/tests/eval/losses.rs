//! Who lost what, where the run tells it; always adding up.

use serde_json::{Value, json};
use som_core::{BBox, Mask, Size};
use som_eval::score::{Losses, Report};

use crate::{
    asset::{scored, value},
    data::lines,
};

fn mask(x: u32, width: u32) -> Value {
    json!(Mask::rect(Size::new(20, 10), BBox::new(x, 0, width, 10)).to_rle())
}

fn losses(report: &Report, metric: &str) -> Losses {
    let losses = report.losses[metric];
    assert!((losses.total() - 1.0).abs() < 1e-12, "{losses:?}");
    losses
}

/// The losses by IoU of an expression that means the left half.
fn of(outcome: &Value) -> Losses {
    let (_folder, data) = lines(&[json!({"id": "1", "image": "a.png", "size": [20, 10],
        "task": "refer", "expression": "left",
        "targets": [{"box": [0, 0, 10, 10], "mask": mask(0, 10)}]})]);
    let mut line = outcome.clone();
    line["sample"] = "1".into();
    losses(&scored(&data, &[line]), "miou")
}

fn near(found: Losses, expected: [f64; 5]) {
    let found = [
        found.reached,
        found.segmenter,
        found.marks,
        found.model,
        found.parsing,
    ];
    let is_near = found
        .iter()
        .zip(expected)
        .all(|(a, b)| (a - b).abs() < 1e-12);
    assert!(is_near, "{found:?} instead of {expected:?}");
}

#[test]
fn an_expression_is_lost_by_one_stage_after_the_other() {
    // The best region misses 2 of 10 columns, the best one with a mark 5, and the answer all.
    let regions = json!([
        {"mask": mask(0, 8), "marked": false},
        {"mask": mask(0, 5)},
        {"mask": mask(10, 10)},
    ]);
    let wrong = json!({"masks": [mask(10, 10)]});
    let outcome = |answer: Value, reading: &str| json!({"regions": regions, "answer": answer, "reading": reading});
    near(
        of(&outcome(wrong.clone(), "read")),
        [0.0, 0.2, 0.3, 0.5, 0.0],
    );
    near(of(&outcome(wrong, "unreadable")), [0.0, 0.2, 0.3, 0.0, 0.5]);
    near(
        of(&outcome(json!({"masks": [mask(0, 5)]}), "read")),
        [0.5, 0.2, 0.3, 0.0, 0.0],
    );
}

#[test]
fn several_regions_may_reach_more_than_one() {
    let regions = json!([{"mask": mask(0, 5)}, {"mask": mask(5, 5)}]);
    let both = json!({"regions": regions, "answer": {"masks": [mask(0, 5), mask(5, 5)]}});
    near(of(&both), [1.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn names_are_lost_by_one_stage_after_the_other() {
    let segments: Vec<Value> = (0..4_u32)
        .map(|at| json!({"id": at, "name": format!("thing {at}"), "mask": mask(5 * at, 5)}))
        .collect();
    let (_folder, data) = lines(&[json!({"id": "1", "image": "a.png", "size": [20, 10],
        "task": "describe", "segments": segments})]);
    // Right, not named, without a mark; the last is not cut.
    let regions = json!([
        {"mask": mask(0, 5), "name": "Thing 0"},
        {"mask": mask(5, 5)},
        {"mask": mask(10, 5), "marked": false},
        {"mask": mask(0, 20), "name": "everything"},
    ]);
    let report = scored(&data, &[json!({"sample": "1", "regions": regions})]);
    near(losses(&report, "precision"), [0.25, 0.25, 0.25, 0.0, 0.25]);
    assert_eq!(value(&report, "precision"), 0.5);
    assert_eq!(value(&report, "precision_of_answered"), 1.0);
    assert_eq!(
        report.counts["marks on regions that meet no segment, left out"],
        1
    );
    // The truth's own segments: right, wrong, without a mark, not named.
    let names = json!({"0": "thing 0", "1": "dog", "3": null});
    let own = json!({"sample": "1", "answer": {"names": names}, "unmarked": [2]});
    let report = scored(&data, &[own]);
    near(losses(&report, "precision"), [0.25, 0.0, 0.25, 0.25, 0.25]);
    assert_eq!(value(&report, "precision"), 0.25);
}

#[test]
fn phrases_and_clicks_are_lost_by_stages_too() {
    let (_folder, data) = lines(&[
        json!({"id": "1", "image": "a.png", "size": [20, 10], "task": "phrases",
            "sentence": "a cup and a spoon", "phrases": [
                {"text": "a cup", "boxes": [[0, 0, 10, 10]]},
                {"text": "a spoon", "boxes": [[10, 0, 10, 10]]}]}),
        json!({"id": "2", "image": "b.png", "size": [20, 10], "task": "click",
            "instruction": "go", "box": [0, 0, 4, 4]}),
    ]);
    let report = scored(
        &data,
        &[
            json!({"sample": "1", "regions": [{"box": [0, 0, 10, 10]}, {"mask": mask(10, 10)}],
                "answer": {"phrases": [{"phrase": "a cup", "boxes": [[0, 0, 10, 10]]},
                    {"phrase": "a dog", "boxes": [[0, 0, 10, 10]]}]}}),
            json!({"sample": "2", "answer": {"points": [[9, 9]]},
                "regions": [{"box": [0, 0, 3, 3], "marked": false}, {"box": [8, 8, 2, 2]}]}),
        ],
    );
    near(
        losses(&report, "recall@1 any-box"),
        [0.5, 0.0, 0.0, 0.0, 0.5],
    );
    near(losses(&report, "point_in_box"), [0.0, 0.0, 1.0, 0.0, 0.0]);
    assert_eq!(
        report.counts["answers to phrases that are not asked for or have no box"],
        1
    );
}

#[test]
fn the_oracle_of_reading_is_told_apart() {
    let (_folder, data) = lines(&[json!({"id": "1", "image": "a.png", "size": [20, 10],
        "task": "refer", "expression": "left", "targets": [{"mask": mask(0, 10)}]})]);
    let report = scored(
        &data,
        &[json!({"sample": "1", "answer": {"masks": [mask(0, 5)]},
            "oracle": {"masks": [mask(0, 10)]}})],
    );
    assert_eq!(value(&report, "miou"), 0.5);
    let oracle = report
        .oracle
        .iter()
        .find(|score| score.metric == "miou")
        .unwrap();
    assert_eq!(oracle.value, 1.0);
}
