//! Segment and Mark: images, regions, pictures.

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::json;
use som_core::{Cancellation, Layer, Size};
use som_engine::{MarkRequest, SegmentRequest, SegmenterChoice};
use som_proto::{
    mark as wire_mark, params,
    pb::v1::{self as pb, image::Content},
    region,
};
use tonic::Code;

use crate::support::{front, som, until};

pub(crate) const SIZE: Size = Size::new(240, 160);

/// An image with something on it.
pub(crate) fn picture() -> RgbImage {
    RgbImage::from_fn(SIZE.width, SIZE.height, |x, y| {
        Rgb([x as u8, y as u8, (x / 40 * 40) as u8])
    })
}

pub(crate) fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub(crate) fn image(content: Content) -> Option<pb::Image> {
    Some(pb::Image {
        content: Some(content),
    })
}

pub(crate) fn file(data: Vec<u8>, keep: bool) -> Option<pb::Image> {
    let data = data.into();
    let encoded = pb::EncodedImage {
        data,
        keep,
        ..pb::EncodedImage::default()
    };
    image(Content::Encoded(encoded))
}

pub(crate) fn png() -> Option<pb::Image> {
    file(encoded(ImageFormat::Png), false)
}

pub(crate) fn raw() -> pb::RawImage {
    pb::RawImage {
        size: Some(region::size_to_wire(SIZE)),
        pixels: picture().into_raw().into(),
    }
}

fn told(value: serde_json::Value) -> som_core::Params {
    serde_json::from_value(value).unwrap()
}

pub(crate) fn wire(value: serde_json::Value) -> Option<prost_types::Struct> {
    Some(params::to_wire(&told(value)))
}

pub(crate) fn mark_png() -> pb::MarkRequest {
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
        segmenter: SegmenterChoice {
            params: told(json!({"count": 5})),
            ..SegmenterChoice::default()
        },
        ..SegmentRequest::new(picture().into())
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
        expected.segmentation.params
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
    let style = |style: &str, params| Layer {
        style: style.into(),
        params: told(params),
    };
    let request = MarkRequest {
        layers: Some(vec![
            style("contour", json!({"thickness": 3})),
            style("number", json!({})),
        ]),
        ..MarkRequest::new(picture().into())
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
        regions: Some(pb::RegionList {
            regions,
            ids: Vec::new(),
        }),
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

    // Regions with numbers of their own keep them.
    let mut numbered = request(vec![boxed(0, 60), boxed(100, 120)]);
    if let Some(list) = &mut numbered.regions {
        list.ids = vec![3, 40];
    }
    let answer = client.mark(numbered.clone()).await.unwrap().into_inner();
    let marks = answer.marks.iter();
    let marks: Vec<_> = marks
        .map(|mark| (mark.id, mark.index, &*mark.text))
        .collect();
    assert_eq!(marks, [(3, 0, "3"), (40, 1, "40")]);
    if let Some(list) = &mut numbered.regions {
        list.ids = vec![3];
    }
    let refused = client.mark(numbered).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(
        refused.message().contains("1 ids for 2 regions"),
        "{refused}"
    );

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
async fn pages_have_a_limit_together() {
    let (server, _) = front("[limits]\ncall_pixels = 100000").await;
    let request = |page_size| pb::MarkRequest {
        options: Some(pb::MarkOptions {
            page_size: Some(page_size),
            ..pb::MarkOptions::default()
        }),
        params: wire(json!({"count": 4})),
        ..mark_png()
    };
    let mut client = som(&server).await;
    let answer = client.mark(request(4)).await.unwrap().into_inner();
    let size = answer.image.unwrap().size.unwrap();
    assert!((25_001..100_000).contains(&(size.width * size.height)));
    let refused = client.mark(request(1)).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(
        refused.message().contains("limits.call_pixels"),
        "{refused}"
    );
}

#[tokio::test]
async fn marks_can_be_limited_on_a_page_and_altogether() {
    let (server, _) = front("[mark]\nsegmenter = 'columns'\npage_size = 2").await;
    let mut client = som(&server).await;
    let mut counts = async |page_size, max_marks| {
        let request = pb::MarkRequest {
            options: Some(pb::MarkOptions {
                page_size,
                max_marks,
                ..pb::MarkOptions::default()
            }),
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
    assert_eq!(counts(None, Some(0)).await, (4, 2, 0), "all");
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
            crate::support::page(address).await.contains(&line)
        })
        .await;
    }
    let error = "som_errors_total{kind=\"invalid\"} 1";
    until(error, async || {
        crate::support::page(address).await.contains(error)
    })
    .await;
}
