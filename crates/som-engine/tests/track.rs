//! Videos: sessions, their limits and ends, and segmenters that are carried.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use image::RgbImage;
use serde_json::{Value, json};
use som_core::{
    BBox, BoxHint, Cancellation, ErrorKind, Hints, ObjectHints, Params, PointHint, Result, Tracked,
};
use som_engine::{
    Engine,
    registry::{Provenance, Registry},
    settings::Ladder,
    track::{TrackFrame, TrackRequest, TrackSession},
};
use som_test::{Columns, Follower};

const WIDTH: u32 = 24;

/// An engine with a tracker and a segmenter, and how many videos the tracker has.
fn engine(sessions: u64) -> (Arc<Engine>, Arc<AtomicUsize>) {
    let ladder = Ladder::embedded()
        .with_flag("--segmenter", "mark.segmenter", "columns")
        .with_flag("--tracker", "track.tracker", "follower")
        .with_flag("--set", "limits.sessions", sessions);
    let mut registry = Registry::default();
    let follower = Follower::default();
    let alive = follower.alive();
    registry
        .add_segmenter(Arc::new(Columns::default()), Provenance::Embedded)
        .unwrap();
    registry
        .add_tracker(Arc::new(follower), Provenance::Embedded)
        .unwrap();
    let engine = Engine::new(ladder.load().unwrap().0, registry).unwrap();
    (Arc::new(engine), alive)
}

fn params(params: Value) -> Params {
    serde_json::from_value(params).unwrap()
}

async fn open(engine: &Arc<Engine>, tracker: Option<&str>, said: Value) -> Result<TrackSession> {
    let request = TrackRequest {
        tracker: tracker.map(str::to_owned),
        params: params(said),
    };
    engine.track(request, &Cancellation::new()).await
}

fn frame(index: u64, hints: Vec<ObjectHints>) -> TrackFrame {
    TrackFrame {
        image: RgbImage::new(WIDTH, 8).into(),
        index,
        count: None,
        is_backward: false,
        hints,
    }
}

fn boxed(object: u64, x: f64) -> ObjectHints {
    let bbox = BoxHint {
        x,
        y: 1.0,
        width: 3.0,
        height: 4.0,
    };
    ObjectHints {
        object,
        hints: Hints {
            boxes: vec![bbox],
            ..Hints::default()
        },
        remove: false,
    }
}

async fn see(session: &mut TrackSession, frame: TrackFrame) -> Result<Vec<(u64, BBox)>> {
    let seen = session.frame(frame, &Cancellation::new()).await?;
    let told = |tracked: Tracked| (tracked.object, tracked.region.bbox());
    Ok(seen.tracked.into_iter().map(told).collect())
}

fn at(x: u32) -> BBox {
    BBox::new(x, 1, 3, 4)
}

#[tokio::test]
async fn a_session_is_one_video_and_ends_with_it() {
    let (engine, alive) = engine(8);
    let mut one = open(&engine, None, json!({})).await.unwrap();
    let mut other = open(&engine, None, json!({})).await.unwrap();
    assert_eq!(one.tracker().segmenter, "follower");
    assert_eq!(
        see(&mut one, frame(0, vec![boxed(3, 5.0)])).await.unwrap(),
        [(3, at(5))]
    );
    assert_eq!(see(&mut other, frame(0, vec![])).await.unwrap(), []);
    assert_eq!(
        see(&mut one, frame(2, vec![boxed(9, 5.0)])).await.unwrap(),
        [(3, at(7)), (9, at(5))]
    );
    assert_eq!(alive.load(Ordering::SeqCst), 2);
    drop((one, other));
    let patience = Instant::now() + Duration::from_secs(5);
    while alive.load(Ordering::SeqCst) > 0 {
        assert!(Instant::now() < patience, "an instance stays");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn sessions_have_a_limit_and_free_their_places() {
    let (engine, _) = engine(1);
    let first = open(&engine, None, json!({})).await.unwrap();
    let error = open(&engine, None, json!({})).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Exhausted);
    assert!(
        error.is_passing() && error.message().contains("limits.sessions"),
        "{error}"
    );
    drop(first);
    assert!(open(&engine, None, json!({})).await.is_ok());
}

#[tokio::test]
async fn what_is_wrong_with_a_frame_leaves_no_trace() {
    let (engine, _) = engine(8);
    let mut video = open(&engine, None, json!({})).await.unwrap();
    see(&mut video, frame(0, vec![boxed(3, 5.0)]))
        .await
        .unwrap();
    let small = TrackFrame {
        image: RgbImage::new(5, 5).into(),
        ..frame(1, vec![])
    };
    let point = PointHint {
        x: 1.0,
        y: 1.0,
        label: 1,
    };
    let pointed = ObjectHints {
        object: 3,
        hints: Hints {
            points: vec![point],
            ..Hints::default()
        },
        remove: false,
    };
    for (wrong, kind, told) in [
        (
            small,
            ErrorKind::Invalid,
            "frame 1 is 5x5, but the video's first was 24x8",
        ),
        (
            frame(1, vec![pointed]),
            ErrorKind::Unsupported,
            "it takes no points as hints",
        ),
        (
            frame(1, vec![boxed(3, 90.0)]),
            ErrorKind::Invalid,
            "lies outside the image",
        ),
    ] {
        let error = see(&mut video, wrong).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(told), "{error}");
    }
    assert_eq!(
        see(&mut video, frame(1, vec![])).await.unwrap(),
        [(3, at(6))]
    );
}

#[tokio::test]
async fn a_frame_that_is_called_off_ends_soon_and_the_video_goes_on() {
    let (engine, _) = engine(8);
    let mut video = open(&engine, None, json!({"sleep_ms": 60_000}))
        .await
        .unwrap();
    let started = Instant::now();
    let brief = Cancellation::new().with_timeout(Duration::from_millis(50));
    let error = video.frame(frame(0, vec![]), &brief).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(started.elapsed() < Duration::from_secs(5));
    // Dropped, a frame is called off as well.
    let never = Cancellation::new();
    let dropped = tokio::time::timeout(
        Duration::from_millis(50),
        video.frame(frame(0, vec![]), &never),
    );
    assert!(dropped.await.is_err());
    let brief = Cancellation::new().with_timeout(Duration::from_millis(50));
    let error = video.frame(frame(0, vec![]), &brief).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

#[tokio::test]
async fn a_tracker_that_breaks_ends_its_video_alone() {
    let (engine, _) = engine(8);
    for (fail, told) in [
        ("panic", "tracker \"follower\": panicked"),
        ("internal", "its state is gone"),
    ] {
        let mut video = open(&engine, None, json!({"fail": fail})).await.unwrap();
        let mut other = open(&engine, None, json!({})).await.unwrap();
        let error = see(&mut video, frame(0, vec![])).await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Internal, told));
        let error = see(&mut video, frame(1, vec![])).await.unwrap_err();
        assert!(
            error
                .message()
                .starts_with("the video ended when its tracker failed"),
            "{error}"
        );
        assert_eq!(
            see(&mut other, frame(0, vec![boxed(1, 2.0)]))
                .await
                .unwrap(),
            [(1, at(2))]
        );
    }
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused() {
    let (engine, _) = engine(8);
    for (tracker, said, kind, told) in [
        (
            Some("nobody"),
            json!({}),
            ErrorKind::NotFound,
            "tracker \"nobody\" does not exist",
        ),
        (
            None,
            json!({"speed": 1}),
            ErrorKind::Invalid,
            "unknown parameter \"speed\"",
        ),
        (
            None,
            json!({"hints": []}),
            ErrorKind::Invalid,
            "hints belong to frames",
        ),
        (
            Some("columns"),
            json!({"count": -1}),
            ErrorKind::Invalid,
            "count",
        ),
    ] {
        let error = open(&engine, tracker, said).await.err().unwrap();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(told), "{error}");
    }
}

#[tokio::test]
async fn a_segmenter_is_carried() {
    let (engine, _) = engine(8);
    let mut video = open(&engine, Some("columns"), json!({"count": 3}))
        .await
        .unwrap();
    assert_eq!(video.tracker().segmenter, "columns");
    let columns = [0, 8, 16].map(|x| BBox::new(x, 0, 8, 8));
    for index in 0..3 {
        let seen = see(&mut video, frame(index, vec![])).await.unwrap();
        assert_eq!(seen, [(1, columns[0]), (2, columns[1]), (3, columns[2])]);
    }
    // It takes no hints, so nothing can be pointed at.
    let error = see(&mut video, frame(3, vec![boxed(9, 0.0)])).await;
    assert!(error.is_ok() || error.unwrap_err().kind() == ErrorKind::Unsupported);
}
