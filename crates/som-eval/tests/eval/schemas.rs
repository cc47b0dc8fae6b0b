//! What is read and told follows its schema.

use jsonschema::Validator;
use serde_json::{Value, json};
use som_eval::{data, results, score};

use crate::asset::scored;

/// A line of one's own for every task.
pub(crate) fn every_task() -> Vec<Value> {
    let mask = json!([[0, 0, 10, 0, 10, 10, 0, 10]]);
    vec![
        json!({"id": "1", "image": "a.png", "size": [20, 10], "task": "describe",
            "vocabulary": ["cup", "spoon"],
            "segments": [{"id": 7, "name": "cup", "synonyms": ["mug"], "mask": mask}]}),
        json!({"id": "2", "image": "a.png", "size": [20, 10], "task": "refer", "kinds": ["easy"],
            "expression": "the cup", "targets": [{"box": [0, 0, 10, 10], "mask": mask}],
            "void": {"size": [10, 20], "counts": [190, 10]}}),
        json!({"id": "3", "image": "a.png", "task": "refer", "expression": "the dog",
            "targets": [{"box": [0, 0, 10, 10]}]}),
        json!({"id": "4", "image": "a.png", "group": "album", "task": "phrases",
            "sentence": "a cup", "phrases": [{"text": "a cup", "kinds": ["other"],
                "boxes": [[0, 0, 10, 10]]}]}),
        json!({"id": "5", "image": "a.png", "task": "click", "instruction": "go",
            "box": [0.5, 0, 4, 4]}),
    ]
}

pub(crate) fn validator(schema: &str) -> Validator {
    jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap()
}

pub(crate) fn assert_valid(schema: &Validator, value: &Value) {
    let errors: Vec<String> = schema
        .iter_errors(value)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{value:#}");
}

#[test]
fn samples_results_and_scores_follow_their_schemas() {
    let samples = validator(data::SCHEMA);
    for line in every_task() {
        assert_valid(&samples, &line);
    }
    assert!(!samples.is_valid(&json!({"id": "1", "image": "a.png", "task": "refer"})));
    let outcomes = [
        json!({"sample": "1", "answer": {"names": {"7": "mug", "8": null}}, "unmarked": [9]}),
        json!({"sample": "2", "answer": {"masks": [{"size": [10, 20], "counts": [0, 100, 100]}]},
            "reading": "read", "oracle": {"masks": []},
            "regions": [{"mask": [[0, 0, 10, 0, 10, 10, 0, 10]], "marked": true}]}),
        json!({"sample": "3", "answer": {"boxes": [[0, 0, 9.5, 10]]}, "reading": "too_much"}),
        json!({"sample": "4", "answer": {"phrases": [{"phrase": "a cup", "boxes": []}]}}),
        json!({"sample": "5", "answer": {"points": [[1, 2]]}}),
    ];
    let schema = validator(results::SCHEMA);
    for outcome in &outcomes {
        assert_valid(&schema, outcome);
    }
    assert!(!schema.is_valid(&json!({"answer": {}})));
    let (_folder, data) = crate::data::lines(&every_task());
    let report = scored(&data, &outcomes);
    assert!(report.left_out.is_empty(), "{:?}", report.left_out);
    assert_valid(
        &validator(score::SCHEMA),
        &serde_json::to_value(&report).unwrap(),
    );
}
