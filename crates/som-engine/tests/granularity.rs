//! One slider over all segmenters: who answers to which granularity, and why.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use image::RgbImage;
use serde_json::{Value, json};
use som_core::{
    Cancellation, ErrorKind, Params, Result, Segmentation,
    granularity::{Start, Step, choose},
};
use som_engine::{
    Engine, SegmentRequest, SegmenterChoice, granularity,
    registry::{Provenance, Registry},
    settings::{Ladder, Settings},
};
use som_test::Columns;

const LEARNED: [&str; 3] = ["seem", "semantic-sam", "sam"];

/// Settings in which `columns` is the usual segmenter, those of `with_weights` have weights, and
/// `more` is said.
fn settings(with_weights: &[&str], more: &str) -> Settings {
    let file = tempfile::NamedTempFile::new().unwrap();
    let table = |id: &&str| format!("[segmenter.{id}]\nweights = 'x.pth'\n");
    let tables: String = with_weights.iter().map(table).collect();
    std::fs::write(file.path(), tables + more).unwrap();
    let ladder = Ladder::embedded().with_file(file.path());
    let ladder = ladder.with_flag("--segmenter", "mark.segmenter", "columns");
    ladder.load().unwrap().0
}

/// The segmenters of these ids and `columns`, each with levels.
fn registry(ids: &[&str]) -> Registry {
    let mut registry = Registry::default();
    for id in ids.iter().chain(&["columns"]) {
        let columns = Columns::default().named(id).with_levels(1..=6);
        registry
            .add_segmenter(Arc::new(columns), Provenance::Embedded)
            .unwrap();
    }
    registry
}

/// All learned segmenters are there; those of `with_weights` have some.
fn engine(with_weights: &[&str], more: &str) -> Engine {
    Engine::new(settings(with_weights, more), registry(&LEARNED)).unwrap()
}

/// What was told of a request with this granularity and these parameters.
async fn answered(engine: &Engine, value: f64, params: Value) -> Result<Segmentation> {
    let request = SegmentRequest {
        segmenter: SegmenterChoice {
            params: serde_json::from_value(params).unwrap(),
            granularity: Some(value),
            ..SegmenterChoice::default()
        },
        ..SegmentRequest::new(RgbImage::new(4, 4).into())
    };
    let segmented = engine.segment(request, &Cancellation::new()).await?;
    Ok(segmented.segmentation)
}

/// Why who answered did.
async fn reason(engine: &Engine, value: f64, params: Value) -> String {
    let segmentation = answered(engine, value, params).await.unwrap();
    let granularity = segmentation.granularity.unwrap();
    assert_eq!(granularity.value, value);
    let says = format!(": {}", segmentation.segmenter);
    assert!(granularity.reason.contains(&says), "{granularity:?}");
    granularity.reason
}

fn hints() -> Value {
    json!({"hints": {"points": [{"x": 1, "y": 1}]}})
}

#[tokio::test]
async fn with_all_weights_the_steps_are_those_of_the_demo() {
    let engine = engine(&LEARNED, "");
    for (value, segmenter, level) in [
        (1.0, "seem", json!(null)),
        (1.4999, "seem", json!(null)),
        (1.5, "semantic-sam", json!([1])),
        (1.64, "semantic-sam", json!([2])),
        (1.78, "semantic-sam", json!([3])),
        (1.92, "semantic-sam", json!([4])),
        (2.06, "semantic-sam", json!([5])),
        (2.2, "semantic-sam", json!([6])),
        (2.34, "semantic-sam", json!([6, 1, 2, 3, 4, 5])),
        (2.5, "semantic-sam", json!([6, 1, 2, 3, 4, 5])),
        (2.5001, "sam", json!(null)),
        (3.0, "sam", json!(null)),
    ] {
        let answer = answered(&engine, value, json!({})).await.unwrap();
        let told = answer.params.get("level").cloned().unwrap_or_default();
        assert_eq!((&*answer.segmenter, told), (segmenter, level), "{value}");
    }
    assert_eq!(
        reason(&engine, 1.7, json!({})).await,
        "1.7 is from 1.64: semantic-sam, level [2]"
    );
}

#[tokio::test]
async fn hints_go_to_who_takes_them() {
    let both = engine(&["semantic-sam", "sam"], "");
    assert_eq!(
        reason(&both, 2.0, hints()).await,
        "2 is from 1.92, with hints: sam"
    );
    let answer = answered(&both, 2.0, hints()).await.unwrap();
    assert_eq!(
        answer.params.get("level"),
        None,
        "the level of another segmenter"
    );

    let one = engine(&["semantic-sam"], "");
    assert_eq!(
        reason(&one, 2.0, hints()).await,
        "2 is from 1.92, with hints: semantic-sam, level [4]; hints are for sam, but sam has no weights configured (segmenter.sam.weights)"
    );
    let other = engine(&["sam"], "");
    assert_eq!(
        reason(&other, 2.0, hints()).await,
        "2 is from 1.92, with hints: sam"
    );
    // Hints that point at nothing are none.
    assert_eq!(
        reason(&both, 2.0, json!({"hints": null})).await,
        "2 is from 1.92: semantic-sam, level [4]"
    );
}

#[tokio::test]
async fn the_nearest_step_takes_over() {
    let engine = engine(&["seem", "sam"], "");
    for (value, segmenter) in [
        (1.2, "seem"),
        (1.5, "seem"),
        (1.95, "seem"),
        (2.06, "sam"),
        (2.5, "sam"),
        (2.7, "sam"),
    ] {
        let answer = answered(&engine, value, json!({})).await.unwrap();
        assert_eq!(answer.segmenter, segmenter, "{value}");
    }
    assert_eq!(
        reason(&engine, 2.1, json!({})).await,
        "2.1 is from 2.06: sam; semantic-sam has no weights configured (segmenter.semantic-sam.weights); the nearest step is above 2.5"
    );
    let engine = Engine::new(settings(&["sam"], ""), registry(&["sam"])).unwrap();
    assert_eq!(
        reason(&engine, 1.0, json!({})).await,
        "1 is from 1: sam; seem is not there; the nearest step is above 2.5"
    );
}

#[tokio::test]
async fn without_any_the_levels_of_the_usual_one_are_spread() {
    let engine = engine(&[], "");
    for (value, level) in [
        (1.0, 1),
        (1.32, 1),
        (1.34, 2),
        (1.7, 3),
        (2.0, 4),
        (2.5, 5),
        (2.67, 6),
        (3.0, 6),
    ] {
        let answer = answered(&engine, value, json!({})).await.unwrap();
        assert_eq!(answer.segmenter, "columns");
        assert_eq!(answer.params["level"], level, "{value}");
    }
    assert_eq!(
        reason(&engine, 2.0, json!({})).await,
        "2 is from 2: columns, level 4; seem has no weights configured (segmenter.seem.weights); semantic-sam has no weights configured (segmenter.semantic-sam.weights); sam has no weights configured (segmenter.sam.weights); the levels of columns are spread evenly"
    );

    let mut registry = Registry::default();
    registry
        .add_segmenter(Arc::new(Columns::default()), Provenance::Embedded)
        .unwrap();
    let engine = Engine::new(settings(&[], ""), registry).unwrap();
    for value in [1.0, 3.0] {
        let reason = reason(&engine, value, json!({})).await;
        assert!(
            reason.ends_with("sam is not there; columns, which has no levels, answers to all"),
            "{reason}"
        );
    }
}

/// Whoever has weights: to each value someone answers, and it is someone who can.
#[tokio::test]
async fn somebody_answers_to_every_granularity() {
    for set in 0..8_u32 {
        let has_weights = |index: &usize| (set >> index) & 1 == 1;
        let with_weights: Vec<&str> = (0..3)
            .filter(has_weights)
            .map(|index| LEARNED[index])
            .collect();
        let settings = settings(&with_weights, "");
        let steps = granularity::steps(&registry(&LEARNED), &settings)
            .await
            .unwrap();
        for hundredths in 100..=300 {
            for is_hinted in [false, true] {
                let value = f64::from(hundredths) / 100.0;
                let (pick, _) = choose(&steps, value, is_hinted).unwrap();
                let can = match with_weights.is_empty() {
                    true => pick.segmenter == "columns",
                    false => with_weights.contains(&&*pick.segmenter),
                };
                assert!(can, "{value}: {pick} of {with_weights:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_stands_behind_endpoints_counts_unasked() {
    let settings = settings(&[], "[segmenter.sam]\nremote = ['http://127.0.0.1:9']\n");
    let mut registry = registry(&["seem"]);
    registry.add_remote_segmenters(&settings).unwrap();
    let steps = granularity::steps(&registry, &settings).await.unwrap();
    assert_eq!(steps.len(), settings.granularity.steps.len());
    let is_sam = |step: &Step| step.everything.segmenter == "sam";
    assert!(steps.iter().all(is_sam), "{steps:?}");
    assert_eq!(steps[8].start, Start::Above(2.5));
    assert_eq!(steps[8].everything.why, "");
}

#[tokio::test]
async fn a_segmenter_that_takes_no_weights_needs_none() {
    let more = "[granularity]\nsteps = [{ from = 1, segmenter = 'seem', params = { count = 2 } }, { above = 2, segmenter = 'plain', params = { count = 5, sleep_ms = 1 } }]\n";
    let mut registry = registry(&LEARNED);
    let plain = Columns::default().named("plain").without_weights();
    registry
        .add_segmenter(Arc::new(plain), Provenance::Embedded)
        .unwrap();
    let engine = Engine::new(settings(&[], more), registry).unwrap();
    assert_eq!(
        reason(&engine, 2.5, json!({})).await,
        "2.5 is above 2: plain, count 5, sleep_ms 1"
    );
    assert_eq!(
        reason(&engine, 2.0, json!({})).await,
        "2 is from 1: plain, count 5, sleep_ms 1; seem has no weights configured (segmenter.seem.weights); the nearest step is above 2"
    );
    let answer = answered(&engine, 2.5, json!({"count": 3})).await.unwrap();
    assert_eq!(answer.params["count"], 3, "a request goes before its step");
    assert_eq!(answer.params["sleep_ms"], 1);
    assert_eq!(
        answer.granularity.unwrap().reason,
        "2.5 is above 2: plain, count 5, sleep_ms 1; but the request sets count"
    );
}

#[tokio::test]
async fn what_is_asked_wrongly_is_named() {
    let engine = engine(&[], "");
    for value in [0.0, 0.9, 3.1, f64::NAN] {
        let error = answered(&engine, value, json!({})).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.message()),
            (
                ErrorKind::Invalid,
                &*format!("granularity is {value}, but must be from 1 (coarsest) to 3 (finest)")
            )
        );
    }
    let both = SegmentRequest {
        segmenter: SegmenterChoice {
            id: Some("columns".into()),
            params: Params::new(),
            granularity: Some(2.0),
        },
        ..SegmentRequest::new(RgbImage::new(4, 4).into())
    };
    let error = engine
        .segment(both, &Cancellation::new())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (
            ErrorKind::Invalid,
            "granularity chooses the segmenter: leave out one of them"
        )
    );
}

#[tokio::test]
async fn the_settings_may_choose_by_granularity() {
    let engine = engine(&["sam"], "[mark]\ngranularity = 2.8\n");
    let segment = async |id: Option<&str>| {
        let request = SegmentRequest {
            segmenter: SegmenterChoice {
                id: id.map(str::to_owned),
                ..SegmenterChoice::default()
            },
            ..SegmentRequest::new(RgbImage::new(4, 4).into())
        };
        let segmented = engine.segment(request, &Cancellation::new()).await;
        segmented.unwrap().segmentation
    };
    let usual = segment(None).await;
    assert_eq!(usual.segmenter, "sam");
    assert_eq!(usual.granularity.unwrap().reason, "2.8 is above 2.5: sam");
    let named = segment(Some("columns")).await;
    assert_eq!((&*named.segmenter, named.granularity), ("columns", None));
}
