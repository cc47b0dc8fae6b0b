//! More clients than there is room for: what each of them is told, and that nobody else notices.

use std::time::{Duration, Instant};

use serde_json::json;
use som_core::task::Task;
use som_proto::{
    ask,
    pb::v1::{self as pb, compare_response::Outcome},
    status,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{
    som::{mark_png, png, wire},
    support::{backend, channel, front, page, segment, som, until},
};

/// So many rows that ask the same of one image, cut with these parameters.
fn comparison(rows: usize, params: serde_json::Value) -> pb::CompareRequest {
    let task = Task::Ask {
        question: "which one is left?".to_owned(),
    };
    pb::CompareRequest {
        ask: Some(pb::AskRequest {
            images: vec![pb::AskImage {
                image: png(),
                params: wire(params),
                ..pb::AskImage::default()
            }],
            task: Some(ask::task_to_wire(&task)),
            format: pb::PictureFormat::None.into(),
            ..pb::AskRequest::default()
        }),
        rows: vec![pb::CompareRow::default(); rows],
    }
}

/// As many rows as are allowed, over a queue that holds fewer: with the settings as they are.
#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_rows_are_answered_on_default_settings() {
    let (server, _) = front("").await;
    let request = comparison(64, json!({"sleep_ms": 5}));
    let mut rows = som(&server)
        .await
        .compare(request)
        .await
        .unwrap()
        .into_inner();
    let mut answered = [false; 64];
    while let Some(row) = rows.message().await.unwrap() {
        assert!(matches!(row.outcome, Some(Outcome::Answer(_))), "{row:?}");
        answered[row.row as usize] = true;
    }
    assert_eq!(answered, [true; 64]);
}

/// A full queue refuses rows one by one: those that are in it, and those that come later, go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_refused_calls_off_itself_alone() {
    let (server, _) = front("[segmenter.columns]\nqueue = 1").await;
    let mut request = comparison(12, json!({}));
    // An image is cut once for rows that cut it alike: these do not.
    for (row, sleep) in request.rows.iter_mut().zip(100..) {
        row.params = wire(json!({"sleep_ms": sleep}));
    }
    let mut rows = som(&server)
        .await
        .compare(request)
        .await
        .unwrap()
        .into_inner();
    let (mut answered, mut refused) = (0, 0);
    while let Some(row) = rows.message().await.unwrap() {
        match row.outcome.unwrap() {
            Outcome::Answer(_) => answered += 1,
            Outcome::Failure(failure) => {
                assert_eq!(
                    failure.code,
                    i32::from(Code::ResourceExhausted),
                    "{failure:?}"
                );
                assert!(failure.retry_delay.is_some(), "{failure:?}");
                refused += 1;
            }
        }
    }
    assert_eq!(answered + refused, 12);
    assert!(
        answered >= 1 && refused >= 1,
        "{answered} answered, {refused} refused"
    );
}

/// A call that a full queue refuses leaves those before it alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_refused_calls_off_itself_alone() {
    let (server, _) = front("[segmenter.columns]\nqueue = 1").await;
    let client = som(&server).await;
    let call = |sleep: u32| {
        let (params, mut client) = (wire(json!({"sleep_ms": sleep})), client.clone());
        async move {
            let request = pb::MarkRequest {
                params,
                ..mark_png()
            };
            client.mark(request).await.map(drop)
        }
    };
    let (first, second) = (tokio::spawn(call(300)), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        tokio::spawn(call(1)).await
    });
    let refused = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        call(1).await
    };
    let (first, second, refused) = tokio::join!(first, second, refused);
    assert!(first.unwrap().is_ok() && second.unwrap().is_ok());
    assert_eq!(refused.unwrap_err().code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn health_is_told_while_all_places_are_taken() {
    let server = backend("[server]\nconnections = 2\nmetrics = '127.0.0.1:0'").await;
    // Two clients that stay.
    let (first, second) = (channel(&server).await, channel(&server).await);
    for channel in [&first, &second] {
        assert_eq!(
            segment(channel, crate::support::wire(json!({})))
                .await
                .unwrap(),
            3
        );
    }
    let third = channel(&server).await;
    let mut health = HealthClient::new(third.clone());
    let health = health.check(HealthCheckRequest::default());
    assert_eq!(health.await.unwrap().into_inner().status, 1);
    let status = segment(&third, crate::support::wire(json!({})))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    assert!(status.message().contains("server.connections"), "{status}");
    assert!(status::retry_delay(&status).is_some());
    let page = page(server.metrics.unwrap()).await;
    assert!(page.contains("som_connections 3"), "{page}");
    assert!(page.contains("som_connections_full_total 1"), "{page}");
    // A place that becomes free is his.
    drop(first);
    until("the third is let in", async || {
        segment(&third, crate::support::wire(json!({})))
            .await
            .is_ok()
    })
    .await;
}

#[tokio::test]
async fn half_requests_to_the_metrics_page_hold_nobody_up() {
    let server = backend("[server]\nmetrics = '127.0.0.1:0'\nmetrics_connections = 4").await;
    let metrics = server.metrics.unwrap();
    let mut held = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(metrics).await.unwrap();
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: ")
            .await
            .unwrap();
        held.push(stream);
    }
    assert!(page(metrics).await.contains("som_calls_in_progress"));
    assert_eq!(
        segment(&channel(&server).await, crate::support::wire(json!({})))
            .await
            .unwrap(),
        3
    );
    // The oldest were ended.
    let mut end = [0; 64];
    let read = tokio::time::timeout(Duration::from_secs(5), held[0].read(&mut end)).await;
    assert!(!read.unwrap().is_ok_and(|count| count > 0), "{end:?}");
}

/// Reads until the server ends the connection, and says whether it said goodbye (GOAWAY).
async fn goodbye(stream: &mut TcpStream) -> bool {
    let (mut all, mut bytes) = (Vec::new(), [0; 1024]);
    let read = async {
        while let Ok(count @ 1..) = stream.read(&mut bytes).await {
            all.extend(&bytes[..count]);
        }
    };
    tokio::time::timeout(Duration::from_secs(5), read)
        .await
        .unwrap();
    let mut rest = all.as_slice();
    while let Some((head, after)) = rest.split_at_checked(9) {
        if head[3] == 7 {
            return true;
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        rest = after.get(length..).unwrap_or_default();
    }
    false
}

#[tokio::test]
async fn idle_and_old_connections_are_ended_with_word() {
    for limit in ["connection_idle_ms = 200", "connection_age_ms = 200"] {
        let server = backend(&format!("[server]\n{limit}\nconnection_grace_ms = 300")).await;
        let mut stream = TcpStream::connect(&server.address).await.unwrap();
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
        stream.write_all(preface).await.unwrap();
        assert!(goodbye(&mut stream).await, "{limit}");
        // Clients connect again, and no call is lost.
        let channel = channel(&server).await;
        for _ in 0..5 {
            assert_eq!(
                segment(&channel, crate::support::wire(json!({})))
                    .await
                    .unwrap(),
                3
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test]
async fn a_call_in_progress_outlives_the_age_of_its_connection() {
    let server = backend("[server]\nconnection_age_ms = 100\nconnection_grace_ms = 5000").await;
    let started = Instant::now();
    let params = crate::support::wire(json!({"sleep_ms": 500}));
    assert_eq!(segment(&channel(&server).await, params).await.unwrap(), 3);
    assert!(started.elapsed() >= Duration::from_millis(500));
}
