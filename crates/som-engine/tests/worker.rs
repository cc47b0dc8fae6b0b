//! Workers under plugins that misbehave: each costs one request at most.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use image::RgbImage;
use serde_json::{Value, json};
use som_core::{Cancellation, ErrorKind, Params, Result};
use som_engine::{
    Engine, SegmentRequest, SegmenterChoice,
    registry::{Provenance, Registry},
    settings::Ladder,
};
use som_test::Columns;

fn engine(flags: &[(&str, serde_json::Value)]) -> Arc<Engine> {
    let mut ladder = Ladder::embedded().with_flag("--segmenter", "mark.segmenter", "columns");
    for (key, value) in flags {
        ladder = ladder.with_flag("--set", &format!("segmenter.columns.{key}"), value.clone());
    }
    let mut registry = Registry::default();
    registry
        .add_segmenter(Arc::new(Columns::default()), Provenance::Embedded)
        .unwrap();
    Arc::new(Engine::new(ladder.load().unwrap().0, registry).unwrap())
}

/// Has the engine cut an image: which instance did it.
async fn act(engine: &Engine, params: Value, cancellation: &Cancellation) -> Result<usize> {
    let params: Params = serde_json::from_value(params).unwrap();
    let image = RgbImage::new(4, 4).into();
    let segmenter = SegmenterChoice {
        params,
        ..SegmenterChoice::default()
    };
    let request = SegmentRequest {
        segmenter,
        ..SegmentRequest::new(image)
    };
    let segmented = engine.segment(request, cancellation).await?;
    Ok(segmented.regions[0].extra["born"].as_u64().unwrap() as usize)
}

/// Works at once.
fn work() -> Value {
    json!({})
}

/// Waits until it is called off.
fn wait() -> Value {
    json!({"sleep_ms": 600_000})
}

#[tokio::test]
async fn an_instance_lives_until_it_breaks() {
    let engine = engine(&[]);
    let never = Cancellation::new();
    assert_eq!(act(&engine, work(), &never).await.unwrap(), 0);
    assert_eq!(act(&engine, work(), &never).await.unwrap(), 0);
    for (fault, born) in [("panic", 1), ("internal", 2)] {
        let error = act(&engine, json!({"fail": fault}), &never)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
        assert_eq!(
            act(&engine, work(), &never).await.unwrap(),
            born,
            "after {fault}"
        );
    }
}

#[tokio::test]
async fn a_request_leaves_as_soon_as_it_is_called_off() {
    let engine = engine(&[]);
    let started = Instant::now();
    let soon = Cancellation::new().with_timeout(Duration::from_millis(50));
    let error = act(&engine, wait(), &soon).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(started.elapsed() < Duration::from_secs(2));
    // The same instance serves on: it came back within its grace period.
    assert_eq!(act(&engine, work(), &Cancellation::new()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_dropped_request_cancels_its_call() {
    let engine = engine(&[]);
    let cancellation = Cancellation::new();
    let waiting = act(&engine, wait(), &cancellation);
    assert!(
        tokio::time::timeout(Duration::from_millis(50), waiting)
            .await
            .is_err()
    );
    // Its own part is called off, and its instance is free; the rest of the request goes on.
    assert!(!cancellation.is_cancelled());
    assert_eq!(act(&engine, work(), &cancellation).await.unwrap(), 0);
}

#[tokio::test]
async fn a_hanging_instance_is_replaced() {
    let engine = engine(&[("grace_ms", json!(10))]);
    let soon = Cancellation::new().with_timeout(Duration::from_millis(20));
    assert_eq!(
        act(&engine, json!({"hang_ms": 3000}), &soon)
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::Cancelled
    );
    let started = Instant::now();
    assert_eq!(act(&engine, work(), &Cancellation::new()).await.unwrap(), 1);
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "it waited for the hanging one"
    );
}

#[tokio::test]
async fn a_full_queue_refuses() {
    let engine = engine(&[("queue", json!(1))]);
    let cancellation = Cancellation::new();
    let entry = engine.registry().segmenter("columns").unwrap();
    let mut running = Vec::new();
    // One runs, then one waits.
    for queued in [0, 1] {
        let (engine, cancellation) = (engine.clone(), cancellation.clone());
        running.push(tokio::spawn(async move {
            act(&engine, wait(), &cancellation).await
        }));
        tokio::time::sleep(Duration::from_millis(50)).await;
        for _ in 0..1000 {
            if entry.queued() == queued {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(entry.queued(), queued);
    }
    let error = act(&engine, work(), &Cancellation::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exhausted);
    assert!(
        error.message().contains("segmenter.columns.queue"),
        "{error}"
    );
    cancellation.cancel();
    for task in running {
        let _ = task.await.unwrap();
    }
}

#[tokio::test]
async fn hints_must_lie_in_the_image() {
    let engine = engine(&[]);
    let point = |x: u32| {
        let hints = json!({"points": [{"x": x, "y": 0}]});
        SegmentRequest {
            segmenter: SegmenterChoice {
                params: Params::from_iter([("hints".to_owned(), hints)]),
                ..SegmenterChoice::default()
            },
            ..SegmentRequest::new(RgbImage::new(4, 4).into())
        }
    };
    let never = Cancellation::new();
    assert!(engine.segment(point(3), &never).await.is_ok());
    let error = engine.segment(point(4), &never).await.unwrap_err();
    let what = "hint: the point 4,0 lies outside the image of 4x4 pixels";
    assert_eq!(
        (error.kind(), &*error.to_string()),
        (ErrorKind::Invalid, what)
    );
}

#[tokio::test]
async fn instances_run_side_by_side() {
    let engine = engine(&[("instances", json!(2))]);
    let cancellation = Cancellation::new();
    let background = {
        let (engine, cancellation) = (engine.clone(), cancellation.clone());
        tokio::spawn(async move { act(&engine, wait(), &cancellation).await })
    };
    act(&engine, work(), &Cancellation::new()).await.unwrap();
    cancellation.cancel();
    assert_eq!(
        background.await.unwrap().unwrap_err().kind(),
        ErrorKind::Cancelled
    );
}

#[tokio::test]
async fn a_failed_creation_fails_the_request_and_says_why() {
    let engine = engine(&[("broken", json!(true))]);
    let error = act(&engine, work(), &Cancellation::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[test]
fn options_are_checked_when_the_engine_starts() {
    let (settings, _) = Ladder::embedded()
        .with_flag("--set", "segmenter.columns.weigths", "x")
        .load()
        .unwrap();
    let mut registry = Registry::default();
    registry
        .add_segmenter(Arc::new(Columns::default()), Provenance::Embedded)
        .unwrap();
    let error = Engine::new(settings, registry).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(
        error.message().contains("weigths") && error.message().contains("broken"),
        "{error}"
    );
}
