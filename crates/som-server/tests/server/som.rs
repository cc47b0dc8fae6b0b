//! Segment and Mark: images, regions, pictures, kept images.

use std::io::Write as _;

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use som_core::{Cancellation, Size};
use som_engine::{MarkRequest, RegionSource, SegmentRequest};
use som_proto::{
    codec::Codec,
    mark as wire_mark, params,
    pb::v1::{self as pb, image::Content, som_service_client::SomServiceClient},
    region,
};
use tonic::{Code, Request, Status, transport::Channel};

use crate::support::{channel, front, som, until};

const SIZE: Size = Size::new(240, 160);

/// An image with something on it.
pub(crate) fn picture() -> RgbImage {
    RgbImage::from_fn(SIZE.width, SIZE.height, |x, y| {
        Rgb([x as u8, y as u8, (x / 40 * 40) as u8])
    })
}

fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn image(content: Content) -> Option<pb::Image> {
    Some(pb::Image {
        content: Some(content),
    })
}

fn file(data: Vec<u8>, keep: bool) -> Option<pb::Image> {
    let data = data.into();
    image(Content::Encoded(pb::EncodedImage { data, keep }))
}

fn png() -> Option<pb::Image> {
    file(encoded(ImageFormat::Png), false)
}

fn raw() -> pb::RawImage {
    pb::RawImage {
        size: Some(region::size_to_wire(SIZE)),
        pixels: picture().into_raw().into(),
    }
}

fn told(value: serde_json::Value) -> som_core::Params {
    serde_json::from_value(value).unwrap()
}

fn wire(value: serde_json::Value) -> Option<prost_types::Struct> {
    Some(params::to_wire(&told(value)))
}

fn mark_png() -> pb::MarkRequest {
    pb::MarkRequest {
        image: png(),
        ..pb::MarkRequest::default()
    }
}

#[tokio::test]
async fn segment_gives_what_the_engine_gives() {
    let (server, twin) = front("").await;
    let answer = som(&server)
        .await
        .segment(pb::SegmentRequest {
            image: png(),
            params: wire(json!({"count": 5})),
            ..pb::SegmentRequest::default()
        })
        .await
        .unwrap()
        .into_inner();
    let request = SegmentRequest {
        image: picture().into(),
        segmenter: None,
        params: told(json!({"count": 5})),
    };
    let expected = twin.segment(request, &Cancellation::new()).await.unwrap();

    assert_eq!(
        region::list_from_wire(answer.regions, SIZE).unwrap(),
        expected.regions
    );
    let segmentation = answer.segmentation.unwrap();
    assert_eq!(segmentation.segmenter, "columns");
    assert_eq!(segmentation.version, "1.0.0");
    assert_eq!(
        params::from_wire(segmentation.params).unwrap(),
        expected.params
    );
    let info = answer.image.unwrap();
    assert_eq!(info.size.map(region::size_from_wire), Some(SIZE));
    assert!(info.sha256.is_empty(), "nobody asked to keep it");
    assert!(answer.timings.unwrap().decode > 0.0);
}

#[tokio::test]
async fn mark_gives_what_the_engine_gives() {
    let (server, twin) = front("").await;
    let layer = pb::StyleLayer {
        id: "contour".into(),
        params: wire(json!({"thickness": 3})),
    };
    let number = pb::StyleLayer {
        id: "number".into(),
        params: None,
    };
    let answer = som(&server)
        .await
        .mark(pb::MarkRequest {
            segmenter: "columns".into(),
            styles: vec![layer, number],
            ..mark_png()
        })
        .await
        .unwrap()
        .into_inner();
    let style = |style: &str, params| som_engine::LayerRequest {
        style: style.into(),
        params: told(params),
    };
    let request = MarkRequest {
        image: picture().into(),
        regions: RegionSource::Segmenter {
            id: None,
            params: told(json!({})),
        },
        layers: Some(vec![
            style("contour", json!({"thickness": 3})),
            style("number", json!({})),
        ]),
        options: twin.allocate_options(),
        draw: true,
    };
    let expected = twin.mark(request, &Cancellation::new()).await.unwrap();

    let marks = answer.marks.into_iter();
    let marks: Vec<_> = marks
        .map(|mark| wire_mark::from_wire(mark, SIZE).unwrap())
        .collect();
    assert_eq!(marks, expected.marked.allocation.marks);
    assert_eq!(marks.len(), 3);
    let [page] = answer.pages.as_slice() else {
        panic!("{} pages", answer.pages.len());
    };
    assert_eq!(page.format(), pb::PictureFormat::Png);
    let page = image::load_from_memory(&page.data).unwrap().into_rgb8();
    assert_eq!(page, expected.marked.pages[0]);
    assert_ne!(page, picture(), "there is ink on it");
    let styles: Vec<_> = answer.styles.iter().map(|layer| &*layer.id).collect();
    assert_eq!(styles, ["contour", "number"]);
    let contour = params::from_wire(answer.styles[0].params.clone()).unwrap();
    assert_eq!(contour["thickness"], 3);
    assert!(contour.len() > 1, "defaults are filled in");
    let timings = answer.timings.unwrap();
    assert!(timings.decode > 0.0 && timings.draw > 0.0 && timings.encode > 0.0);
}

#[tokio::test]
async fn regions_of_the_client_are_marked_as_they_are() {
    let (server, _) = front("").await;
    let boxed = |x, width| pb::Region {
        bbox: Some(pb::BBox {
            x,
            y: 10,
            width,
            height: 100,
        }),
        label: Some("cup".into()),
        ..pb::Region::default()
    };
    let request = |regions| pb::MarkRequest {
        regions: Some(pb::RegionList { regions }),
        ..mark_png()
    };
    let mut client = som(&server).await;
    let answer = client
        .mark(request(vec![boxed(0, 60), boxed(100, 120)]))
        .await;
    let answer = answer.unwrap().into_inner();
    assert_eq!(answer.segmentation, None);
    assert_eq!(answer.timings.unwrap().segment, 0.0);
    // The larger one is mark 1.
    let marks: Vec<_> = answer
        .marks
        .iter()
        .map(|mark| (mark.id, mark.index, mark.region.as_ref().unwrap().area))
        .collect();
    assert_eq!(marks, [(1, 1, 12_000), (2, 0, 6_000)]);
    assert_eq!(answer.marks[0].region.as_ref().unwrap().label(), "cup");

    // None at all is a normal request: the page is the image.
    let answer = client.mark(request(Vec::new())).await.unwrap().into_inner();
    let page = image::load_from_memory(&answer.pages[0].data).unwrap();
    assert_eq!(page.into_rgb8(), picture());

    let status = client
        .mark(request(vec![boxed(0, 60), boxed(200, 60)]))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(
        status
            .message()
            .starts_with("region 1: bbox [200, 10, 60, 100]"),
        "{status}"
    );
}

#[tokio::test]
async fn pictures_come_in_the_format_asked_for() {
    let (server, _) = front("").await;
    let mut client = som(&server).await;
    let mut pages = async |format: pb::PictureFormat| {
        let request = pb::MarkRequest {
            format: format.into(),
            ..mark_png()
        };
        let answer = client.mark(request).await.unwrap().into_inner();
        assert_eq!(answer.marks.len(), 3);
        answer.pages
    };
    let raw = pages(pb::PictureFormat::Raw).await.remove(0);
    assert_eq!(raw.size.map(region::size_from_wire), Some(SIZE));
    let raw = RgbImage::from_raw(SIZE.width, SIZE.height, raw.data.into()).unwrap();
    for (format, kind) in [
        (pb::PictureFormat::Png, ImageFormat::Png),
        (pb::PictureFormat::Webp, ImageFormat::WebP),
    ] {
        let page = pages(format).await.remove(0);
        assert_eq!(page.format(), format);
        let page = image::load_from_memory_with_format(&page.data, kind).unwrap();
        assert_eq!(page.into_rgb8(), raw, "{format:?} loses nothing");
    }
    let jpeg = pages(pb::PictureFormat::Jpeg).await.remove(0);
    let jpeg = image::load_from_memory_with_format(&jpeg.data, ImageFormat::Jpeg).unwrap();
    assert_eq!((jpeg.width(), jpeg.height()), (SIZE.width, SIZE.height));
    assert!(pages(pb::PictureFormat::None).await.is_empty());
}

#[tokio::test]
async fn an_image_is_the_same_in_whichever_form_it_comes() {
    let (server, _) = front("").await;
    let mut client = som(&server).await;
    let mut drawn = async |image| {
        let request = pb::MarkRequest {
            image,
            format: pb::PictureFormat::Raw.into(),
            ..pb::MarkRequest::default()
        };
        client.mark(request).await.unwrap().into_inner().pages
    };
    let expected = drawn(image(Content::Raw(raw()))).await;
    for format in [
        ImageFormat::Png,
        ImageFormat::WebP,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
    ] {
        assert_eq!(drawn(file(encoded(format), false)).await, expected);
    }
    for lossy in [ImageFormat::Jpeg, ImageFormat::Gif] {
        let page = drawn(file(encoded(lossy), false)).await.remove(0);
        assert_eq!(page.data.len(), expected[0].data.len());
    }
}

#[tokio::test]
async fn marks_can_be_limited_on_a_page_and_altogether() {
    let (server, _) = front("[mark]\nsegmenter = 'columns'\npage_size = 2").await;
    let mut client = som(&server).await;
    let mut counts = async |page_size, max_marks| {
        let request = pb::MarkRequest {
            page_size,
            max_marks,
            params: wire(json!({"count": 4})),
            ..mark_png()
        };
        let answer = client.mark(request).await.unwrap().into_inner();
        for unmarked in &answer.unmarked {
            assert_eq!(unmarked.reason(), pb::UnmarkedReason::OverLimit);
        }
        (
            answer.marks.len(),
            answer.pages.len(),
            answer.unmarked.len(),
        )
    };
    assert_eq!(
        counts(None, None).await,
        (4, 2, 0),
        "the settings' page size"
    );
    assert_eq!(counts(Some(0), None).await, (4, 1, 0), "as many as fit");
    assert_eq!(counts(Some(1), Some(3)).await, (3, 3, 1));
    assert_eq!(counts(None, Some(0)).await, (0, 1, 4));
}

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
    // As a newer client may send it: timings (4) are no part of a request.
    let newer = pb::SegmentResponse {
        timings: Some(pb::Timings::default()),
        ..pb::SegmentResponse::default()
    };
    let status: Status = grpc
        .unary(
            Request::new(newer),
            "/som.v1.SomService/Segment".parse().unwrap(),
            Codec::<pb::SegmentResponse, pb::SegmentResponse>::default(),
        )
        .await
        .unwrap_err();
    assert_eq!(status.message(), "image is not set");
}

// ------------------------------------------------------------------------------- kept images

fn digest_of(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

async fn segment(
    client: &mut SomServiceClient<Channel>,
    image: Option<pb::Image>,
    token: &str,
) -> Result<pb::ImageInfo, Status> {
    let mut request = Request::new(pb::SegmentRequest {
        image,
        ..pb::SegmentRequest::default()
    });
    if !token.is_empty() {
        let token = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", token);
    }
    let answer = client.segment(request).await?.into_inner();
    Ok(answer.image.unwrap())
}

fn by_digest(digest: Vec<u8>) -> Option<pb::Image> {
    image(Content::Sha256(digest.into()))
}

#[tokio::test]
async fn an_image_that_was_kept_can_be_named_by_its_digest() {
    let (server, _) = front("").await;
    let mut client = som(&server).await;
    let bytes = encoded(ImageFormat::Png);
    let digest = digest_of(&bytes);

    // Sent without keep, it is not there.
    let info = segment(&mut client, png(), "").await.unwrap();
    assert!(info.sha256.is_empty());
    let status = segment(&mut client, by_digest(digest.clone()), "").await;
    assert_eq!(status.unwrap_err().code(), Code::NotFound);

    let info = segment(&mut client, file(bytes, true), "").await.unwrap();
    assert_eq!(info.sha256, digest);
    let named = segment(&mut client, by_digest(digest.clone()), "").await;
    let named = named.unwrap();
    assert_eq!(named.size.map(region::size_from_wire), Some(SIZE));
    assert_eq!(named.sha256, digest);
    let request = |image| pb::MarkRequest {
        image,
        ..pb::MarkRequest::default()
    };
    let sent = client.mark(request(png())).await.unwrap().into_inner();
    let named = client.mark(request(by_digest(digest))).await.unwrap();
    assert_eq!(sent.pages, named.into_inner().pages);
}

#[tokio::test]
async fn what_one_token_kept_no_other_can_name() {
    const ALICE: &str = "alice-0123456789";
    const BOB: &str = "bob-0123456789-x";
    let mut files = [ALICE, BOB].map(|_| tempfile::NamedTempFile::new().unwrap());
    for (file, token) in files.iter_mut().zip([ALICE, BOB]) {
        file.write_all(token.as_bytes()).unwrap();
    }
    let (server, _) = front(&format!(
        "[server.token]\nalice.file = {:?}\nbob.file = {:?}",
        files[0].path(),
        files[1].path()
    ))
    .await;
    let mut client = som(&server).await;
    let bytes = encoded(ImageFormat::Png);
    let digest = digest_of(&bytes);
    segment(&mut client, file(bytes, true), ALICE)
        .await
        .unwrap();
    assert!(
        segment(&mut client, by_digest(digest.clone()), ALICE)
            .await
            .is_ok()
    );
    let status = segment(&mut client, by_digest(digest), BOB).await;
    assert_eq!(status.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn older_images_leave_when_the_budget_is_full() {
    // Room for two images of 240 x 160 x 3 bytes.
    let (server, _) = front("[server]\nkept_bytes = 250000").await;
    let mut client = som(&server).await;
    let files = [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Tiff].map(encoded);
    for bytes in &files {
        let info = segment(&mut client, file(bytes.clone(), true), "").await;
        assert_eq!(info.unwrap().sha256, digest_of(bytes));
    }
    for (bytes, is_kept) in files.iter().zip([false, true, true]) {
        let named = segment(&mut client, by_digest(digest_of(bytes)), "").await;
        assert_eq!(named.is_ok(), is_kept);
    }

    let (server, _) = front("[server]\nkept_bytes = 100000").await;
    let info = segment(&mut som(&server).await, file(files[0].clone(), true), "").await;
    assert!(
        info.unwrap().sha256.is_empty(),
        "larger than all of the budget"
    );
}

// ------------------------------------------------------------------------------------ limits

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
async fn every_stage_is_measured() {
    let (server, _) = front("[server]\nmetrics = '127.0.0.1:0'").await;
    let mut client = som(&server).await;
    client.mark(mark_png()).await.unwrap();
    client.mark(pb::MarkRequest::default()).await.unwrap_err();
    let address = server.metrics.unwrap();
    for stage in ["decode", "segment", "allocate", "draw", "encode"] {
        let line = format!("som_stage_seconds_count{{stage=\"{stage}\"}} 1");
        until(&line, async || {
            crate::gate::page(address).await.contains(&line)
        })
        .await;
    }
    let error = "som_errors_total{kind=\"invalid\"} 1";
    until(error, async || {
        crate::gate::page(address).await.contains(error)
    })
    .await;
}
