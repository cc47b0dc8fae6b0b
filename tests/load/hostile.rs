use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::net::UnixStream,
    thread::sleep,
    time::Duration,
};

use image::{Rgb, RgbImage};
use serde_json::json;
use som_core::{ErrorKind, task::Task};
use som_proto::{
    ask,
    pb::v1::{self as pb, ask_request::Prompt, image::Content},
};
use tokio::task::JoinSet;

use super::{areas, mark, picture};
use crate::som::{Folder, Served, png};

/// As many kilobytes of addresses as a server gets: threads and libraries take most of them.
const ADDRESSES: &str = "-v 2097152";

/// A question about `images` in words of the template's.
fn question(images: Vec<pb::Image>, text: &str, words: &str) -> pb::AskRequest {
    let task = Task::Ask {
        question: text.to_owned(),
    };
    let image = |image| pb::AskImage {
        image: Some(image),
        ..pb::AskImage::default()
    };
    pb::AskRequest {
        images: images.into_iter().map(image).collect(),
        task: Some(ask::task_to_wire(&task)),
        prompt: (!words.is_empty()).then(|| Prompt::Words(words.to_owned())),
        ..pb::AskRequest::default()
    }
}

async fn end_of(server: &Served, request: pb::AskRequest) -> Result<(), som_core::Error> {
    use futures_util::StreamExt as _;

    let client = server.client();
    let mut stages = std::pin::pin!(client.ask(&request).await?);
    while let Some(stage) = stages.next().await {
        stage?;
    }
    Ok(())
}

/// Requests that would take more memory than the process may have are refused, at a time and one by
/// one, and the process lives.
#[tokio::test(flavor = "multi_thread")]
async fn under_a_limit_of_memory_requests_are_refused_and_the_process_lives() {
    let folder = Folder::new();
    let server = Served::start_within(&folder, ADDRESSES, &["serve"]);
    let before = areas(server.client().mark(&mark(&picture(1), json!({}))).await).unwrap();

    // A small file of 36 million pixels, by many at a time.
    let large = png(&RgbImage::from_pixel(6000, 6000, Rgb([200, 10, 10])));
    let mut calls = JoinSet::new();
    for _ in 0..12 {
        let (client, request) = (server.client(), mark(&large, json!({})));
        calls.spawn(async move { areas(client.mark(&request).await) });
    }
    for outcome in calls.join_all().await {
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::Exhausted, "{error}");
        }
    }

    // 300 images in 14 kilobytes, by digest.
    let mut kept = mark(
        &png(&RgbImage::from_pixel(3000, 2000, Rgb([1, 2, 3]))),
        json!({}),
    );
    if let Some(Content::Encoded(file)) =
        kept.image.as_mut().and_then(|image| image.content.as_mut())
    {
        file.keep = true;
    }
    if let Ok(answer) = server.client().mark(&kept).await {
        let sha256 = answer.image.unwrap().sha256;
        let named = pb::Image {
            content: Some(Content::Sha256(sha256)),
        };
        for count in [20, 64, 300] {
            let request = question(vec![named.clone(); count], "which is red?", "");
            match end_of(&server, request).await {
                // If the pages of 120 million pixels find room.
                Ok(()) => assert_eq!(count, 20),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Exhausted, "{count}: {error}"),
            }
        }
    }

    // A template that would become four gigabytes.
    let small = picture(2);
    let encoded = pb::EncodedImage {
        data: small.to_vec().into(),
        ..pb::EncodedImage::default()
    };
    let image = pb::Image {
        content: Some(Content::Encoded(encoded)),
    };
    let request = question(
        vec![image],
        &"why ".repeat(250_000),
        &"{question}".repeat(4000),
    );
    let error = end_of(&server, request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exhausted, "{error}");
    assert!(error.message().contains("limits.prompt_bytes"), "{error}");

    let after = areas(server.client().mark(&mark(&picture(1), json!({}))).await).unwrap();
    assert_eq!(after, before);
    assert_eq!(server.end().0, 0);
}

/// Few file descriptors, and clients that hold them: half requests to the page with metrics, and
/// connections that say nothing.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_holds_connections_stops_nobody_else() {
    let folder = Folder::new();
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap()
    };
    folder.write(
        "som.toml",
        format!("[server]\nmetrics = \"{port}\"\nconnections = 100\nhandshake_ms = 1000\n"),
    );
    let server = Served::start_within(&folder, "-n 256", &["serve"]);
    let mut held = Vec::new();
    for number in 0..300 {
        let address = if number % 3 == 0 {
            server.address.clone()
        } else {
            port.to_string()
        };
        // The server may end what came before.
        if let Ok(mut stream) = TcpStream::connect(address) {
            let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: ");
            held.push(stream);
        }
    }
    let answer = areas(server.client().mark(&mark(&picture(1), json!({}))).await);
    assert!(!answer.unwrap().is_empty());
    let mut stream = TcpStream::connect(port).unwrap();
    let get = format!("GET /metrics HTTP/1.1\r\nHost: {port}\r\nConnection: close\r\n\r\n");
    stream.write_all(get.as_bytes()).unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    assert!(page.contains("som_process_open_fds"), "{page}");
    assert_eq!(server.end().0, 0);
}

#[test]
fn limits_beyond_the_descriptors_are_warned_of() {
    let folder = Folder::new();
    let server = Served::start_within(&folder, "-n 256", &["serve"]);
    let (code, log) = server.end();
    assert_eq!(code, 0);
    let warning = "connections may take 1112 file descriptors, but the system gives 256";
    assert!(log.contains(warning), "{log}");
}

/// Texts of a client and of a backend cannot write lines of their own into the log.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_one_line_of_the_log() {
    let folder = Folder::new();
    let server = Served::start(&folder, &["serve"], &[]);
    let mut request = mark(&picture(1), json!({}));
    request.segmenter = "x\n2026-01-01T00:00:00Z ERROR som: all is lost\u{1b}[2J".to_owned();
    let error = server.client().mark(&request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(!error.message().contains(char::is_control), "{error}");
    // A TLS handshake, HTTP/1.1 and nonsense.
    for said in [
        &b"\x16\x03\x01\x02\x00\x01\n\n"[..],
        b"GET / HTTP/1.1\r\n\r\n",
        b"\n\nERROR\n",
    ] {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        stream.write_all(said).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
    }
    let (code, log) = server.end();
    assert_eq!(code, 0);
    for line in log.lines() {
        assert!(line.starts_with("20") && !line.contains('\u{1b}'), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hang_up_has_tokens_read_again() {
    const SECRETS: [&str; 2] = ["a-secret-of-24-characters", "b-secret-of-24-characters"];
    let folder = Folder::new();
    let token = folder.write("token", SECRETS[0]);
    let settings = |calls| {
        let token = token.display();
        format!("[server]\ncalls = {calls}\n[server.token.alice]\nfile = \"{token}\"\n")
    };
    folder.write("som.toml", settings(10));
    let server = Served::start(&folder, &["serve"], &[]);
    let with = async |secret: &str| {
        let connection = som_client::Connection {
            token: Some(som_client::Token::new(secret).unwrap()),
            ..som_client::Connection::to(server.url())
        };
        let client = som_client::Client::new(&connection).unwrap();
        areas(client.mark(&mark(&picture(1), json!({}))).await)
    };
    assert!(with(SECRETS[0]).await.is_ok());
    folder.write("token", SECRETS[1]);
    folder.write("som.toml", settings(20));
    server.signal("HUP");
    for _ in 0..200 {
        if server.log().contains("takes effect after a restart alone") {
            break;
        }
        sleep(Duration::from_millis(20));
    }
    assert!(
        server.log().contains("changed=\"server.calls\""),
        "{}",
        server.log()
    );
    assert!(with(SECRETS[1]).await.is_ok());
    assert_eq!(
        with(SECRETS[0]).await.unwrap_err().kind(),
        ErrorKind::Invalid
    );
    // Settings that are wrong change nothing.
    folder.write("som.toml", "[server]\nno_such_key = 1\n");
    server.signal("HUP");
    for _ in 0..200 {
        if server.log().contains("settings stay as they are") {
            break;
        }
        sleep(Duration::from_millis(20));
    }
    assert!(server.log().contains("no_such_key"), "{}", server.log());
    assert!(with(SECRETS[1]).await.is_ok());
    assert_eq!(server.end().0, 0);
}

/// Every kind of address with the client in Rust; those in Python have tests of their own.
#[tokio::test(flavor = "multi_thread")]
async fn a_unix_socket_is_an_address_like_others() {
    let folder = Folder::new();
    let socket = folder.path("som.sock");
    let listen = format!("unix:{}", socket.display());
    let server = Served::start(&folder, &["serve", "--listen", &listen], &[]);
    let client = som_client::Client::new(&som_client::Connection::to(listen)).unwrap();
    assert!(
        !areas(client.mark(&mark(&picture(1), json!({}))).await)
            .unwrap()
            .is_empty()
    );
    assert!(UnixStream::connect(&socket).is_ok());
    assert_eq!(server.end().0, 0);
}
