//! One question in several ways: who cuts how often, and what counts as whose time.

use std::{sync::atomic::Ordering, time::Duration};

use serde_json::{Value, json};
use som_core::{AnswerEvent, Cancellation, ErrorKind, Finish, Result, prompt::Template};
use som_engine::{
    Refinement, RegionSource, SegmenterChoice,
    ask::{AskImage, AskRequest},
    compare::{CompareRequest, CompareRow, Compared},
};
use tokio::sync::mpsc;

use crate::script::{Scene, image, question, says, scene, words};

/// All rows, in order.
async fn compared(scene: &Scene, request: CompareRequest) -> Vec<Compared> {
    let (done, mut received) = mpsc::channel(64);
    let never = Cancellation::new();
    scene.engine.compare(request, &never, &done).await.unwrap();
    drop(done);
    let mut rows = Vec::new();
    while let Some(row) = received.recv().await {
        rows.push(row);
    }
    rows.sort_by_key(|row| row.row);
    rows
}

fn columns(params: Value) -> RegionSource {
    RegionSource::Segmenter(SegmenterChoice {
        id: Some("columns".to_owned()),
        params: serde_json::from_value(params).unwrap(),
        granularity: None,
    })
}

/// Rows that ask about columns, each told these parameters, and what a question has for `null`.
fn about_columns(rows: &[Value]) -> CompareRequest {
    let asked = question("which?");
    let images = asked.images.into_iter().map(|image| AskImage {
        regions: columns(json!({})),
        ..image
    });
    let asked = AskRequest {
        images: images.collect(),
        ..question("which?")
    };
    let rows = rows.iter().map(|params| CompareRow {
        regions: (!params.is_null()).then(|| columns(params.clone())),
        ..CompareRow::default()
    });
    CompareRequest::new(asked, rows.collect())
}

fn answers(count: usize) -> Vec<Result<Vec<AnswerEvent>>> {
    (0..count).map(|_| says("[1]")).collect()
}

#[tokio::test]
async fn rows_are_compared_side_by_side() {
    let scene = scene([says("[1]"), says("[1]")]);
    let row = |lmm: Option<&str>| CompareRow {
        lmm: lmm.map(str::to_owned),
        ..CompareRow::default()
    };
    let rows = vec![row(None), row(Some("script")), row(Some("nobody"))];
    let request = CompareRequest::new(question("which?"), rows);
    let rows = compared(&scene, request).await;
    assert_eq!(rows.len(), 3);
    for row in &rows[..2] {
        assert_eq!(row.outcome.as_ref().unwrap().text, "[1]");
        assert_eq!(row.markings[0].marked.allocation.marks.len(), 3);
    }
    let error = rows[2].outcome.as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);

    let none = CompareRequest::new(question("which?"), Vec::new());
    let (done, _received) = mpsc::channel(1);
    let error = scene
        .engine
        .compare(none, &Cancellation::new(), &done)
        .await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn an_image_is_cut_once_for_rows_that_cut_it_alike() {
    let scene = scene(answers(20));
    // What is said and what is so by default is the same.
    let alike = [json!(null), json!({}), json!({"count": 3})];
    let rows: Vec<Value> = alike.iter().cycle().take(18).cloned().collect();
    let rows = compared(&scene, about_columns(&rows)).await;
    assert_eq!(scene.cuts.load(Ordering::SeqCst), 1);
    let cut = |row: &Compared| row.outcome.as_ref().unwrap().timings.segment.unwrap();
    for row in &rows {
        assert_eq!(row.segmenter, "columns");
        assert_eq!(row.markings[0].marked.allocation.marks.len(), 3);
        assert_eq!(cut(row), cut(&rows[0]), "each tells what cutting took");
    }
    let rows = [json!({"count": 3}), json!({"count": 2})];
    let rows = compared(&scene, about_columns(&rows)).await;
    assert_eq!(scene.cuts.load(Ordering::SeqCst), 3);
    assert_eq!(rows[1].markings[0].marked.allocation.marks.len(), 2);
}

#[tokio::test]
async fn given_regions_are_refined_once() {
    let scene = scene(answers(3));
    let asked = AskRequest {
        images: vec![AskImage {
            refine: Some(Refinement {
                segmenter: "cutter".to_owned(),
                ..Refinement::default()
            }),
            ..image()
        }],
        ..question("which?")
    };
    let rows = vec![CompareRow::default(); 3];
    let rows = compared(&scene, CompareRequest::new(asked, rows)).await;
    assert!(rows.iter().all(|row| row.outcome.is_ok()), "{rows:?}");
    // One hint for each of the three regions, once.
    assert_eq!(scene.refinements.take().iter().sum::<usize>(), 3);
}

/// What fails is tried by the next row: it may be a queue that was full.
#[tokio::test]
async fn a_row_whose_cut_fails_fails_alone() {
    let scene = scene(answers(1));
    let rows = [
        json!({"fail": "no weights"}),
        json!({"fail": "no weights"}),
        json!({}),
    ];
    let rows = compared(&scene, about_columns(&rows)).await;
    let kinds: Vec<_> = rows
        .iter()
        .map(|row| row.outcome.as_ref().err().map(|error| error.kind()))
        .collect();
    assert_eq!(
        kinds,
        [
            Some(ErrorKind::Unsupported),
            Some(ErrorKind::Unsupported),
            None
        ]
    );
}

/// An hour of waiting in a test that takes no time.
#[tokio::test]
async fn waiting_is_nobodys_time() {
    const HOUR: Duration = Duration::from_secs(3600);
    let scene = scene([Ok(vec![
        AnswerEvent::Waited(HOUR),
        AnswerEvent::Delta("[1]".to_owned()),
        AnswerEvent::Done(Finish::Stop),
    ])]);
    let rows = compared(&scene, about_columns(&[json!({})])).await;
    let outcome = rows[0].outcome.as_ref().unwrap();
    assert_eq!(outcome.timings.answer, Some(Duration::ZERO));
    let stages = [outcome.timings.segment, outcome.timings.mark];
    assert_eq!(rows[0].took, stages.into_iter().flatten().sum());
}

/// One instance serves two rows one after the other: the second does not cut for twice as long.
#[tokio::test]
async fn a_row_does_not_pay_for_the_queue() {
    let scene = scene(answers(2));
    let rows = [
        json!({"sleep_ms": 300, "count": 1}),
        json!({"sleep_ms": 300, "count": 2}),
    ];
    let rows = compared(&scene, about_columns(&rows)).await;
    let timings = rows.iter().map(|row| row.outcome.as_ref().unwrap().timings);
    let waits: Vec<Duration> = timings
        .clone()
        .map(|timings| timings.wait.unwrap())
        .collect();
    let longest = waits.iter().max().unwrap();
    assert!(*longest >= Duration::from_millis(250), "{waits:?}");
    for timings in timings {
        assert!(timings.segment.unwrap() >= Duration::from_millis(300));
    }
}

#[tokio::test]
async fn a_row_says_how_to_ask() {
    let scene = scene(answers(4));
    let rows = vec![
        CompareRow {
            template: Template::parse("Say which: {question}").ok(),
            clean: Some(true),
            ..CompareRow::default()
        },
        CompareRow {
            votes: Some(3),
            table: Some(true),
            ..CompareRow::default()
        },
    ];
    let rows = compared(&scene, CompareRequest::new(question("which?"), rows)).await;
    let rounds = rows.iter().map(|row| row.outcome.as_ref().unwrap().rounds);
    assert_eq!(rounds.collect::<Vec<_>>(), [1, 3]);
    let prompts = scene.prompts();
    let asked = prompts
        .iter()
        .filter(|prompt| words(prompt, 0).contains("Say which: which?"));
    assert_eq!(asked.count(), 1);
}
