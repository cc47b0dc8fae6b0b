use std::path::Path;

use serde_json::Value;

use super::build::{c_library, misbehave, rust_library};
use crate::som::{Folder, Ran};

fn check(library: &Path, arguments: &[&str]) -> Ran {
    let library = library.to_str().unwrap();
    Folder::new().som(&[&["plugin", "check", library], arguments].concat())
}

/// The names of all failed checks and why they failed, as JSON tells them.
fn failures(library: &Path, arguments: &[&str]) -> Vec<(String, String)> {
    let report = check(library, &[&["--json"], arguments].concat()).json();
    let checks = report["checks"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let failed = checks.iter().filter(|check| check["failure"].is_object());
    let failed = failed.map(|check| {
        let name = format!("{}/{}", text(&check["subject"]), text(&check["check"]));
        (name, text(&check["failure"]["message"]))
    });
    let failed: Vec<_> = failed.collect();
    assert_eq!(report["failed"], failed.len());
    failed
}

/// Checks that one check, and no other, finds what is wrong.
#[track_caller]
fn finds(library: &Path, arguments: &[&str], name: &str, what: &str) {
    match &failures(library, arguments)[..] {
        [(found, message)] => {
            assert_eq!(found, name, "{message}");
            assert!(message.contains(what), "{name}: {message}");
        }
        failures => panic!("{name} was to fail alone: {failures:?}"),
    }
}

/// The same for what the segmenter or style does wrong if it is asked to.
#[track_caller]
fn finds_fault(fault: &str, name: &str, what: &str) {
    let library = misbehave(&[]);
    finds(&library, &["--set", &format!("fault={fault}")], name, what);
}

/// The same for what the library says wrong.
#[track_caller]
fn finds_macro(name: &str, check: &str, what: &str) {
    finds(&misbehave(&[name]), &[], check, what);
}

#[test]
fn examples_and_own_plugins_pass() {
    let libraries = [
        rust_library("example-segmenter"),
        rust_library("example-mark-style"),
        rust_library("example-tracker"),
        c_library("segmenter-c", "examples/segmenter-c/segmenter.c", []),
        c_library("tracker-c", "examples/tracker-c/tracker.c", []),
        c_library("mark-style-c", "examples/mark-style-c/mark_style.c", []),
        misbehave(&[]),
        rust_library("som-classic"),
        rust_library("som-marks"),
    ];
    for library in libraries {
        let ran = check(&library, &[]);
        assert_eq!(ran.code, 0, "{}{}", ran.text(), ran.stderr);
        assert!(ran.text().ends_with(" checks passed\n"), "{}", ran.text());
    }
}

#[test]
fn a_report_names_each_promise_and_the_fix() {
    let library = misbehave(&[]);
    let ran = check(&library, &["--set", "fault=draws without marks"]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(ran.text().replace(library.to_str().unwrap(), "LIBRARY"));

    let ran = check(&library, &["--set", "fault=draws without marks", "--quiet"]);
    let lines: Vec<_> = ran.text().lines().collect();
    assert_eq!(lines.len(), 4, "the failure and the sum: {}", ran.text());

    let ran = check(&library, &["--set", "fualt=crashes"]);
    assert_eq!(ran.code, 2);
    let what = "--set fualt: nothing that the library brings takes this key";
    assert!(ran.text().contains(what), "{}", ran.text());
}

#[test]
fn what_is_no_plugin_is_told_so() {
    let finds = |library: &Path, code, what: &str| {
        let ran = check(library, &[]);
        assert_eq!(ran.code, code, "{}", ran.text());
        assert!(ran.text().contains(what), "{}", ran.text());
        assert!(
            ran.text().ends_with("1 of 1 checks failed\n"),
            "{}",
            ran.text()
        );
    };
    finds(
        Path::new("nowhere.so"),
        2,
        "it cannot be opened (check the path)",
    );
    finds(
        &misbehave(&["NO_ENTRY"]),
        2,
        "it does not export som_plugin_entry_v1",
    );
    finds(
        &misbehave(&["REFUSES"]),
        4,
        "the plugin refuses: this machine has no lens",
    );
    finds(
        &misbehave(&["REFUSES_SILENTLY"]),
        4,
        "the plugin refuses, without a reason",
    );
    finds(
        &misbehave(&["NEEDS_A_SYMBOL"]),
        4,
        "a_symbol_that_is_nowhere",
    );
}

#[test]
fn what_a_library_says_wrong_is_found() {
    for name in [
        "SHORT_PLUGIN",
        "SHORT_SEGMENTER",
        "NULL_CREATE",
        "NULL_SEGMENT",
        "NULL_DESTROY",
        "NULL_DRAW",
        "LABEL_WITHOUT_MEASURE",
        "MEASURE_WITHOUT_LABEL",
        "NULL_ID",
        "ID_NOT_UTF8",
        "BAD_ID",
        "TWINS",
        "ABOUT_NOT_UTF8",
        "BAD_VERSION",
        "SCHEMA_NOT_JSON",
        "UNKNOWN_CAPABILITY",
    ] {
        // The messages are those of the loader.
        finds_macro(name, "library/loads", "");
    }
    finds_macro(
        "NULL_LISTS",
        "library/brings",
        "neither a segmenter nor a mark style",
    );
    finds_macro("EXPORTS_MORE", "library/exports", "it also exports helper");
    finds_macro(
        "SCHEMA_TAKES_ANYTHING",
        "segmenter/misbehave/schema",
        "lets keys through",
    );
    finds_macro(
        "BAD_DEFAULT",
        "segmenter/misbehave/schema",
        "parameter \"n\"",
    );
    finds_macro(
        "LEVELS_WITHOUT_LEVEL",
        "segmenter/misbehave/schema",
        "no parameter level",
    );
    finds_macro(
        "NO_CAPABILITY",
        "segmenter/misbehave/schema",
        "neither the capability automatic",
    );
}

#[test]
fn wrong_labels_are_found() {
    for (name, what) in [
        ("LABELS_ALIKE", "marks 0 and 1 have the same label \"x\""),
        ("EMPTY_LABEL", "its label of mark 0 is empty"),
        ("LABEL_NOT_UTF8", "is not UTF-8"),
        ("LABEL_TOO_LONG", "is 1048576 bytes long"),
        ("LABEL_WRONG_LENGTH", "has 0 bytes, but it returned 3"),
        ("LABEL_OVERRUNS", "given room for 0 bytes, writes more"),
    ] {
        finds_macro(name, "mark-style/scribble/labels", what);
    }
    finds_fault("no size", "mark-style/scribble/labels", "as 0x12 pixels");
}

#[test]
fn wrong_regions_are_found() {
    for (fault, what) in [
        ("no region", "its som_region is NULL"),
        ("short region", "has the size 8"),
        ("region outside", "does not lie in the 160x120 image"),
        ("region far outside", "does not lie in the 160x120 image"),
        ("region without size", "covers no pixel"),
        ("empty mask", "has no pixel set"),
        ("score above 1", "its score 1.5"),
        ("score NaN", "its score NaN"),
        ("label not UTF-8", "its label is not UTF-8"),
        ("label undeclared", "the capability labels is not declared"),
        ("extra not JSON", "is not a JSON object"),
        ("extra not an object", "is not a JSON object"),
        ("level too high", "\"level\" of its extra is 256"),
        ("parent missing", "its parent is 1, but there are 1 regions"),
        ("own parent", "it is among its own parents"),
        ("second region bad", "region 1: its box 1,1,2,120"),
        (
            "emits in spite of refusal",
            "region 0: its box 1,1,0,2 covers no pixel",
        ),
    ] {
        finds_fault(fault, "segmenter/misbehave/segments", what);
    }
}

#[test]
fn wrong_endings_are_found() {
    for (fault, what) in [
        ("unknown status", "the unknown status 77"),
        ("negative status", "minus one"),
        ("reason not UTF-8", "caf\u{fffd}"),
        ("two reasons", "the first reason"),
        ("cancels itself", "nobody cancelled the call"),
        ("a bug", "a bug"),
        ("crashes", "it crashed (SIGABRT)"),
        ("exits", "it ended the process with the exit code 3"),
        ("exits well", "it ended the process with the exit code 0"),
        ("prints", "it prints to stdout"),
    ] {
        finds_fault(fault, "segmenter/misbehave/segments", what);
    }
    let library = misbehave(&[]);
    let arguments = ["--set", "fault=hangs", "--timeout", "5"];
    let what = "it did not come back within 5 s";
    finds(&library, &arguments, "segmenter/misbehave/segments", what);
}

#[test]
fn wrong_instances_are_found() {
    let creates = "segmenter/misbehave/creates";
    finds_fault(
        "emits in create",
        creates,
        "only `segment` and `frame` emit regions",
    );
    finds_fault("crashes in create", creates, "it crashed (SIGABRT)");
    finds_fault(
        "exits in create",
        creates,
        "it ended the process with the exit code 0",
    );
    finds_fault("no weights", creates, "weights not found at x.pth");
    let ran = check(&misbehave(&[]), &["--set", "fault=no weights"]);
    assert_eq!(
        ran.code,
        4,
        "what is not there may come later: {}",
        ran.text()
    );
}

#[test]
fn faults_that_only_some_calls_show_are_found() {
    let finds = |fault: &str, check: &str, what: &str| {
        finds_fault(fault, &format!("segmenter/misbehave/{check}"), what);
    };
    finds("refuses small images", "sizes", "an image of 1x1 pixels");
    finds(
        "writes to the image",
        "image",
        "it changed the pixels of the image",
    );
    finds("reads behind the image", "image", "amid other bytes");
    finds(
        "different every time",
        "repeats",
        "the second time, the same image gives another",
    );
    finds("refuses the maximum", "parameters", "with strength = 9");
    finds("refuses other threads", "threads", "another thread");
}

#[test]
fn hints_that_are_not_as_declared_are_found() {
    let hints = "segmenter/misbehave/hints";
    let what = "takes a point as a hint, but the capability points is not declared";
    finds_macro("UNDECLARED_HINTS", hints, what);
    finds_macro("REFUSES_HINTS", hints, "with a point as a hint");
    finds_macro("NOT_AUTOMATIC", hints, "it segments without hints");
}

#[test]
fn bad_manners_when_cancelled_are_found() {
    let finds = |fault: &str, what: &str| {
        let arguments = ["--grace", "4", "--set", &format!("fault={fault}")];
        finds(
            &misbehave(&[]),
            &arguments,
            "segmenter/misbehave/cancellation",
            what,
        );
    };
    finds(
        "ignores cancellation",
        "cancelled before it began, the call returned SOM_OK",
    );
    finds("sleeps through cancellation", "(at most 4.0 s are granted)");
    finds(
        "emits after cancellation",
        "it emitted a region after it had learnt of that",
    );
}

#[test]
fn wrong_drawing_is_found() {
    let finds = |fault: &str, check: &str, what: &str| {
        finds_fault(fault, &format!("mark-style/scribble/{check}"), what);
    };
    finds("emits", "draws", "only `segment` and `frame` emit regions");
    finds("draws below", "canvas", "byte 1 after the last");
    finds("draws above", "canvas", "byte 1 before the first");
    finds(
        "draws without marks",
        "nothing",
        "it draws although there are no marks",
    );
}

#[test]
fn both_sides_of_a_plugin_are_checked() {
    let failures = failures(&misbehave(&[]), &["--set", "fault=no reason"]);
    let names: Vec<_> = failures.iter().map(|(name, _)| &**name).collect();
    assert_eq!(
        names,
        ["segmenter/misbehave/segments", "mark-style/scribble/draws"]
    );
}
