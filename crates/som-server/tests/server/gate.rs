//! Tokens, limits, deadlines, request ids, metrics.

use std::{io::Write as _, time::Duration};

use serde_json::json;
use som_proto::{pb::plugin::v1 as pb, status};
use tonic::{Code, Request};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::support::{backend, channel, page, segment, until, wire};

const TOKEN: &str = "0123456789abcdef";

/// A backend that wants the token, with `more` in the token's table.
async fn guarded(more: &str) -> (crate::support::Running, tempfile::NamedTempFile) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "{TOKEN}").unwrap();
    let toml = format!("[server.token.alice]\nfile = {:?}\n{more}", file.path());
    (backend(&toml).await, file)
}

fn with_token(token: &str, params: serde_json::Value) -> Request<pb::SegmentRequest> {
    let mut request = Request::new(wire(params));
    request
        .metadata_mut()
        .insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

#[tokio::test]
async fn only_the_right_token_gets_in() {
    let (server, _file) = guarded("").await;
    let channel = channel(&server).await;
    assert_eq!(
        segment(&channel, with_token(TOKEN, json!({})))
            .await
            .unwrap(),
        3
    );
    let missing = segment(&channel, wire(json!({}))).await.unwrap_err();
    let wrong = segment(&channel, with_token("0123456789abcdeF", json!({})))
        .await
        .unwrap_err();
    let mut scheme = Request::new(wire(json!({})));
    scheme
        .metadata_mut()
        .insert("authorization", format!("Basic {TOKEN}").parse().unwrap());
    let scheme = segment(&channel, scheme).await.unwrap_err();
    for (status, why) in [(missing, "needed"), (wrong, "wrong"), (scheme, "wrong")] {
        assert_eq!(status.code(), Code::Unauthenticated);
        assert!(status.message().contains(why), "{status}");
        assert!(!status.message().contains("0123"), "{status}");
    }
}

#[tokio::test]
async fn health_needs_no_token() {
    let (server, _file) = guarded("").await;
    let mut client = HealthClient::new(channel(&server).await);
    let answer = client.check(HealthCheckRequest::default()).await.unwrap();
    assert_eq!(answer.into_inner().status, 1);
}

#[tokio::test]
async fn an_owner_has_so_many_calls_at_a_time() {
    let (server, _file) = guarded("calls = 1").await;
    let channel = channel(&server).await;
    let slow = tokio::spawn({
        let channel = channel.clone();
        async move { segment(&channel, with_token(TOKEN, json!({"sleep_ms": 400}))).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let refused = segment(&channel, with_token(TOKEN, json!({})))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(refused.message().contains("alice"), "{refused}");
    assert!(status::retry_delay(&refused).is_some());
    assert_eq!(slow.await.unwrap().unwrap(), 3);
    assert_eq!(
        segment(&channel, with_token(TOKEN, json!({})))
            .await
            .unwrap(),
        3
    );
}

#[tokio::test]
async fn the_server_has_so_many_calls_at_a_time() {
    let server = backend("[server]\ncalls = 1").await;
    let channel = channel(&server).await;
    let slow = tokio::spawn({
        let channel = channel.clone();
        async move { segment(&channel, wire(json!({"sleep_ms": 400}))).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let refused = segment(&channel, wire(json!({}))).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(refused.message().contains("server.calls"), "{refused}");
    assert!(slow.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_full_queue_is_exhausted_with_a_hint() {
    let server = backend("[segmenter.columns]\nqueue = 1").await;
    let channel = channel(&server).await;
    let calls: Vec<_> = (0..6)
        .map(|_| {
            let channel = channel.clone();
            tokio::spawn(async move { segment(&channel, wire(json!({"sleep_ms": 100}))).await })
        })
        .collect();
    let mut refused = 0;
    for call in calls {
        if let Err(status) = call.await.unwrap() {
            assert_eq!(status.code(), Code::ResourceExhausted);
            assert!(status::retry_delay(&status).is_some_and(|delay| !delay.is_zero()));
            refused += 1;
        }
    }
    assert!((3..6).contains(&refused), "{refused} of 6 refused");
}

#[tokio::test]
async fn the_shorter_deadline_counts() {
    for (toml, timeout) in [
        ("[server]\ndeadline_ms = 150", None),
        (
            "[server]\ndeadline_ms = 150",
            Some(Duration::from_secs(3600)),
        ),
        ("", Some(Duration::from_millis(150))),
    ] {
        let server = backend(toml).await;
        let channel = channel(&server).await;
        let mut request = Request::new(wire(json!({"sleep_ms": 60_000})));
        if let Some(timeout) = timeout {
            request.set_timeout(timeout);
        }
        let status = segment(&channel, request).await.unwrap_err();
        // The client's own clock may be the first to notice.
        assert!(
            [Code::DeadlineExceeded, Code::Cancelled].contains(&status.code()),
            "{status}"
        );
        if timeout.is_none() {
            assert_eq!(status.code(), Code::DeadlineExceeded);
        }
        // The only instance is free again, though it was told to sleep for a minute.
        assert_eq!(segment(&channel, wire(json!({}))).await.unwrap(), 3);
    }
}

#[tokio::test]
async fn a_malformed_timeout_is_refused() {
    let server = backend("").await;
    let channel = channel(&server).await;
    let mut request = Request::new(wire(json!({})));
    request
        .metadata_mut()
        .insert("grpc-timeout", "soon".parse().unwrap());
    let status = segment(&channel, request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("grpc-timeout"), "{status}");
}

#[tokio::test]
async fn request_ids_come_back_if_they_are_fit_for_a_log() {
    let server = backend("").await;
    let mut client =
        pb::segmenter_service_client::SegmenterServiceClient::new(channel(&server).await);
    let mut id_for = async |id: &str| {
        let mut request = Request::new(pb::DescribeRequest {});
        request
            .metadata_mut()
            .insert("x-request-id", id.parse().unwrap());
        let answer = client.describe(request).await.unwrap();
        answer
            .metadata()
            .get("x-request-id")
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(id_for("trace-7.a_b").await, "trace-7.a_b");
    for unfit in ["two words", "", &"x".repeat(65)] {
        let id = id_for(unfit).await;
        assert!(id != unfit && !id.is_empty(), "{unfit:?} became {id:?}");
    }
}

#[tokio::test]
async fn a_panic_costs_one_call() {
    let server = backend("").await;
    let channel = channel(&server).await;
    let status = segment(&channel, wire(json!({"fail": "panic"})))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert_eq!(segment(&channel, wire(json!({}))).await.unwrap(), 3);
}

#[tokio::test]
async fn wrong_requests_are_told_what_is_wrong() {
    let server = backend("").await;
    let channel = channel(&server).await;
    let image = |width, height, bytes: usize| {
        let size = Some(som_proto::pb::v1::Size { width, height });
        Some(som_proto::pb::v1::RawImage {
            size,
            pixels: vec![0; bytes].into(),
        })
    };
    let good = || wire(json!({}));
    for (request, why) in [
        (wire(json!({"count": "three"})), "count"),
        (wire(json!({"count": 1.5})), "count"),
        (wire(json!({"cuont": 3})), "cuont"),
        (
            pb::SegmentRequest {
                image: None,
                ..good()
            },
            "image is not set",
        ),
        (
            pb::SegmentRequest {
                image: image(12, 8, 287),
                ..good()
            },
            "288 bytes",
        ),
        (
            pb::SegmentRequest {
                image: image(0, 8, 0),
                ..good()
            },
            "0x8",
        ),
        (
            pb::SegmentRequest {
                image: image(u32::MAX, u32::MAX, 9),
                ..good()
            },
            "but there are 9",
        ),
    ] {
        let status = segment(&channel, request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        assert!(status.message().contains(why), "{status}");
    }
}

#[tokio::test]
async fn metrics_tell_calls_errors_stages_and_queues() {
    let server = backend("[server]\nmetrics = '127.0.0.1:0'").await;
    let channel = channel(&server).await;
    segment(&channel, wire(json!({}))).await.unwrap();
    segment(&channel, wire(json!({"count": "x"})))
        .await
        .unwrap_err();
    let address = server.metrics.unwrap();
    let rpc = r#"rpc="som.plugin.v1.SegmenterService/Segment""#;
    for line in [
        format!("som_calls_total{{{rpc},code=\"Ok\"}} 1"),
        format!("som_calls_total{{{rpc},code=\"InvalidArgument\"}} 1"),
        format!("som_call_seconds_count{{{rpc}}} 2"),
        r#"som_errors_total{kind="invalid"} 1"#.into(),
        r#"som_stage_seconds_count{stage="segment"} 1"#.into(),
        r#"som_queue_depth{segmenter="columns"} 0"#.into(),
        "som_calls_in_progress 0".into(),
        r#"som_instances_busy{segmenter="columns"} 0"#.into(),
        "som_connections 1".into(),
        "som_build_info{version=".into(),
        "som_process_resident_memory_bytes ".into(),
        "som_process_open_fds ".into(),
    ] {
        until(&line, async || page(address).await.contains(&line)).await;
    }
}
