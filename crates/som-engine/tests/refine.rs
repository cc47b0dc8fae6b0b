//! Segmenters made of two, and regions refined for one request.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use image::RgbImage;
use serde_json::{Value, json};
use som_core::{
    BBox, Cancellation, ErrorKind, HintKind, Origin, Params, Region, Result, Shape, Size,
};
use som_engine::{
    Engine, GivenRegions, MarkRequest, Refinement, RegionSource, SegmentRequest, Segmented,
    SegmenterChoice,
    registry::{Provenance, Registry},
    settings::{Ladder, Settings},
};
use som_test::{Calls, Columns, Cutter, Finder};

const SIZE: Size = Size::new(40, 30);

/// What most tests are about.
const BOTH: &str = "[segmenter.both]\ndetect = 'finder'\nrefine = 'cutter'\n";

fn settings(toml: &str) -> Settings {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), toml).unwrap();
    let ladder = Ladder::embedded().with_file(file.path());
    let ladder = ladder.with_flag("--segmenter", "mark.segmenter", "both");
    ladder.load().unwrap().0
}

/// An engine with `finder`, with `cutter`, which takes hints of these kinds, with `columns`, which takes
/// none, and with what the settings make of them; and how many hints the calls of `cutter` had.
fn open(toml: &str, kinds: &[HintKind]) -> Result<(Engine, Calls)> {
    let settings = settings(toml);
    let (cutter, mut registry) = (Cutter::of(kinds), Registry::default());
    let calls = cutter.calls();
    registry.add_segmenter(Arc::new(Finder::default()), Provenance::Embedded)?;
    registry.add_segmenter(Arc::new(cutter), Provenance::Embedded)?;
    registry.add_segmenter(Arc::new(Columns::default()), Provenance::Embedded)?;
    registry.add_composed_segmenters(&settings)?;
    Ok((Engine::new(settings, registry)?, calls))
}

fn both(kinds: &[HintKind]) -> (Engine, Calls) {
    open(BOTH, kinds).unwrap()
}

fn params(value: Value) -> Params {
    serde_json::from_value(value).unwrap()
}

fn request(id: &str, told: Value) -> SegmentRequest {
    SegmentRequest {
        segmenter: SegmenterChoice {
            id: Some(id.into()),
            params: params(told),
            ..SegmenterChoice::default()
        },
        ..SegmentRequest::new(RgbImage::new(SIZE.width, SIZE.height).into())
    }
}

async fn cut(engine: &Engine, told: Value) -> Result<Segmented> {
    let request = request("both", told);
    engine.segment(request, &Cancellation::new()).await
}

fn boxes(regions: &[Region]) -> Vec<BBox> {
    regions.iter().map(Region::bbox).collect()
}

#[tokio::test]
async fn what_one_finds_the_other_cuts() {
    let (engine, calls) = both(&HintKind::ALL);
    let told = json!({"hints": {"text": ["a cup", "a spoon"]}});
    let segmented = cut(&engine, told).await.unwrap();

    // One pixel inside the boxes, as found.
    let expected = [BBox::new(3, 4, 8, 9), BBox::new(21, 5, 8, 12)];
    assert_eq!(boxes(&segmented.regions), expected);
    assert_eq!(calls.take(), [2], "one call for both boxes");
    let labels = segmented
        .regions
        .iter()
        .map(|region| region.label.as_deref());
    assert_eq!(labels.collect::<Vec<_>>(), [Some("a cup"), Some("a spoon")]);
    let [first, _] = &segmented.regions[..] else {
        panic!("two regions");
    };
    assert_eq!(first.score, Some(0.9));
    assert_eq!(first.shape(), Shape::Mask);
    assert_eq!(first.extra["box"], json!([2.5, 3.0, 12.0, 14.0]));
    let detect = &first.extra["detect"];
    assert_eq!(
        (&detect["segmenter"], &detect["shape"], &detect["label"]),
        (&json!("finder"), &json!("box"), &json!("a cup"))
    );
    let refine = &first.extra["refine"];
    assert_eq!(
        (&refine["segmenter"], &refine["hint"], &refine["found"]),
        (&json!("cutter"), &json!("box"), &json!(true))
    );
    assert_eq!(refine["extra"], json!({"predicted_iou": 0.8}));

    let segmentation = &segmented.segmentation;
    assert_eq!(segmentation.segmenter, "both");
    assert_eq!(segmentation.params["detect"]["shape"], "box");
    assert_eq!(segmentation.params["refine"]["inset"], 1);
    let timings = segmented.timings;
    let parts = timings.detect.unwrap() + timings.refine.unwrap();
    assert_eq!(timings.segment, Some(parts));
}

#[tokio::test]
async fn each_kind_of_region_becomes_its_kind_of_hint() {
    let (engine, calls) = both(&HintKind::ALL);
    for (shape, hint, expected) in [
        ("box", "box", vec![2]),
        ("mask", "mask", vec![1, 1]),
        ("point", "point", vec![1, 1]),
    ] {
        let segmented = cut(&engine, json!({"detect": {"shape": shape}})).await;
        let regions = segmented.unwrap().regions;
        assert_eq!(regions.len(), 2, "{shape}");
        for region in regions {
            assert_eq!(region.extra["detect"]["shape"], shape);
            assert_eq!(region.extra["refine"]["hint"], hint);
            assert_eq!(region.shape(), Shape::Mask);
        }
        assert_eq!(calls.take(), expected, "{shape}");
    }
    let told = json!({"detect": {"shape": "mask"}, "hint": "box"});
    let regions = cut(&engine, told).await.unwrap().regions;
    assert_eq!(regions[0].extra["refine"]["hint"], "box");
}

#[tokio::test]
async fn there_is_one_region_for_each_that_was_found() {
    let (engine, calls) = both(&[HintKind::Box]);
    let usual = cut(&engine, json!({})).await.unwrap().regions;
    calls.take();
    // The most like the box of those that are found for it.
    let several = cut(&engine, json!({"refine": {"several": true}})).await;
    assert_eq!(boxes(&several.unwrap().regions), boxes(&usual));
    assert_eq!(calls.take(), [2]);
    // A refiner that does not say which is whose is asked one by one.
    let told = json!({"refine": {"several": true, "silent": true}});
    let silent = cut(&engine, told).await.unwrap();
    assert_eq!(boxes(&silent.regions), boxes(&usual));
    assert_eq!(calls.take(), [2, 1, 1]);
    let many = vec![[1.0, 1.0, 9.0, 9.0]; 150];
    let many = cut(&engine, json!({"detect": {"boxes": many}})).await;
    assert_eq!(many.unwrap().regions.len(), 150);
    assert_eq!(calls.take(), [64, 64, 22]);
}

#[tokio::test]
async fn what_is_not_found_stays_a_box() {
    let (engine, calls) = both(&[HintKind::Box]);
    let segmented = cut(&engine, json!({"refine": {"misses": 1}}))
        .await
        .unwrap();
    let [found, missed] = &segmented.regions[..] else {
        panic!("two regions");
    };
    assert_eq!(found.shape(), Shape::Mask);
    assert_eq!(missed.shape(), Shape::Box([20.0, 4.0, 30.0, 18.5]));
    assert_eq!(missed.bbox(), BBox::new(20, 4, 10, 14));
    assert_eq!(missed.extra["refine"]["found"], false);
    calls.take();

    // Nothing to refine: nobody is asked.
    let nothing = cut(&engine, json!({"detect": {"boxes": []}})).await;
    let nothing = nothing.unwrap();
    assert!(nothing.regions.is_empty() && nothing.timings.detect.is_some());
    assert!(calls.take().is_empty());
    // Nor about what lies outside.
    let told = json!({"detect": {"boxes": [[50.0, 1.0, 60.0, 9.0], [1.0, 1.0, 9.0, 9.0]]}});
    let regions = cut(&engine, told).await.unwrap().regions;
    assert!(regions[0].mask.is_empty() && !regions[1].mask.is_empty());
    assert_eq!(regions[0].extra["refine"]["hint"], json!(null));
    assert_eq!(calls.take(), [1]);
}

#[tokio::test]
async fn what_a_part_reports_is_told_and_the_next_request_works() {
    let (engine, _) = both(&[HintKind::Point]);
    for (told, kind, why) in [
        (
            json!({}),
            ErrorKind::Unsupported,
            "segmenter \"both\": segmenter \"cutter\": takes no hint of this kind, but a region to refine is a box",
        ),
        (
            json!({"hint": "mask"}),
            ErrorKind::Unsupported,
            "takes no mask as a hint",
        ),
        (
            json!({"hint": "point", "detect": {"fail": "no words"}}),
            ErrorKind::Unsupported,
            "segmenter \"both\": no words",
        ),
        (
            json!({"hint": "point", "refine": {"fail": "internal"}}),
            ErrorKind::Internal,
            "its state is gone",
        ),
        (
            json!({"detect": {"shape": "blob"}}),
            ErrorKind::Invalid,
            "parameter \"detect.shape\"",
        ),
        (
            json!({"detect": {"colour": 3}}),
            ErrorKind::Invalid,
            "unknown parameter \"colour\"",
        ),
        (
            json!({"refine": {"hints": {"points": []}}}),
            ErrorKind::Invalid,
            "hints",
        ),
        (
            json!({"find": {}}),
            ErrorKind::Invalid,
            "unknown parameter \"find\"",
        ),
    ] {
        let error = cut(&engine, told.clone()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{told}: {error}");
        assert!(error.message().contains(why), "{told}: {error}");
        let regions = cut(&engine, json!({"hint": "point"}))
            .await
            .unwrap()
            .regions;
        assert_eq!(regions.len(), 2);
    }
}

#[tokio::test]
async fn a_request_leaves_as_soon_as_it_is_called_off() {
    let (engine, _) = both(&[HintKind::Box]);
    for part in ["detect", "refine"] {
        let started = Instant::now();
        let soon = Cancellation::new().with_timeout(Duration::from_millis(50));
        let told = json!({part: {"sleep_ms": 600_000}});
        let error = engine.segment(request("both", told), &soon).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Cancelled);
        assert!(started.elapsed() < Duration::from_secs(5), "{part}");
        assert_eq!(cut(&engine, json!({})).await.unwrap().regions.len(), 2);
    }
}

#[tokio::test]
async fn the_settings_say_what_the_parts_are_told() {
    let params = "params = { detect.boxes = [[1, 1, 9, 9]], refine.inset = 0, hint = 'box' }\n";
    let (engine, _) = open(&(BOTH.to_owned() + params), &HintKind::ALL).unwrap();
    let segmented = cut(&engine, json!({})).await.unwrap();
    assert_eq!(boxes(&segmented.regions), [BBox::new(1, 1, 8, 8)]);
    assert_eq!(segmented.segmentation.params["refine"]["inset"], 0);
    // A request goes before them.
    let told = json!({"refine": {"inset": 2}});
    let segmented = cut(&engine, told).await.unwrap();
    assert_eq!(boxes(&segmented.regions), [BBox::new(3, 3, 4, 4)]);

    // One that is made of two may be a part in turn.
    let more =
        "[segmenter.all]\ndetect = 'both'\nrefine = 'cutter'\nparams.detect.refine.inset = 3\n";
    let (engine, calls) = open(&(more.to_owned() + BOTH), &HintKind::ALL).unwrap();
    let cancellation = Cancellation::new();
    let segmented = engine.segment(request("all", json!({})), &cancellation);
    let segmented = segmented.await.unwrap();
    let first = &segmented.regions[0];
    // Three pixels, and then one.
    assert_eq!(first.bbox(), BBox::new(6, 7, 2, 3));
    assert_eq!(first.extra["detect"]["segmenter"], "both");
    assert_eq!(first.extra["refine"]["hint"], "mask");
    assert_eq!(calls.take(), [2, 1, 1]);
}

#[test]
fn what_the_settings_make_wrong_is_named() {
    for (toml, kind, why) in [
        (
            "[segmenter.both]\ndetect = 'finder'\nrefine = 'cuter'\n",
            ErrorKind::NotFound,
            "settings: segmenter.both: refine: segmenter \"cuter\" does not exist (there are: columns, cutter, finder)",
        ),
        (
            "[segmenter.both]\ndetect = 'finder'\n",
            ErrorKind::Invalid,
            "settings: segmenter.both: segmenter \"both\": parameter \"refine\" is missing",
        ),
        (
            "[segmenter.both]\ndetect = 'finder'\nrefine = 'columns'\n",
            ErrorKind::Unsupported,
            "settings: segmenter.both: segmenter \"columns\" takes no boxes, points or masks, so it cannot refine what \"finder\" finds",
        ),
        (
            "[segmenter.both]\ndetect = 'both'\nrefine = 'cutter'\n",
            ErrorKind::Invalid,
            "settings: segmenter.both: \"both\" → \"both\": a segmenter cannot be a part of itself",
        ),
        (
            "[segmenter.both]\ndetect = 'other'\nrefine = 'cutter'\n[segmenter.other]\ndetect = 'finder'\nrefine = 'both'\n",
            ErrorKind::Invalid,
            "settings: segmenter.both: \"both\" → \"other\" → \"both\": a segmenter cannot be a part of itself",
        ),
        (
            "[segmenter.finder]\ndetect = 'columns'\nrefine = 'cutter'\n",
            ErrorKind::Invalid,
            "segmenter \"finder\" is there twice: embedded and made of columns and cutter",
        ),
        (
            "[segmenter.both]\ndetect = 'finder'\nrefine = 'cutter'\ninstances = 3\n",
            ErrorKind::Invalid,
            "settings: segmenter.both: instances is for segmenters that work themselves (set that of its parts)",
        ),
        (
            "[segmenter.both]\ndetect = 'finder'\nrefine = 'cutter'\nparams.detect.shape = 'blob'\n",
            ErrorKind::Invalid,
            "settings: segmenter.both: segmenter \"both\": params: parameter \"detect.shape\" is \"blob\"",
        ),
        (
            "[segmenter.both]\ndetect = 'finder'\nrefine = 'cutter'\nweights = 'x.pth'\n",
            ErrorKind::Invalid,
            "settings: segmenter.both: segmenter \"both\": unknown parameter \"weights\"",
        ),
    ] {
        let Err(error) = open(toml, &HintKind::ALL) else {
            panic!("{toml}: it opens");
        };
        assert_eq!(error.kind(), kind, "{toml}: {error}");
        assert!(error.message().contains(why), "{toml}: {error}");
    }
}

fn refined_by(segmenter: &str) -> Refinement {
    Refinement {
        segmenter: segmenter.into(),
        ..Refinement::default()
    }
}

#[tokio::test]
async fn any_segmenter_is_refined_for_one_request() {
    let (engine, _) = both(&HintKind::ALL);
    let request = SegmentRequest {
        refine: Some(Refinement {
            hint: Some(HintKind::Box),
            params: params(json!({"inset": 2})),
            ..refined_by("cutter")
        }),
        ..request("columns", json!({"count": 2}))
    };
    let segmented = engine.segment(request, &Cancellation::new()).await.unwrap();
    let expected = [BBox::new(2, 2, 16, 26), BBox::new(22, 2, 16, 26)];
    assert_eq!(boxes(&segmented.regions), expected);
    assert_eq!(segmented.segmentation.segmenter, "columns");
    let refined = segmented.refined.unwrap();
    assert_eq!(
        (&*refined.segmenter, &*refined.version),
        ("cutter", "2.0.0")
    );
    assert_eq!(refined.params["inset"], 2);
    assert_eq!(segmented.regions[0].extra["detect"]["segmenter"], "columns");
}

#[tokio::test]
async fn given_regions_are_refined_and_keep_their_ids() {
    let (engine, calls) = both(&HintKind::ALL);
    let engine = Arc::new(engine);
    let cup = Region {
        label: Some("cup".into()),
        ..Region::of_box(SIZE, [2.0, 2.0, 12.0, 12.0])
    };
    let spoon = Region::of_box(SIZE, [15.0, 5.0, 35.0, 25.0]);
    let given = || GivenRegions {
        regions: vec![cup.clone(), spoon.clone()],
        ids: vec![7, 3],
    };
    let request = |refine| MarkRequest {
        regions: RegionSource::Given(given()),
        refine,
        layers: Some(Vec::new()),
        draw: false,
        ..MarkRequest::new(RgbImage::new(SIZE.width, SIZE.height).into())
    };
    let go = Cancellation::new();
    let marking = engine.mark(request(Some(refined_by("cutter"))), &go).await;
    let marking = marking.unwrap();
    assert_eq!(marking.origin, Origin::Given);
    assert_eq!(marking.refined.unwrap().segmenter, "cutter");
    assert_eq!(marking.timings.segment, marking.timings.refine);
    assert_eq!(marking.timings.detect, None);
    let marks = marking.marked.allocation.marks;
    let ids: Vec<u32> = marks.iter().map(|mark| mark.id).collect();
    assert_eq!(ids, [3, 7]);
    let cut = &marks[1].mark.region;
    assert_eq!(cut.label.as_deref(), Some("cup"));
    assert_eq!(cut.bbox(), BBox::new(3, 3, 8, 8));
    assert_eq!(cut.extra.get("detect"), None);
    assert_eq!(calls.take(), [2]);

    let marking = engine.mark(request(None), &go).await.unwrap();
    assert!(marking.refined.is_none() && marking.timings.segment.is_none());

    for (refine, kind, why) in [
        (
            refined_by("nobody"),
            ErrorKind::NotFound,
            "refine: segmenter \"nobody\" does not exist",
        ),
        (
            refined_by("columns"),
            ErrorKind::Unsupported,
            "refine: segmenter \"columns\": takes no hints of regions",
        ),
        (
            Refinement {
                params: params(json!({"insets": 2})),
                ..refined_by("cutter")
            },
            ErrorKind::Invalid,
            "unknown parameter \"insets\" (did you mean \"inset\"?",
        ),
    ] {
        let error = engine.mark(request(Some(refine)), &go).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(why), "{error}");
    }
}
