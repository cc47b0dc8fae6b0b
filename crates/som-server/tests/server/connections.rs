//! Addresses, handshakes, drain.

use std::time::{Duration, Instant};

use serde_json::json;
use som_core::ErrorKind;
use som_server::{Ended, Role, Server};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::Code;

use crate::support::{Columns, Running, backend, channel, engine, segment, wire};

async fn refusal(toml: &str) -> som_core::Error {
    let engine = engine(toml, Columns::default()).unwrap();
    Server::bind(engine, Role::Backend("columns".into()))
        .await
        .err()
        .unwrap()
}

#[tokio::test]
async fn an_address_that_cannot_be_bound_is_named() {
    let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = other.local_addr().unwrap();
    let error = refusal(&format!("[server]\nlisten = '{taken}'")).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        error
            .message()
            .contains(&format!("\"{taken}\": the port is in use")),
        "{error}"
    );

    let error = refusal(&format!("[server]\nmetrics = '{taken}'")).await;
    assert!(error.message().starts_with("server.metrics"), "{error}");

    for (listen, kind, why) in [
        ("nonsense", ErrorKind::Invalid, "not an address like"),
        ("127.0.0.1:99999", ErrorKind::Invalid, "not an address like"),
        (
            "unix:/no/such/folder/som.sock",
            ErrorKind::Unavailable,
            "cannot be bound",
        ),
    ] {
        let error = refusal(&format!("[server]\nlisten = '{listen}'")).await;
        assert_eq!(error.kind(), kind, "{error}");
        assert!(
            error.message().contains(why) && error.message().contains(listen),
            "{error}"
        );
    }
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused() {
    for key in [
        "message_bytes",
        "calls",
        "connections",
        "metrics_connections",
        "deadline_ms",
        "handshake_ms",
        "upload_ms",
        "idle_ms",
    ] {
        let error = refusal(&format!("[server]\n{key} = 0")).await;
        assert_eq!(
            error.message(),
            format!("server.{key} is 0, but has to be above")
        );
    }
    for (table, why) in [
        (
            "token.bob]\nfile = 'x'\nper_second = -1.0",
            "token.bob: per_second has to be 0",
        ),
        (
            "token.bob]\nfile = 'x'\nenv = 'X'",
            "token.bob: set env or file, not both",
        ),
        (
            "tls]\nkey = 'x'",
            "tls: a key or client_authorities, but no certificate",
        ),
    ] {
        let error = refusal(&format!("[server.{table}")).await;
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(
            error.message().starts_with(&format!("server.{why}")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_unknown_segmenter_has_no_backend() {
    let engine = engine("", Columns::default()).unwrap();
    let error = Server::bind(engine, Role::Backend("rows".into()))
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error.message().contains("rows") && error.message().contains("columns"),
        "{error}"
    );
}

#[tokio::test]
async fn the_port_is_free_again_at_once() {
    let server = backend("").await;
    let address = server.address.clone();
    assert_eq!(
        segment(&channel(&server).await, wire(json!({})))
            .await
            .unwrap(),
        3
    );
    assert_eq!(server.stop().await, Ended::Drained);
    let again = backend(&format!("[server]\nlisten = '{address}'")).await;
    assert_eq!(
        segment(&channel(&again).await, wire(json!({})))
            .await
            .unwrap(),
        3
    );
}

#[tokio::test]
async fn a_socket_left_behind_is_taken_over_but_not_a_live_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("som.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let toml = format!("[server]\nlisten = 'unix:{}'", path.display());
    let server = backend(&toml).await;
    let error = refusal(&toml).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    server.stop().await;
}

#[tokio::test]
async fn a_file_that_is_no_socket_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "mine").unwrap();
    let error = refusal(&format!("[server]\nlisten = 'unix:{}'", path.display())).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("no socket"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
}

#[tokio::test]
async fn calls_in_progress_are_finished_at_shutdown() {
    let server = backend("").await;
    let channel = channel(&server).await;
    let slow = tokio::spawn(async move { segment(&channel, wire(json!({"sleep_ms": 500}))).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(server.stop().await, Ended::Drained);
    assert_eq!(slow.await.unwrap().unwrap(), 3);
}

#[tokio::test]
async fn a_drain_has_an_end() {
    let server = backend("[server]\ndrain_ms = 200").await;
    let channel = channel(&server).await;
    let slow =
        tokio::spawn(async move { segment(&channel, wire(json!({"sleep_ms": 60_000}))).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let start = Instant::now();
    assert_eq!(server.stop().await, Ended::CutOff);
    assert!(start.elapsed() < Duration::from_secs(5));
    let status = slow.await.unwrap().unwrap_err();
    assert_ne!(status.code(), Code::Ok);
}

/// Reads until the server ends the connection.
async fn is_ended(stream: &mut TcpStream) -> bool {
    let mut bytes = [0; 1024];
    tokio::time::timeout(Duration::from_secs(5), async {
        while stream.read(&mut bytes).await.is_ok_and(|count| count > 0) {}
    })
    .await
    .is_ok()
}

#[tokio::test]
async fn a_connection_that_never_speaks_is_ended() {
    let server = backend("[server]\nhandshake_ms = 200\nconnections = 2").await;
    let mut silent = TcpStream::connect(&server.address).await.unwrap();
    let mut slow = TcpStream::connect(&server.address).await.unwrap();
    let trickle = async {
        for byte in b"PRI * HTTP/2.0" {
            if slow.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        is_ended(&mut slow).await
    };
    let (silent, slow) = tokio::join!(is_ended(&mut silent), trickle);
    assert!(silent && slow);
    // Both places are free again.
    assert_eq!(
        segment(&channel(&server).await, wire(json!({})))
            .await
            .unwrap(),
        3
    );
}

#[tokio::test]
async fn a_connection_that_speaks_something_else_is_ended() {
    let server = backend("").await;
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: somewhere\r\nAccept: text/html\r\n\r\n")
        .await
        .unwrap();
    assert!(is_ended(&mut stream).await);
    assert_eq!(
        segment(&channel(&server).await, wire(json!({})))
            .await
            .unwrap(),
        3
    );
}

#[tokio::test]
async fn a_silent_connection_does_not_hold_up_the_shutdown() {
    let server = backend("[server]\ndrain_ms = 300").await;
    let _silent = TcpStream::connect(&server.address).await.unwrap();
    let start = Instant::now();
    server.stop().await;
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused() {
    let server: Running = backend("[server]\nmessage_bytes = 200").await;
    let status = segment(&channel(&server).await, wire(json!({})))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(
        status.message().contains("at most 200 are allowed"),
        "{status}"
    );
}
