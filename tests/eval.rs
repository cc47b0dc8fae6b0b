//! `som eval`: data sets looked at, runs scored.

use serde_json::json;

use crate::{som::Folder, source::root};

/// RefCOCO's miniature.
fn refcoco() -> String {
    let folder = root().join("crates/som-eval/tests/assets/refcoco");
    format!("refcoco:{}", folder.display())
}

#[test]
fn what_is_there_of_a_data_set_is_listed() {
    let folder = Folder::new();
    let ran = folder
        .som(&["eval", "data", &refcoco(), "--check"])
        .succeeded();
    let text = ran.text();
    assert!(
        text.starts_with("RefCOCO (https://github.com/lichengunc/refer"),
        "{text}"
    );
    assert!(text.contains("samples                3\n"), "{text}");
    let report = folder
        .som(&["eval", "data", &refcoco(), "--json"])
        .succeeded()
        .json();
    assert_eq!(report["samples"][0]["id"], "1:0");
    assert_eq!(report["samples"][0]["text"], "the cup");
}

#[test]
fn a_run_is_scored() {
    let folder = Folder::new();
    let line = json!({"sample": "1:0", "answer": {"boxes": [[173, 18, 235, 290]]}});
    folder.write("results.jsonl", format!("{line}\nno json\n"));
    let arguments = [
        "eval",
        "score",
        "--data",
        &refcoco(),
        "--results",
        "results.jsonl",
    ];
    let ran = folder.som(&arguments).succeeded();
    let text = ran.text();
    assert!(
        text.contains("1 of 3 samples answered, 2 not in the results (wrong)"),
        "{text}"
    );
    assert!(text.contains("left out: results.jsonl: line 2: "), "{text}");
    let report = folder.som(&[&arguments[..], &["--json", "--only-run"]].concat());
    let report = report.succeeded().json();
    assert_eq!(report["scores"][0]["metric"], "acc@0.5");
    assert_eq!(report["scores"][0]["value"], 1.0);
}

#[test]
fn what_is_missing_is_named_with_where_it_can_be_had() {
    let folder = Folder::new();
    let ran = folder.som(&["eval", "data", "reasonseg:nowhere"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("dvlab-research/LISA"), "{}", ran.stderr);
}
