//! Track: sessions over gRPC, their order, failures and ends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{Stream, StreamExt as _, stream};
use serde_json::json;
use som_core::{BBox, Size};
use som_engine::{
    Engine,
    registry::{Provenance, Registry},
};
use som_plugin::host;
use som_proto::{
    params,
    pb::v1::{self as pb, TrackRequest, track_request, track_response::Part},
    track,
};
use som_server::{Ended, Role};
use som_test::{Columns, Follower};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming};

use crate::support::{Running, image, settings, som};

/// A server with a tracker, and how many videos it has.
async fn server(toml: &str) -> (Running, Arc<AtomicUsize>) {
    let mut settings = settings(toml);
    settings.server.listen = "127.0.0.1:0".into();
    settings.mark.segmenter = "columns".into();
    settings.track.tracker = "follower".into();
    let mut registry = Registry::default();
    let styles = host::adopt(som_marks::PLUGIN).unwrap();
    registry.add_plugin(styles, &Provenance::Embedded).unwrap();
    registry
        .add_segmenter(Arc::new(Columns::default()), Provenance::Embedded)
        .unwrap();
    let follower = Follower::default();
    let alive = follower.alive();
    registry
        .add_tracker(Arc::new(follower), Provenance::Embedded)
        .unwrap();
    let engine = Arc::new(Engine::new(settings, registry).unwrap());
    (Running::start(engine, Role::Front).await, alive)
}

fn start(said: serde_json::Value, format: pb::PictureFormat) -> TrackRequest {
    let start = pb::TrackStart {
        params: Some(params::to_wire(&serde_json::from_value(said).unwrap())),
        format: format.into(),
        ..pb::TrackStart::default()
    };
    TrackRequest {
        part: Some(track_request::Part::Start(start)),
    }
}

fn frame(index: u64, boxes: &[(u64, f64)]) -> TrackRequest {
    let hints = boxes.iter().map(|&(object, x)| {
        let hints = json!({"boxes": [{"x": x, "y": 1, "width": 3, "height": 4}]});
        pb::ObjectHints {
            object,
            hints: Some(params::to_wire(hints.as_object().unwrap())),
            remove: false,
        }
    });
    let frame = pb::TrackFrame {
        image: Some(image()),
        index,
        hints: hints.collect(),
        ..pb::TrackFrame::default()
    };
    TrackRequest {
        part: Some(track_request::Part::Frame(frame)),
    }
}

async fn open(
    server: &Running,
    requests: impl Stream<Item = TrackRequest> + Send + 'static,
) -> Streaming<pb::TrackResponse> {
    som(server)
        .await
        .track(requests)
        .await
        .unwrap()
        .into_inner()
}

async fn next(answers: &mut Streaming<pb::TrackResponse>) -> Part {
    answers.message().await.unwrap().unwrap().part.unwrap()
}

/// The objects of an answer and their boxes.
fn objects(part: &Part) -> Vec<(u64, BBox)> {
    let Part::Frame(frame) = part else {
        panic!("{part:?} is no frame")
    };
    let objects = frame.objects.iter().cloned();
    objects
        .map(|object| {
            let tracked = track::from_wire(object, Size::new(12, 8)).unwrap();
            (tracked.object, tracked.region.bbox())
        })
        .collect()
}

async fn all_end(alive: &AtomicUsize) {
    let patience = Instant::now() + Duration::from_secs(5);
    while alive.load(Ordering::SeqCst) > 0 {
        assert!(Instant::now() < patience, "a video stays open");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn frames_are_answered_in_order_with_marks_that_stay() {
    let (server, alive) = server("").await;
    let requests = [
        start(json!({}), pb::PictureFormat::Raw),
        frame(0, &[(7, 1.0)]),
        frame(1, &[(300, 6.0)]),
        frame(2, &[]),
    ];
    let mut answers = open(&server, stream::iter(requests)).await;
    let Part::Started(started) = next(&mut answers).await else {
        panic!("not started")
    };
    assert_eq!(started.tracker.unwrap().segmenter, "follower");
    let mut colors = Vec::new();
    for expected in [vec![(7, 1)], vec![(7, 2), (300, 6)], vec![(7, 3), (300, 7)]] {
        let part = next(&mut answers).await;
        let boxes = expected
            .iter()
            .map(|&(object, x)| (object, BBox::new(x, 1, 3, 4)));
        assert_eq!(objects(&part), boxes.collect::<Vec<_>>());
        let Part::Frame(frame) = part else {
            unreachable!()
        };
        let ids: Vec<u64> = frame.marks.iter().map(|mark| mark.id.into()).collect();
        assert_eq!(
            ids,
            expected
                .iter()
                .map(|(object, _)| *object)
                .collect::<Vec<_>>()
        );
        assert!(!frame.picture.unwrap().data.is_empty());
        colors.push(frame.marks[0].color);
    }
    assert_eq!(colors, [colors[0]; 3]);
    assert!(answers.message().await.unwrap().is_none());
    all_end(&alive).await;
}

#[tokio::test]
async fn what_is_wrong_ends_the_session() {
    let (server, alive) = server("").await;
    let none = pb::PictureFormat::None;
    let started = || start(json!({}), none);
    for (requests, code, told) in [
        (
            vec![frame(0, &[])],
            Code::InvalidArgument,
            "the first message has to be start",
        ),
        (
            vec![started(), started()],
            Code::InvalidArgument,
            "start came before",
        ),
        (
            vec![TrackRequest { part: None }],
            Code::InvalidArgument,
            "neither start nor frame is set",
        ),
        (
            vec![start(json!({"speed": 1}), none)],
            Code::InvalidArgument,
            "unknown parameter",
        ),
        (
            vec![started(), frame(0, &[(0, 1.0)])],
            Code::InvalidArgument,
            "object 0 is none",
        ),
        (
            vec![started(), frame(0, &[(1, 90.0)])],
            Code::InvalidArgument,
            "lies outside",
        ),
        (
            vec![start(json!({"fail": "no"}), none), frame(0, &[])],
            Code::InvalidArgument,
            "no",
        ),
        (
            vec![start(json!({"fail": "panic"}), none), frame(0, &[])],
            Code::Internal,
            "panicked",
        ),
    ] {
        let answers = open(&server, stream::iter(requests)).await;
        let last = answers.collect::<Vec<_>>().await.pop().unwrap();
        let status = last.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().contains(told), "{status}");
    }
    all_end(&alive).await;
}

#[tokio::test]
async fn sessions_have_a_limit() {
    let (server, _) = server("[limits]\nsessions = 1").await;
    let (sender, requests) = mpsc::channel(1);
    sender
        .send(start(json!({}), pb::PictureFormat::None))
        .await
        .unwrap();
    let mut first = open(&server, ReceiverStream::new(requests)).await;
    next(&mut first).await;
    let requests = [start(json!({}), pb::PictureFormat::None)];
    let mut second = open(&server, stream::iter(requests)).await;
    let status = second.message().await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.message().contains("limits.sessions"), "{status}");
}

#[tokio::test]
async fn a_session_that_is_dropped_ends_its_video() {
    let (server, alive) = server("").await;
    let (sender, requests) = mpsc::channel(1);
    sender
        .send(start(json!({"sleep_ms": 60_000}), pb::PictureFormat::None))
        .await
        .unwrap();
    let mut answers = open(&server, ReceiverStream::new(requests)).await;
    next(&mut answers).await;
    sender.send(frame(0, &[])).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(alive.load(Ordering::SeqCst), 1);
    drop((sender, answers));
    all_end(&alive).await;
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_not_read_from_and_one_that_sends_nothing_is_let_go() {
    let (server, alive) = server("[server]\nidle_ms = 300").await;
    let (sender, requests) = mpsc::channel(1);
    sender
        .send(start(json!({}), pb::PictureFormat::None))
        .await
        .unwrap();
    let mut answers = open(&server, ReceiverStream::new(requests)).await;
    next(&mut answers).await;
    let status = answers.message().await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(
        status.message().contains("sent no frame for 300 ms"),
        "{status}"
    );
    all_end(&alive).await;
}

#[tokio::test]
async fn a_server_that_shuts_down_ends_its_sessions() {
    let (server, alive) = server("").await;
    let (sender, requests) = mpsc::channel(1);
    sender
        .send(start(json!({}), pb::PictureFormat::None))
        .await
        .unwrap();
    let mut answers = open(&server, ReceiverStream::new(requests)).await;
    next(&mut answers).await;
    let ended = tokio::spawn(server.stop());
    let status = answers.message().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(ended.await.unwrap(), Ended::Drained);
    all_end(&alive).await;
}
