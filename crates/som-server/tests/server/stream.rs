//! MarkStream: order, failures, back-pressure, ends.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use futures_util::{Stream, StreamExt as _, stream};
use serde_json::json;
use som_proto::{
    codec::Codec,
    params,
    pb::v1::{self as pb, MarkStreamRequest, mark_stream_response::Outcome},
    region,
};
use som_server::{Ended, Role};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Streaming};

use crate::{
    som::picture,
    support::{Columns, Running, channel, engine, front, som, until},
};

/// Asks for as many marks as `count`, with a picture.
fn asking(params: serde_json::Value) -> MarkStreamRequest {
    let pixels = picture();
    let size = som_core::Size::new(pixels.width(), pixels.height());
    let raw = pb::RawImage {
        size: Some(region::size_to_wire(size)),
        pixels: pixels.into_raw().into(),
    };
    let mark = pb::MarkRequest {
        image: Some(pb::Image {
            content: Some(pb::image::Content::Raw(raw)),
        }),
        params: Some(params::to_wire(&serde_json::from_value(params).unwrap())),
        format: pb::PictureFormat::Raw.into(),
        ..pb::MarkRequest::default()
    };
    MarkStreamRequest { mark: Some(mark) }
}

async fn open(
    server: &Running,
    requests: impl Stream<Item = MarkStreamRequest> + Send + 'static,
) -> Streaming<pb::MarkStreamResponse> {
    let answers = som(server).await.mark_stream(requests).await;
    answers.unwrap().into_inner()
}

/// A stream whose requests come one by one.
async fn open_slowly(
    server: &Running,
) -> (
    mpsc::Sender<MarkStreamRequest>,
    Streaming<pb::MarkStreamResponse>,
) {
    let (sender, requests) = mpsc::channel(1);
    (sender, open(server, ReceiverStream::new(requests)).await)
}

/// The number of marks of an answer, or the code of its failure.
fn outcome(answer: pb::MarkStreamResponse) -> Result<usize, (Code, String)> {
    match answer.outcome.unwrap() {
        Outcome::Mark(mark) => {
            assert_eq!(mark.pages.len(), 1);
            Ok(mark.marks.len())
        }
        Outcome::Failure(failure) => Err((failure.code.into(), failure.message)),
    }
}

#[tokio::test]
async fn a_failure_says_whether_to_try_again() {
    let (server, _) = front("[segmenter.columns]\ninstances = 1\nqueue = 1").await;
    let wrong = asking(json!({"count": "many"}));
    let slow = (0..4).map(|_| asking(json!({"sleep_ms": 200})));
    let answers = open(&server, stream::iter([wrong]).chain(stream::iter(slow))).await;
    let outcomes = answers.map(|answer| answer.unwrap().outcome.unwrap());
    let outcomes: Vec<Outcome> = outcomes.collect().await;
    let mut delays = outcomes.into_iter().filter_map(|outcome| match outcome {
        Outcome::Mark(_) => None,
        Outcome::Failure(failure) => Some((Code::from(failure.code), failure.retry_delay)),
    });
    assert_eq!(delays.next(), Some((Code::InvalidArgument, None)));
    let full: Vec<_> = delays.collect();
    assert!((1..4).contains(&full.len()), "{full:?}");
    for (code, delay) in full {
        assert_eq!(code, Code::ResourceExhausted);
        assert!(delay.is_some());
    }
}

#[tokio::test]
async fn answers_come_in_the_order_of_the_requests() {
    let (server, _) = front("[segmenter.columns]\ninstances = 4").await;
    // The first ones take longest, and the client has said all it has to say before they are done.
    let requests = (0..12).map(|count| asking(json!({"count": count, "sleep_ms": 60 - 5 * count})));
    let answers = open(&server, stream::iter(requests)).await;
    let answers: Vec<_> = answers.map(Result::unwrap).collect().await;
    let indices: Vec<u64> = answers.iter().map(|answer| answer.index).collect();
    assert_eq!(indices, (0..12).collect::<Vec<u64>>());
    let counts: Vec<_> = answers.into_iter().map(outcome).collect();
    assert_eq!(counts, (0..12).map(Ok).collect::<Vec<_>>());
}

#[tokio::test]
async fn requests_are_worked_on_side_by_side() {
    let (server, _) = front("[segmenter.columns]\ninstances = 4").await;
    let started = Instant::now();
    let requests = (0..4).map(|_| asking(json!({"sleep_ms": 300})));
    let answers = open(&server, stream::iter(requests)).await;
    assert_eq!(answers.count().await, 4);
    // One after the other they would sleep for 1.2 s.
    assert!(started.elapsed() < Duration::from_millis(1100));
}

#[tokio::test]
async fn a_failure_is_an_answer_like_others() {
    let (server, _) = front("[server]\nmetrics = '127.0.0.1:0'").await;
    let requests = vec![
        asking(json!({})),
        asking(json!({"count": "three"})),
        MarkStreamRequest { mark: None },
        asking(json!({"fail": "panic"})),
        asking(json!({"fail": "not today"})),
        asking(json!({"count": 2})),
    ];
    let answers = open(&server, stream::iter(requests)).await;
    let outcomes: Vec<_> = answers
        .map(|answer| outcome(answer.unwrap()))
        .collect()
        .await;
    let codes: Vec<_> = outcomes
        .iter()
        .map(|outcome| outcome.as_ref().map_err(|(code, _)| *code).copied())
        .collect();
    assert_eq!(
        codes,
        [
            Ok(3),
            Err(Code::InvalidArgument),
            Err(Code::InvalidArgument),
            Err(Code::Internal),
            Err(Code::Unimplemented),
            Ok(2)
        ]
    );
    assert!(outcomes[1].as_ref().unwrap_err().1.contains("count"));
    assert_eq!(outcomes[2].as_ref().unwrap_err().1, "mark is not set");
    let page = crate::support::page(server.metrics.unwrap()).await;
    assert!(
        page.contains("som_errors_total{kind=\"invalid\"} 2"),
        "{page}"
    );
}

#[tokio::test]
async fn a_malformed_message_ends_the_stream_after_what_came_before() {
    let (server, _) = front("").await;
    let mut grpc =
        tonic::client::Grpc::new(channel(&server).await).max_decoding_message_size(usize::MAX);
    grpc.ready().await.unwrap();
    // Field 1 holds a text where a request has its image.
    let text = pb::Descriptor {
        id: "no request at all".into(),
        ..pb::Descriptor::default()
    };
    let mut answers = grpc
        .streaming(
            Request::new(stream::iter([pb::Descriptor::default(), text])),
            "/som.v1.SomService/MarkStream".parse().unwrap(),
            Codec::<pb::Descriptor, pb::MarkStreamResponse>::default(),
        )
        .await
        .unwrap()
        .into_inner();
    let first = outcome(answers.message().await.unwrap().unwrap());
    assert_eq!(first.unwrap_err().1, "mark is not set");
    let status = answers.message().await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(
        status.message().starts_with("malformed message: "),
        "{status}"
    );
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_not_read_from() {
    let columns = Columns::default();
    let calls = columns.calls();
    let server = Running::start(engine("", columns).unwrap(), Role::Front).await;
    let requests = (0..120).map(|_| asking(json!({})));
    let answers = open(&server, stream::iter(requests)).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    // Some answers fill the buffers of the connection.
    let begun = calls.load(Ordering::Relaxed);
    assert!((1..60).contains(&begun), "{begun} of 120 begun");
    assert_eq!(answers.count().await, 120);
    assert_eq!(calls.load(Ordering::Relaxed), 120);
}

#[tokio::test]
async fn a_stream_that_is_dropped_calls_its_work_off() {
    let (server, _) = front("").await;
    let (sender, answers) = open_slowly(&server).await;
    for _ in 0..3 {
        sender
            .send(asking(json!({"sleep_ms": 60_000})))
            .await
            .unwrap();
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop((sender, answers));
    // The only instance is free again.
    let answers = open(&server, stream::iter([asking(json!({}))])).await;
    assert_eq!(answers.count().await, 1);
}

#[tokio::test]
async fn each_request_has_the_servers_deadline() {
    let (server, _) = front("[server]\ndeadline_ms = 200").await;
    let slow = || asking(json!({"sleep_ms": 60_000}));
    let requests = [slow(), asking(json!({})), slow(), asking(json!({}))];
    let answers = open(&server, stream::iter(requests)).await;
    let codes: Vec<_> = answers
        .map(|answer| outcome(answer.unwrap()).map_err(|(code, _)| code))
        .collect()
        .await;
    // The second one has waited for the first one.
    assert_eq!(codes[0], Err(Code::DeadlineExceeded));
    assert_eq!(codes[2], Err(Code::DeadlineExceeded));
}

#[tokio::test]
async fn the_deadline_of_the_call_ends_the_stream() {
    let (server, _) = front("").await;
    let (sender, requests) = mpsc::channel::<MarkStreamRequest>(1);
    let mut request = Request::new(ReceiverStream::new(requests));
    let timeout = "150m".parse().unwrap();
    // Written by hand, so that the client's own clock does not end it.
    request.metadata_mut().insert("grpc-timeout", timeout);
    let answers = som(&server).await.mark_stream(request).await.unwrap();
    let status = answers.into_inner().message().await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(
        status.message().contains("deadline of the call"),
        "{status}"
    );
    drop(sender);
}

#[tokio::test]
async fn a_stream_waits_for_its_client_only_so_long() {
    let (server, _) = front("[server]\nidle_ms = 200").await;
    let (sender, mut answers) = open_slowly(&server).await;
    // Work that takes longer than that is not the client's fault.
    sender.send(asking(json!({"sleep_ms": 500}))).await.unwrap();
    assert_eq!(outcome(answers.message().await.unwrap().unwrap()), Ok(3));
    let status = answers.message().await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(status.message().contains("sent no request"), "{status}");
    drop(sender);
}

#[tokio::test]
async fn a_client_that_takes_no_answer_gives_its_place_up() {
    let (server, _) = front("[server]\nidle_ms = 200\ncalls = 1").await;
    let requests = (0..60).map(|_| asking(json!({})));
    let answers = open(&server, stream::iter(requests)).await;
    let other = som(&server).await;
    let mark = asking(json!({})).mark.unwrap();
    until("the place is free", async || {
        other.clone().mark(mark.clone()).await.is_ok()
    })
    .await;
    let answers: Vec<_> = answers.collect().await;
    let status = answers.into_iter().next_back().unwrap().unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(status.message().contains("took no answer"), "{status}");
}

#[tokio::test]
async fn a_shutdown_finishes_what_was_begun_and_says_so() {
    let (server, _) = front("").await;
    let (sender, mut answers) = open_slowly(&server).await;
    sender.send(asking(json!({"sleep_ms": 300}))).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let stopped = tokio::spawn(server.stop());
    assert_eq!(outcome(answers.message().await.unwrap().unwrap()), Ok(3));
    let status = answers.message().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("shuts down"), "{status}");
    assert_eq!(stopped.await.unwrap(), Ended::Drained);
    drop(sender);
}
