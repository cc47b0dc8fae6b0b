//! What an operator sees and changes: health, reflection, metrics, settings read again.

use std::io::Write as _;

use serde_json::json;
use som_proto::pb::v1 as pb;
use som_server::{Reloaded, Role, Server};
use tonic::{Code, Request};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::{
    som::mark_png,
    support::{
        Columns, Running, backend, channel, engine, front, page, segment, settings, som, until,
        wire,
    },
};

/// 1 for one that serves, 2 for one that does not.
async fn health(server: &Running, name: &str) -> Result<i32, Code> {
    let mut client = HealthClient::new(channel(server).await);
    let request = HealthCheckRequest {
        service: name.to_owned(),
    };
    let answer = client.check(request).await;
    answer
        .map(|answer| answer.into_inner().status)
        .map_err(|status| status.code())
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told_by_service_and_by_segmenter() {
    let back = backend("").await;
    for name in ["", "som.plugin.v1.SegmenterService", "columns"] {
        assert_eq!(health(&back, name).await, Ok(1), "{name}");
    }
    assert_eq!(
        health(&back, "som.v1.SomService").await,
        Err(Code::NotFound)
    );

    let address = back.address.clone();
    let remote = format!("[segmenter.far]\nremote = ['http://{address}']\nhealth_ms = 200");
    let (server, _) = front(&remote).await;
    for name in ["", "som.v1.SomService", "som.v1.CatalogService", "columns"] {
        until(name, async || health(&server, name).await == Ok(1)).await;
    }
    assert_eq!(health(&server, "nobody").await, Err(Code::NotFound));
    // Not reached before somebody wants it.
    let request = pb::MarkRequest {
        segmenter: "far".into(),
        ..mark_png()
    };
    som(&server).await.mark(request).await.unwrap();
    until("far serves", async || health(&server, "far").await == Ok(1)).await;
    back.stop().await;
    until("far is gone", async || {
        health(&server, "far").await == Ok(2)
    })
    .await;
    assert_eq!(health(&server, "som.v1.SomService").await, Ok(1));
}

#[tokio::test]
async fn reflection_lists_what_is_served() {
    let names = async |server: &Running| {
        let mut client = ServerReflectionClient::new(channel(server).await);
        let request = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::ListServices(String::new())),
        };
        let requests = Request::new(futures_util::stream::iter([request]));
        let mut answers = client
            .server_reflection_info(requests)
            .await
            .unwrap()
            .into_inner();
        let answer = answers.message().await.unwrap().unwrap().message_response;
        let Some(MessageResponse::ListServicesResponse(list)) = answer else {
            panic!("{answer:?}");
        };
        let names = list.service.into_iter().map(|service| service.name);
        let mut names: Vec<String> = names
            .filter(|name| !name.starts_with("grpc.reflection."))
            .collect();
        names.sort();
        names
    };
    let back = backend("").await;
    assert_eq!(
        names(&back).await,
        ["grpc.health.v1.Health", "som.plugin.v1.SegmenterService"]
    );
    let (server, _) = front("").await;
    assert_eq!(
        names(&server).await,
        [
            "grpc.health.v1.Health",
            "som.v1.CatalogService",
            "som.v1.SomService"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_of_endpoints() {
    let back = backend("").await;
    let address = format!("http://{}", back.address);
    let remote = format!(
        "[server]\nmetrics = '127.0.0.1:0'\n[segmenter.far]\nremote = ['{address}']\nhealth_ms = 200"
    );
    let (server, _) = front(&remote).await;
    let request = pb::MarkRequest {
        segmenter: "far".into(),
        ..mark_png()
    };
    som(&server).await.mark(request).await.unwrap();
    let metrics = server.metrics.unwrap();
    let labels = format!("{{segmenter=\"far\",endpoint=\"{address}\"}}");
    for line in [
        format!("som_backend_up{labels} 1"),
        format!("som_backend_breaker_open{labels} 0"),
        format!("som_backend_calls_in_progress{labels} 0"),
        format!("som_backend_latency_seconds{labels} 0."),
    ] {
        until(&line, async || page(metrics).await.contains(&line)).await;
    }
    back.stop().await;
    let line = format!("som_backend_up{labels} 0");
    until(&line, async || page(metrics).await.contains(&line)).await;
}

const TOKEN: &str = "0123456789abcdef";
const OTHER: &str = "fedcba9876543210";

async fn with_token(server: &Running, token: &str) -> Result<usize, Code> {
    let mut request = Request::new(wire(json!({})));
    let value = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", value);
    segment(&channel(server).await, request)
        .await
        .map_err(|status| status.code())
}

#[tokio::test]
async fn settings_are_read_again() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "{TOKEN}").unwrap();
    let alice = |more: &str| format!("[server.token.alice]\nfile = {:?}\n{more}", file.path());
    let toml = alice("calls_per_day = 3");
    let server = Server::bind(
        engine(&toml, Columns::default()).unwrap(),
        Role::Backend("columns".into()),
    )
    .await
    .unwrap();
    let reloader = server.reloader();
    let server = Running::run(server);
    let new = |toml: &str| {
        let mut settings = settings(toml);
        settings.server.listen = "127.0.0.1:0".into();
        settings.mark.segmenter = "columns".into();
        settings
    };
    assert_eq!(with_token(&server, TOKEN).await, Ok(3));
    assert_eq!(reloader.reload(new(&toml)).unwrap(), Reloaded::default());

    // Another token in the same file, and what was spent today counts on.
    std::fs::write(file.path(), OTHER).unwrap();
    reloader.reload(new(&toml)).unwrap();
    assert_eq!(with_token(&server, TOKEN).await, Err(Code::Unauthenticated));
    assert_eq!(with_token(&server, OTHER).await, Ok(3));
    assert_eq!(with_token(&server, OTHER).await, Ok(3));
    assert_eq!(
        with_token(&server, OTHER).await,
        Err(Code::ResourceExhausted)
    );

    // What cannot change is told, and what is wrong changes nothing.
    let changed = alice("calls_per_day = 9") + "\n[server]\ncalls = 7\ndeadline_ms = 1000";
    let expected = Reloaded {
        at_once: vec![
            "server.deadline_ms".to_owned(),
            "server.token.alice.calls_per_day".to_owned(),
        ],
        at_restart: vec!["server.calls".to_owned()],
    };
    assert_eq!(reloader.reload(new(&changed)).unwrap(), expected);
    assert_eq!(with_token(&server, OTHER).await, Ok(3));
    std::fs::write(file.path(), "short").unwrap();
    let error = reloader.reload(new(&changed)).unwrap_err();
    assert!(error.message().contains("server.token.alice"), "{error}");
    assert_eq!(with_token(&server, OTHER).await, Ok(3));
    server.stop().await;
}

#[tokio::test]
async fn a_stream_at_shutdown_is_told_when_to_come_again() {
    let (server, _) = front("").await;
    let mut client = som(&server).await;
    let (requests, receiver) = tokio::sync::mpsc::channel(1);
    let receiver = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let mut answers = client.mark_stream(receiver).await.unwrap().into_inner();
    let request = pb::MarkStreamRequest {
        mark: Some(mark_png()),
    };
    requests.send(request).await.unwrap();
    assert!(answers.message().await.unwrap().is_some());
    let stopping = tokio::spawn(server.stop());
    let status = answers.message().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    assert!(
        som_proto::status::retry_delay(&status).is_some(),
        "{status}"
    );
    drop(requests);
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_unix_socket_takes_a_path_as_authority() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("som.sock");
    let server = backend(&format!("[server]\nlisten = 'unix:{}'", path.display())).await;
    let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
    let authority = path
        .display()
        .to_string()
        .trim_start_matches('/')
        .replace('/', "%2F");
    let mut block = Vec::new();
    for (name, value) in [
        (":path", "/som.plugin.v1.SegmenterService/Describe"),
        (":authority", authority.as_str()),
        (":method", "POST"),
        (":scheme", "http"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ] {
        // A literal with a new name that enters the table, as gRPC's C core writes it.
        block.push(0x40);
        for text in [name, value] {
            assert!(text.len() < 127);
            block.push(text.len() as u8);
            block.extend(text.as_bytes());
        }
    }
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    bytes.extend((block.len() as u32).to_be_bytes()[1..].iter());
    bytes.extend([1, 4, 0, 0, 0, 1]);
    bytes.extend(block);
    // An empty message, and the end.
    bytes.extend([0, 0, 5, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
    tokio::io::AsyncWriteExt::write_all(&mut stream, &bytes)
        .await
        .unwrap();
    let mut answer: Vec<u8> = Vec::new();
    let mut part = [0; 4096];
    while !answer.windows(7).any(|bytes| bytes == b"columns") {
        let count = tokio::io::AsyncReadExt::read(&mut stream, &mut part)
            .await
            .unwrap();
        assert!(count > 0, "the connection ended: {answer:?}");
        answer.extend(&part[..count]);
    }
    drop(stream);
    server.stop().await;
}
