//! Runs: what is reported is what happened.

use std::{
    collections::HashSet,
    fs,
    io::Write as _,
    sync::{Arc, atomic::Ordering},
};

use serde_json::json;
use som_core::ErrorKind;
use som_eval::{
    run::{Row, Selection},
    score::Verdict,
};

use crate::{
    asset::value,
    bench::{Drawn, Oracle, estimate, golden, report, row, run},
};

fn asked(oracle: &Oracle) -> usize {
    oracle.asked.load(Ordering::Relaxed)
}

/// An oracle that errs at every so manieth expression of `images` images, and at how many.
fn erring(images: usize, every: usize) -> (Arc<Oracle>, usize) {
    let mut oracle = Oracle::new();
    let all = (0..images).flat_map(|number| {
        ["red", "green", "blue"].map(|color| format!("the {color} box {number}"))
    });
    oracle.errs = all.step_by(every).collect();
    let errors = oracle.errs.len();
    (Arc::new(oracle), errors)
}

#[tokio::test]
async fn the_rate_of_errors_is_reported_as_the_models() {
    let drawn = Drawn::of(7);
    let (oracle, errors) = erring(7, 4);
    let folder = drawn.path("out");
    let ran = run(&oracle, &drawn.plan(vec![golden()]), &folder)
        .await
        .unwrap();
    assert_eq!((ran.asked, ran.rows[0].done, errors), (21, 21, 6));
    let report = report(&folder);
    let row = &report.rows[0];
    let rate = 15.0 / 21.0;
    assert!((value(&row.scores, "acc@0.5") - rate).abs() < 1e-12);
    // The masks of other boxes have nothing of the right one.
    assert!((value(&row.scores, "miou") - rate).abs() < 1e-12);
    let losses = row.scores.losses["acc@0.5"];
    assert!((losses.model - (1.0 - rate)).abs() < 1e-12, "{losses:?}");
    assert_eq!(
        (losses.segmenter, losses.marks, losses.parsing),
        (0.0, 0.0, 0.0)
    );
    assert_eq!(row.verdicts[&Verdict::Right], 15);
    assert_eq!(row.verdicts[&Verdict::Model], 6);
    assert_eq!((row.took.rounds, row.took.output_tokens), (21, 21));
    assert_eq!(row.took.cost, Some(21.0));
}

#[tokio::test]
async fn every_stage_loses_what_it_loses() {
    let drawn = Drawn::of(4);
    let mut oracle = Oracle::new();
    oracle.errs = HashSet::from(["the red box 0".to_owned()]);
    oracle.instead = [
        ("the green box 1", "I cannot tell."),
        ("the blue box 1", "It is [1] and [2]."),
        ("the red box 2", ""),
    ]
    .map(|(text, said)| (text.to_owned(), said.to_owned()))
    .into();
    let oracle = Arc::new(oracle);
    // The two largest of three get marks, so that every blue box is lost by the marks.
    let marks = row(json!({"name": "marks", "regions": "golden", "marks": {"max_marks": 2}}));
    let halves = drawn.path("halves");
    fs::create_dir(&halves).unwrap();
    let given = row(json!({"name": "given", "regions": halves, "oracle": true}));
    let folder = drawn.path("out");
    let plan = drawn.plan(vec![golden(), marks, given]);
    run(&oracle, &plan, &folder).await.unwrap();
    let report = report(&folder);
    let losses = |row: usize| report.rows[row].scores.losses["acc@0.5"];
    let near =
        |found: f64, of_twelve: f64| assert!((found - of_twelve / 12.0).abs() < 1e-12, "{found}");
    near(losses(0).reached, 8.0);
    near(losses(0).model, 1.0);
    near(losses(0).parsing, 3.0);
    near(losses(1).marks, 4.0);
    near(losses(1).model, 1.0);
    near(losses(1).parsing, 2.0);
    // No half of the image has a box IoU of one half with any box.
    near(losses(2).segmenter, 12.0);
    for row in &report.rows {
        for losses in row.scores.losses.values() {
            assert!((losses.total() - 1.0).abs() < 1e-9, "{losses:?}");
        }
    }
    let reading = report.rows[2].scores.oracle.iter();
    let reading = reading
        .clone()
        .find(|score| score.metric == "acc@0.5")
        .unwrap();
    near(reading.value, 8.0);
}

#[tokio::test]
async fn what_is_done_is_not_asked_again() {
    let drawn = Drawn::of(3);
    let oracle = Arc::new(Oracle::new());
    let folder = drawn.path("out");
    let plan = drawn.plan(vec![golden()]);
    run(&oracle, &plan, &folder).await.unwrap();
    assert_eq!(asked(&oracle), 9);
    let again = run(&oracle, &plan, &folder).await.unwrap();
    assert_eq!((again.rows[0].before, again.rows[0].done), (9, 0));
    assert_eq!((asked(&oracle), again.asked, again.spent), (9, 0, 0.0));
    // Results that were cut off in the middle of a line go on; answers are on file.
    let results = folder.join("rows/golden/results.jsonl");
    let text = fs::read_to_string(&results).unwrap();
    let kept: usize = text.lines().take(4).map(|line| line.len() + 1).sum();
    fs::write(&results, &text[..kept + 40]).unwrap();
    let again = run(&oracle, &plan, &folder).await.unwrap();
    assert_eq!((again.rows[0].before, again.rows[0].done), (4, 5));
    assert_eq!(asked(&oracle), 9);
    assert_eq!(fs::read_to_string(&results).unwrap().lines().count(), 9);
    // Another run with the same cache replays the answers.
    let mut other = drawn.plan(vec![golden()]);
    other.cache = Some(folder.join("cache"));
    let replayed = run(&oracle, &other, &drawn.path("other")).await.unwrap();
    assert_eq!((replayed.rows[0].done, replayed.asked), (9, 0));
    assert_eq!(
        value(&report(&drawn.path("other")).rows[0].scores, "acc@0.5"),
        1.0
    );
}

#[tokio::test]
async fn regions_are_cut_once() {
    let drawn = Drawn::of(2);
    let oracle = Arc::new(Oracle::new());
    let columns = |name: &str| {
        row(
            json!({"name": name, "segmenter": "columns", "params": {"count": 4}, "styles": ["number"]}),
        )
    };
    let folder = drawn.path("out");
    let plan = drawn.plan(vec![columns("a"), columns("b")]);
    run(&oracle, &plan, &folder).await.unwrap();
    let cut = fs::read_dir(folder.join("cache/regions")).unwrap().count();
    assert_eq!(cut, 2);
}

#[tokio::test]
async fn a_budget_is_never_passed() {
    let drawn = Drawn::of(4);
    let oracle = Arc::new(Oracle::new());
    let folder = drawn.path("out");
    let mut plan = drawn.plan(vec![golden()]);
    // An answer costs a dollar, and may cost ten.
    plan.max_cost = Some(14.5);
    let ran = run(&oracle, &plan, &folder).await.unwrap();
    assert!(ran.cut_short.is_some_and(|why| why.contains("of $14.5 $")));
    assert!((1.0..=14.5).contains(&ran.spent), "{}", ran.spent);
    assert_eq!(ran.spent, asked(&oracle) as f64);
    assert_eq!(ran.rows[0].done, asked(&oracle));
    // With more it goes on, and pays for the rest alone.
    let before = asked(&oracle);
    plan.max_cost = Some(100.0);
    let ran = run(&oracle, &plan, &folder).await.unwrap();
    assert_eq!(
        (ran.rows[0].before, ran.rows[0].done),
        (before, 12 - before)
    );
    assert_eq!(asked(&oracle), 12);
}

#[tokio::test]
async fn failures_are_told_and_asked_again() {
    let drawn = Drawn::of(2);
    let oracle = Oracle::new();
    oracle
        .fails
        .lock()
        .unwrap()
        .insert("the red box 1".to_owned());
    let oracle = Arc::new(oracle);
    let folder = drawn.path("out");
    let plan = drawn.plan(vec![golden()]);
    let ran = run(&oracle, &plan, &folder).await.unwrap();
    assert_eq!((ran.rows[0].done, ran.rows[0].failed), (5, 1));
    let (kind, why) = ran.rows[0].failure.clone().unwrap();
    assert_eq!(kind, ErrorKind::Unavailable);
    assert!(why.starts_with("sample 1-red: "), "{why}");
    let told = report(&folder);
    assert_eq!(told.rows[0].verdicts[&Verdict::Failed], 1);
    assert_eq!(told.rows[0].took.failed, 1);
    assert!((value(&told.rows[0].scores, "acc@0.5") - 5.0 / 6.0).abs() < 1e-12);
    oracle.fails.lock().unwrap().clear();
    let ran = run(&oracle, &plan, &folder).await.unwrap();
    assert_eq!((ran.rows[0].before, ran.rows[0].done), (5, 1));
    assert_eq!(value(&report(&folder).rows[0].scores, "acc@0.5"), 1.0);
}

#[tokio::test]
async fn a_row_of_nothing_but_failures_is_given_up() {
    let drawn = Drawn::of(10);
    let oracle = Oracle::new();
    let all = (0..10).flat_map(|number| {
        ["red", "green", "blue"].map(|color| format!("the {color} box {number}"))
    });
    oracle.fails.lock().unwrap().extend(all);
    let oracle = Arc::new(oracle);
    let ran = run(&oracle, &drawn.plan(vec![golden()]), &drawn.path("out"))
        .await
        .unwrap();
    assert!(ran.rows[0].is_given_up);
    assert!(asked(&oracle) < 30, "{}", asked(&oracle));
}

#[tokio::test]
async fn images_that_do_not_fit_are_left_out() {
    let drawn = Drawn::of(3);
    fs::remove_file(drawn.path("0.png")).unwrap();
    image::RgbImage::new(120, 240)
        .save(drawn.path("1.png"))
        .unwrap();
    let oracle = Arc::new(Oracle::new());
    let folder = drawn.path("out");
    let ran = run(&oracle, &drawn.plan(vec![golden()]), &folder)
        .await
        .unwrap();
    let left_out = &ran.rows[0].left_out;
    assert_eq!((ran.rows[0].done, left_out.len()), (3, 6));
    let tells = |what: &str| left_out.iter().filter(|why| why.contains(what)).count();
    assert_eq!(tells("0.png: there is no such image"), 3);
    assert_eq!(tells("otherwise than its EXIF orientation says"), 3);
    let report = report(&folder);
    assert_eq!(
        (
            report.rows[0].scores.answered,
            report.rows[0].scores.not_run
        ),
        (3, 6)
    );
}

#[tokio::test]
async fn a_folder_has_one_run() {
    let drawn = Drawn::of(1);
    let oracle = Arc::new(Oracle::new());
    let folder = drawn.path("out");
    let plan = drawn.plan(vec![golden()]);
    run(&oracle, &plan, &folder).await.unwrap();
    // Another one holds it.
    let lock = fs::File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let error = run(&oracle, &plan, &folder).await.unwrap_err();
    assert!(
        error.message().contains("another run writes there"),
        "{error}"
    );
    drop(lock);
    // It was asked for something else.
    let mut other = plan.clone();
    other.selection.seed = 1;
    let error = run(&oracle, &other, &folder).await.unwrap_err();
    assert!(
        error.message().contains("another choice of samples"),
        "{error}"
    );
    let other = drawn.plan(vec![Row {
        votes: 3,
        ..golden()
    }]);
    let error = run(&oracle, &other, &folder).await.unwrap_err();
    assert!(
        error.message().contains("another row \"golden\""),
        "{error}"
    );
    // A further row is welcome.
    let more = drawn.plan(vec![
        golden(),
        row(json!({"regions": "golden", "votes": 3})),
    ]);
    let ran = run(&oracle, &more, &folder).await.unwrap();
    assert_eq!((ran.rows[0].done, ran.rows[1].done), (0, 3));
}

#[tokio::test]
async fn a_cache_of_another_version_is_named() {
    let drawn = Drawn::of(1);
    let oracle = Arc::new(Oracle::new());
    let mut plan = drawn.plan(vec![golden()]);
    plan.cache = Some(drawn.path("shared"));
    fs::create_dir(drawn.path("shared")).unwrap();
    let mut file = fs::File::create(drawn.path("shared/cache.json")).unwrap();
    write!(file, "{{\"version\": 9}}").unwrap();
    let error = run(&oracle, &plan, &drawn.path("out")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(
        error.message().contains("the cache is of version 9"),
        "{error}"
    );
}

#[tokio::test]
async fn rows_that_name_what_is_not_there_are_refused() {
    let drawn = Drawn::of(1);
    let oracle = Arc::new(Oracle::new());
    for (value, why) in [
        (json!({"name": "x", "segmenter": "sem"}), "row \"x\": "),
        (
            json!({"name": "x", "regions": "golden", "styles": ["numbr"]}),
            "row \"x\": mark style",
        ),
        (
            json!({"name": "x", "regions": "golden", "lmm": "gpt5o"}),
            "unknown lmm",
        ),
        (
            json!({"name": "x", "regions": "nowhere"}),
            "nowhere: there is no such file",
        ),
        (
            json!({"name": "x", "segmenter": "columns", "params": {"count": -1}}),
            "count",
        ),
    ] {
        let plan = drawn.plan(vec![row(value)]);
        let error = run(&oracle, &plan, &drawn.path("out")).await.unwrap_err();
        assert!(error.message().contains(why), "{error}");
    }
    assert_eq!(asked(&oracle), 0);
}

#[tokio::test]
async fn a_dry_run_counts_and_asks_nothing() {
    let drawn = Drawn::of(20);
    let oracle = Arc::new(Oracle::new());
    let votes = row(json!({"name": "votes", "regions": "golden", "votes": 3, "clean": true}));
    let folder = drawn.path("out");
    let mut plan = drawn.plan(vec![golden(), votes]);
    plan.selection = Selection {
        limit: Some(30),
        seed: 1,
        stratified: true,
    };
    let estimates = estimate(&oracle, &plan, &folder).await;
    assert_eq!(asked(&oracle), 0);
    let [golden, votes] = &estimates[..] else {
        panic!("{estimates:?}");
    };
    assert_eq!((golden.samples, golden.looked_at), (30, 24));
    assert_eq!((golden.requests, golden.images), (30.0, 30.0));
    assert_eq!((votes.requests, votes.images), (90.0, 180.0));
    // Ten tokens at most, a dollar each.
    assert_eq!(golden.max_output_cost, Some(300.0));
    assert!(golden.input_tokens > 30.0 * 85.0);
    // What was answered is not asked about.
    run(&oracle, &plan, &folder).await.unwrap();
    assert_eq!(estimate(&oracle, &plan, &folder).await[0].samples, 0);
}

#[tokio::test]
async fn specialists_are_rows_without_a_model() {
    let drawn = Drawn::of(2);
    let oracle = Arc::new(Oracle::new());
    let specialist =
        row(json!({"segmenter": "columns", "params": {"count": 1}, "specialist": true}));
    let folder = drawn.path("out");
    let ran = run(&oracle, &drawn.plan(vec![specialist]), &folder)
        .await
        .unwrap();
    assert_eq!((ran.asked, ran.rows[0].done), (0, 6));
    let report = report(&folder);
    assert_eq!(report.rows[0].row, "columns count=1, specialist");
    // The one column is the whole image.
    let area = |width: f64, height: f64| width * height / (240.0 * 120.0);
    let mean = (area(60.0, 70.0) + area(50.0, 60.0) + area(40.0, 50.0)) / 3.0;
    assert!((value(&report.rows[0].scores, "miou") - mean).abs() < 1e-12);
}

#[tokio::test]
async fn the_baseline_without_a_model_finds_colours() {
    let drawn = Drawn::of(2);
    let oracle = Arc::new(Oracle::new());
    let attributes = row(json!({"regions": "golden", "lmm": "attributes"}));
    let folder = drawn.path("out");
    run(&oracle, &drawn.plan(vec![attributes]), &folder)
        .await
        .unwrap();
    assert_eq!(value(&report(&folder).rows[0].scores, "acc@0.5"), 1.0);
}
