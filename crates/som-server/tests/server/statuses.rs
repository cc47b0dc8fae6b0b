//! Whose fault it is: every row of the contract's table of errors, as clients see it.

use std::{pin::Pin, time::Duration};

use futures_util::{Stream, stream};
use serde_json::json;
use som_proto::{
    codec::Codec,
    pb::{
        plugin::v1::{
            DescribeRequest, DescribeResponse, SegmentRequest, SegmentResponse,
            segmenter_service_server::{SegmenterService, SegmenterServiceServer},
        },
        v1 as pb,
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tonic::{Code, Request, Response, Status, transport::server::TcpIncoming};

use crate::{
    som::{mark_png, wire},
    support::{channel, front, page, som, until},
};

/// A backend that lets nobody in.
struct Locked(Code);

#[tonic::async_trait]
impl SegmenterService for Locked {
    type SegmentStream = Pin<Box<dyn Stream<Item = Result<SegmentResponse, Status>> + Send>>;

    async fn describe(
        &self,
        _: Request<DescribeRequest>,
    ) -> Result<Response<DescribeResponse>, Status> {
        Err(Status::new(self.0, "who are you?"))
    }

    async fn segment(
        &self,
        _: Request<SegmentRequest>,
    ) -> Result<Response<Self::SegmentStream>, Status> {
        let nothing: Self::SegmentStream = Box::pin(stream::empty());
        Ok(Response::new(nothing))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_refuses_the_server_is_not_the_callers_fault() {
    for code in [Code::Unauthenticated, Code::PermissionDenied] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let backend = SegmenterServiceServer::new(Locked(code));
        let backend = tonic::transport::Server::builder().add_service(backend);
        tokio::spawn(backend.serve_with_incoming(TcpIncoming::from(listener)));

        let (server, _) = front(&format!(
            "[segmenter.far]\nremote = ['http://{address}']\n[server]\nmetrics = '127.0.0.1:0'"
        ))
        .await;
        let request = pb::MarkRequest {
            segmenter: "far".into(),
            ..mark_png()
        };
        let status = som(&server).await.mark(request).await.unwrap_err();
        assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
        assert!(status.message().contains("\"far\""), "{status}");
        assert!(!status.message().contains(&address), "{status}");
        let line = r#"som_errors_total{kind="denied"} 1"#;
        let metrics = server.metrics.unwrap();
        until(line, async || page(metrics).await.contains(line)).await;
    }
}

#[tokio::test]
async fn hints_that_a_segmenter_does_not_take_are_unimplemented() {
    let (server, _) = crate::support::front_with(
        "",
        crate::support::Columns::default().with_hints(&["points"]),
    )
    .await;
    let with = |hints: serde_json::Value| pb::MarkRequest {
        params: wire(json!({"hints": hints})),
        ..mark_png()
    };
    let mut client = som(&server).await;
    client
        .mark(with(json!({"points": [{"x": 1, "y": 1}]})))
        .await
        .unwrap();
    for (hints, kind) in [
        (json!({"text": "a cup"}), "text"),
        (
            json!({"boxes": [{"x": 1, "y": 1, "width": 2, "height": 2}]}),
            "boxes",
        ),
    ] {
        let status = client.mark(with(hints)).await.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented, "{status}");
        let why = format!("segmenter \"columns\": it takes no {kind} as hints");
        assert_eq!(status.message(), why);
    }
    // What is malformed is told as before.
    let status = client
        .mark(with(json!({"points": "here"})))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
}

#[tokio::test]
async fn names_of_any_length_arrive_shortened() {
    let (server, _) = front("").await;
    let mut client = som(&server).await;
    let long = "x".repeat(1 << 20);
    let named = pb::MarkRequest {
        segmenter: long.clone(),
        ..mark_png()
    };
    let set = pb::MarkRequest {
        params: wire(json!({ long.clone(): 1 })),
        ..mark_png()
    };
    let style = pb::MarkRequest {
        styles: vec![pb::StyleLayer {
            id: format!("{long}\n\u{1b}[2J"),
            ..pb::StyleLayer::default()
        }],
        ..mark_png()
    };
    for (request, code) in [
        (named, Code::NotFound),
        (set, Code::InvalidArgument),
        (style, Code::NotFound),
    ] {
        let status = client.mark(request).await.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().len() <= 1000, "{}", status.message().len());
        assert!(status.message().contains("bytes left out"), "{status}");
        assert!(!status.message().contains(char::is_control), "{status}");
    }
}

#[tokio::test]
async fn a_message_that_is_too_large_is_exhausted_by_the_name_of_the_setting() {
    let (server, _) = front("[server]\nmessage_bytes = 30000").await;
    let mut client = som(&server).await;
    let large = pb::MarkRequest {
        segmenter: "x".repeat(40_000),
        ..pb::MarkRequest::default()
    };
    // An answer with pixels is larger than the request for it.
    let answer = pb::MarkRequest {
        format: pb::PictureFormat::Raw.into(),
        ..mark_png()
    };
    for request in [large, answer] {
        let status = client.mark(request).await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
        let message = status.message();
        assert!(message.contains("at most 30000 are allowed"), "{status}");
        assert!(message.contains("server.message_bytes"), "{status}");
    }
}

#[tokio::test]
async fn an_upload_that_never_ends_gives_its_place_back() {
    let (server, _) = front("[server]\nupload_ms = 200\ncalls = 1").await;
    let mut grpc = tonic::client::Grpc::new(channel(&server).await);
    grpc.ready().await.unwrap();
    let nothing = Request::new(stream::pending::<pb::MarkRequest>());
    let codec = Codec::<pb::MarkRequest, pb::MarkResponse>::default();
    let path = "/som.v1.SomService/Mark".parse().unwrap();
    let status = grpc
        .client_streaming(nothing, path, codec)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
    assert!(status.message().contains("server.upload_ms"), "{status}");
    som(&server).await.mark(mark_png()).await.unwrap();
}

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// The preface, empty settings, and the headers of a call to Mark as HPACK writes them without its
/// tables.
fn call(content_type: &str, flags: u8) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/som.v1.SomService/Mark"),
        (":authority", "som"),
        ("content-type", content_type),
        ("te", "trailers"),
    ] {
        block.push(0);
        for text in [name, value] {
            block.push(text.len() as u8);
            block.extend(text.as_bytes());
        }
    }
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    bytes.extend([0, 0, block.len() as u8, 1, flags, 0, 0, 0, 1]);
    bytes.extend(block);
    bytes
}

#[tokio::test]
async fn an_upload_that_is_broken_off_is_cancelled() {
    let (server, _) = front("[server]\nmetrics = '127.0.0.1:0'").await;
    let metrics = server.metrics.unwrap();
    // A message of 100 bytes of which 3 come, and a reset (CANCEL), the end of the connection, or
    // the end of the request.
    let part = [0, 0, 8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 100, 1, 2, 3];
    let reset = [0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 8];
    for (number, end) in [reset.as_slice(), &[]].into_iter().enumerate() {
        let mut stream = TcpStream::connect(&server.address).await.unwrap();
        stream
            .write_all(&call("application/grpc", END_HEADERS))
            .await
            .unwrap();
        stream.write_all(&part).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        stream.write_all(end).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        drop(stream);
        let line = format!(
            "som_calls_total{{rpc=\"som.v1.SomService/Mark\",code=\"Cancelled\"}} {}",
            number + 1
        );
        until(&line, async || page(metrics).await.contains(&line)).await;
    }
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    stream
        .write_all(&call("application/grpc", END_HEADERS))
        .await
        .unwrap();
    let mut ended = part;
    ended[4] = 1;
    stream.write_all(&ended).await.unwrap();
    let line = "som_calls_total{rpc=\"som.v1.SomService/Mark\",code=\"InvalidArgument\"} 1";
    until(line, async || page(metrics).await.contains(line)).await;
}

#[tokio::test]
async fn a_foreign_content_type_is_http_415() {
    let (server, _) = front("").await;
    let answer = async |content_type| {
        let mut stream = TcpStream::connect(&server.address).await.unwrap();
        stream
            .write_all(&call(content_type, END_HEADERS | END_STREAM))
            .await
            .unwrap();
        let mut bytes = vec![0; 4096];
        let mut answer = Vec::new();
        // Until the headers of the answer are there: frames of type 1.
        while !heads(&answer).contains(&1) {
            let count = stream.read(&mut bytes).await.unwrap();
            assert!(count > 0, "the connection ended");
            answer.extend(&bytes[..count]);
        }
        answer
    };
    // As Huffman's code of HPACK writes 415.
    let is_415 = |answer: &[u8]| answer.windows(3).any(|bytes| bytes == [0x68, 0x2d, 0xff]);
    for foreign in ["application/json", "application/grpc-web", "text/html"] {
        assert!(is_415(&answer(foreign).await), "{foreign}");
    }
    assert!(!is_415(&answer("application/grpc+proto").await));
}

/// The types of the frames in `bytes`.
fn heads(mut bytes: &[u8]) -> Vec<u8> {
    let mut types = Vec::new();
    while let Some((head, rest)) = bytes.split_at_checked(9) {
        types.push(head[3]);
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        bytes = rest.get(length..).unwrap_or_default();
    }
    types
}

#[tokio::test]
async fn http_1_gets_an_answer_that_it_can_read() {
    let (server, _) = front("").await;
    for request in [
        "GET / HTTP/1.1\r\nHost: somewhere\r\nAccept: text/html\r\n\r\n",
        "POST /som.v1.SomService/Mark HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    ] {
        let mut stream = TcpStream::connect(&server.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 426 Upgrade Required\r\n"),
            "{answer}"
        );
        assert!(
            answer.contains("som speaks gRPC, which needs HTTP/2"),
            "{answer}"
        );
    }
    som(&server).await.mark(mark_png()).await.unwrap();
}
