//! Requests that are wrong, malformed, too large, too many or too slow.

use image::ImageFormat;
use serde_json::json;
use som_proto::{
    codec::Codec,
    pb::v1::{self as pb, image::Content},
};
use tonic::{Code, Request, Status};

use crate::{
    som::{encoded, file, image, mark_png, png, raw, wire},
    support::{channel, front, som},
};

#[tokio::test]
async fn wrong_requests_are_told_what_is_wrong() {
    let (server, _) = front("[limits]\nimage_bytes = 200000\nimage_pixels = 40000").await;
    let mut client = som(&server).await;
    let style = |id: &str, params| pb::MarkRequest {
        styles: vec![pb::StyleLayer {
            id: id.into(),
            params,
        }],
        ..mark_png()
    };
    let with = |image| pb::MarkRequest {
        image,
        ..pb::MarkRequest::default()
    };
    let segmenter = |id: &str, params| pb::MarkRequest {
        segmenter: id.into(),
        params,
        ..mark_png()
    };
    let size = |width, height| Some(pb::Size { width, height });
    let huge = pb::RawImage {
        size: size(u32::MAX, u32::MAX),
        ..raw()
    };
    let large = pb::RawImage {
        size: size(300, 200),
        pixels: vec![0; 180_000].into(),
    };
    let mut cut_off = encoded(ImageFormat::Png);
    cut_off.truncate(cut_off.len() / 2);
    let unset = prost_types::Struct {
        fields: [("count".to_owned(), prost_types::Value { kind: None })].into(),
    };
    use Code::{InvalidArgument, NotFound, ResourceExhausted, Unimplemented};
    for (request, code, why) in [
        (with(None), InvalidArgument, "image is not set"),
        (
            with(Some(pb::Image::default())),
            InvalidArgument,
            "image is not set",
        ),
        (
            with(file(vec![], false)),
            InvalidArgument,
            "the image is empty",
        ),
        (
            with(file(vec![7; 100], false)),
            InvalidArgument,
            "no image that som reads",
        ),
        (with(file(b"<svg/>".to_vec(), false)), Unimplemented, "SVG"),
        (
            with(file(cut_off, false)),
            InvalidArgument,
            "damaged or cut off",
        ),
        (
            with(file(vec![7; 200_001], false)),
            ResourceExhausted,
            "limits.image_bytes",
        ),
        (
            with(image(Content::Raw(huge))),
            InvalidArgument,
            "but there are 115200",
        ),
        (
            with(image(Content::Raw(large))),
            ResourceExhausted,
            "limits.image_pixels",
        ),
        (
            with(image(Content::Sha256(vec![1; 31].into()))),
            InvalidArgument,
            "31 bytes",
        ),
        (
            with(image(Content::Sha256(vec![1; 32].into()))),
            NotFound,
            "0101",
        ),
        (
            segmenter("rows", None),
            NotFound,
            "\"rows\" does not exist (there are: columns)",
        ),
        (
            segmenter("", wire(json!({"count": "three"}))),
            InvalidArgument,
            "count",
        ),
        (
            segmenter("", wire(json!({"count": 1.5}))),
            InvalidArgument,
            "count",
        ),
        (
            segmenter("", wire(json!({"cuont": 3}))),
            InvalidArgument,
            "cuont",
        ),
        (
            segmenter("", Some(unset)),
            InvalidArgument,
            "\"count\": the value is not set",
        ),
        (
            style("stars", None),
            NotFound,
            "mark style \"stars\" does not exist",
        ),
        (
            style("contour", wire(json!({"thickness": "fat"}))),
            InvalidArgument,
            "thickness",
        ),
        (
            pb::MarkRequest {
                format: 99,
                ..mark_png()
            },
            InvalidArgument,
            "format 99 is unknown",
        ),
    ] {
        let status = client.mark(request).await.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().contains(why), "{status}");
    }
    let request = pb::SegmentRequest {
        image: png(),
        segmenter: "rows".into(),
        ..pb::SegmentRequest::default()
    };
    let status = client.segment(request).await.unwrap_err();
    assert_eq!(status.code(), NotFound);
    // After all that it still works.
    assert!(client.mark(mark_png()).await.is_ok());
}

#[tokio::test]
async fn malformed_messages_are_the_clients_mistake() {
    let (server, _) = front("").await;
    let mut grpc = tonic::client::Grpc::new(channel(&server).await);
    grpc.ready().await.unwrap();
    // A text where a request has its image.
    let text = pb::Descriptor {
        id: "no image at all".into(),
        ..pb::Descriptor::default()
    };
    let status = grpc
        .unary(
            Request::new(text),
            "/som.v1.SomService/Mark".parse().unwrap(),
            Codec::<pb::Descriptor, pb::MarkResponse>::default(),
        )
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(
        status.message().starts_with("malformed message: "),
        "{status}"
    );
}

#[tokio::test]
async fn unknown_fields_are_passed_over() {
    let (server, _) = front("").await;
    let mut grpc = tonic::client::Grpc::new(channel(&server).await);
    grpc.ready().await.unwrap();
    // As a newer client may send it: timings (7) are no part of a request.
    let newer = pb::MarkResponse {
        timings: Some(pb::Timings::default()),
        ..pb::MarkResponse::default()
    };
    let status: Status = grpc
        .unary(
            Request::new(newer),
            "/som.v1.SomService/Segment".parse().unwrap(),
            Codec::<pb::MarkResponse, pb::SegmentResponse>::default(),
        )
        .await
        .unwrap_err();
    assert_eq!(status.message(), "image is not set");
}

#[tokio::test]
async fn unknown_rpcs_are_unimplemented() {
    let (server, _) = front("").await;
    for path in ["/som.v1.SomService/Draw", "/som.v2.SomService/Mark", "/"] {
        let mut grpc = tonic::client::Grpc::new(channel(&server).await);
        grpc.ready().await.unwrap();
        let codec = Codec::<pb::MarkRequest, pb::MarkResponse>::default();
        let call = grpc.unary(Request::new(mark_png()), path.parse().unwrap(), codec);
        assert_eq!(
            call.await.unwrap_err().code(),
            Code::Unimplemented,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_full_queue_is_exhausted_with_a_hint() {
    let (server, _) = front("[segmenter.columns]\nqueue = 1").await;
    let client = som(&server).await;
    let calls: Vec<_> = (0..6)
        .map(|_| {
            let mut client = client.clone();
            tokio::spawn(async move {
                let params = wire(json!({"sleep_ms": 200}));
                client
                    .mark(pb::MarkRequest {
                        params,
                        ..mark_png()
                    })
                    .await
            })
        })
        .collect();
    let mut refused = 0;
    for call in calls {
        if let Err(status) = call.await.unwrap() {
            assert_eq!(status.code(), Code::ResourceExhausted);
            let delay = som_proto::status::retry_delay(&status);
            assert!(delay.is_some_and(|delay| !delay.is_zero()));
            refused += 1;
        }
    }
    assert!((3..6).contains(&refused), "{refused} of 6 refused");
}

#[tokio::test]
async fn a_deadline_reaches_the_segmenter() {
    let (server, _) = front("").await;
    let mut client = som(&server).await;
    let mut request = Request::new(pb::MarkRequest {
        params: wire(json!({"sleep_ms": 60_000})),
        ..mark_png()
    });
    request.set_timeout(std::time::Duration::from_millis(150));
    let status = client.mark(request).await.unwrap_err();
    // The client's own clock may be the first to notice.
    assert!(
        [Code::DeadlineExceeded, Code::Cancelled].contains(&status.code()),
        "{status}"
    );
    // The only instance is free again, though it was told to sleep for a minute.
    assert!(client.mark(mark_png()).await.is_ok());
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut_off() {
    let (server, _) = front("[server]\ndeadline_ms = 200").await;
    let mut grpc = tonic::client::Grpc::new(channel(&server).await);
    grpc.ready().await.unwrap();
    let nothing = Request::new(futures_util::stream::pending::<pb::MarkRequest>());
    let status = grpc
        .client_streaming(
            nothing,
            "/som.v1.SomService/Mark".parse().unwrap(),
            Codec::<pb::MarkRequest, pb::MarkResponse>::default(),
        )
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
}
