//! Whole calls, against what the reference gives at last; and examples that nothing good comes of.

use image::RgbImage;
use serde_json::{Value, json};
use som_core::{
    Call, ErrorKind, Frame, Hints, Image, Mask, ObjectHints, Params, Schema, Size, Tracker as _,
};
use som_plugin::guest::CreateTracker as _;
use tch::Tensor;

use crate::{
    SEG_GPT, SegGptTracker,
    golden::{Golden, asked},
    params::CallParams,
    prompt::examples,
    regions,
};

const FIRST: (&str, &str) = ("prompt1.png", "prompt1_mask.png");

/// The parameters as the host hands them over: with defaults, and the hints.
fn resolved(examples: &[(&str, &str)], set: &Value) -> Params {
    let schema: Value = serde_json::from_str(SEG_GPT.schema).unwrap();
    let schema = Schema::compile(&schema["params"]).unwrap();
    let set = schema.resolve("seg-gpt", set.as_object().unwrap()).unwrap();
    asked(examples, &Value::Object(set))
}

/// Of each pixel its class or brightness.
fn read(golden: &Golden, files: &[(&str, &str)], set: &Value) -> Vec<u8> {
    let params = resolved(files, set);
    let call = Call::uncancellable(&params);
    let params: CallParams = call.parse().unwrap();
    let examples = examples(&call, params.num_labels).unwrap();
    let seg_gpt = &golden.seg_gpt;
    let encoded = seg_gpt.network.encode(&golden.image()).unwrap();
    seg_gpt.read(&encoded, &examples, &params, &call).unwrap()
}

fn view(pixels: &RgbImage) -> Image<'_> {
    let (width, height) = pixels.dimensions();
    Image::from_raw(width, height, pixels.as_raw().as_slice()).unwrap()
}

fn pixels(expected: &Tensor) -> Vec<u8> {
    Vec::<u8>::try_from(expected.flatten(0, -1)).unwrap()
}

#[test]
fn things_are_as_bright_as_there() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open();
    let second = ("prompt2.png", "prompt2_mask.png");
    for (name, files) in [
        ("binary_single/segmentation0", &[FIRST][..]),
        ("feature_ensemble/segmentation0", &[FIRST, second]),
    ] {
        let found = read(&golden, files, &json!({}));
        let expected = pixels(&golden.tensor(name));
        assert_eq!(found.len(), expected.len());
        let worst = found
            .iter()
            .zip(&expected)
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        assert!(worst.unwrap() <= 1, "{name}: {worst:?}");
        let (width, height) = golden.pixels.dimensions();
        let size = Size::new(width, height);
        let mask = &regions::bright(&found, 128, size).unwrap()[0].mask;
        let there = &regions::bright(&expected, 128, size).unwrap()[0].mask;
        assert!(mask.iou(there) > 0.999, "{name}: {}", mask.iou(there));
    }
}

#[test]
fn classes_are_where_they_are_there() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open();
    let set = json!({"num_labels": 3, "embedding_type": "semantic"});
    let found = read(&golden, &[("prompt1.png", "prompt1_labels.png")], &set);
    let expected = pixels(&golden.tensor("palette/segmentation0"));
    let wrong = found.iter().zip(&expected).filter(|(a, b)| a != b).count();
    assert!(wrong <= 3, "{wrong} pixels");
    let (width, height) = golden.pixels.dimensions();
    let regions = regions::classes(&found, 3, Size::new(width, height)).unwrap();
    let labels: Vec<_> = regions
        .iter()
        .map(|it| it.label.as_deref().unwrap())
        .collect();
    assert_eq!(labels, ["2", "3"]);
}

#[test]
fn examples_that_show_nothing_are_refused() {
    let told = |params: &Params, classes| {
        let error = examples(&Call::uncancellable(params), classes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        error.message().to_owned()
    };
    assert!(told(&Params::new(), None).contains("--hint example:"));
    let labels = asked(&[FIRST, ("prompt1.png", "prompt1_labels.png")], &json!({}));
    assert!(told(&labels, Some(2)).contains("class 255, but num_labels is 2"));
    let mut empty = asked(&[FIRST], &json!({}));
    empty["hints"]["examples"][0]["masks"] = json!([]);
    assert!(
        told(&empty, None).contains("example 1"),
        "{}",
        told(&empty, None)
    );
    assert!(told(&empty, None).contains("its mask is empty"));
}

/// Frame by frame what the segmenter finds by the same examples.
#[test]
fn a_video_is_followed_by_examples() {
    let golden = Golden::open();
    let example = som_core::Example {
        image: golden.pixels.clone(),
        labels: {
            let (width, height) = golden.pixels.dimensions();
            let inside = |at: u32| at % width < width / 2 && at / width > height / 3;
            (0..width * height).map(|at| u8::from(inside(at))).collect()
        },
    };
    let (width, height) = golden.pixels.dimensions();
    let size = Size::new(width, height);
    let mask = Mask::from_dense(size, size.bbox(), &example.labels).unwrap();
    let said = ObjectHints {
        object: 4,
        hints: Hints {
            masks: vec![mask.to_rle()],
            ..Hints::default()
        },
        remove: false,
    };
    let weights = crate::golden::file("checkpoint.pth");
    let device = std::env::var("SOM_TEST_DEVICE").unwrap_or_else(|_| "cpu".to_owned());
    let options = json!({
        "weights": weights, "device": device, "precision": "fp32", "cache_mib": 0, "num_frames": 1,
    });
    let mut tracker =
        SegGptTracker::create(&Call::uncancellable(options.as_object().unwrap())).unwrap();
    // The same picture, darker from frame to frame.
    let frames: Vec<RgbImage> = (0..3)
        .map(|frame| {
            let mut pixels = golden.pixels.clone();
            pixels
                .iter_mut()
                .for_each(|it| *it = it.saturating_sub(20 * frame));
            pixels
        })
        .collect();
    let mut track = |index: usize, params: &Params| {
        let frame = Frame {
            image: view(&frames[index]),
            index: index as u64,
            count: None,
            is_backward: false,
        };
        tracker.frame(&frame, &Call::uncancellable(params)).unwrap()
    };
    let mut params = json!({"embedding_type": "instance", "threshold": 100});
    let plain = params.as_object().unwrap().clone();
    params["hints"] = ObjectHints::to_value(&[said]).unwrap();
    let first = track(0, params.as_object().unwrap());
    assert_eq!(
        (first[0].object, &first[0].region.mask),
        (4, &mask),
        "as people said"
    );

    let _guard = tch::no_grad_guard();
    let call_params: CallParams = Call::uncancellable(&plain).parse().unwrap();
    let mut examples = vec![example];
    for (index, pixels) in frames.iter().enumerate().skip(1) {
        let encoded = golden.seg_gpt.network.encode(&view(pixels)).unwrap();
        let call = Call::uncancellable(&plain);
        let found = golden
            .seg_gpt
            .read(&encoded, &examples, &call_params, &call)
            .unwrap();
        let expected = regions::bright(&found, 100, size).unwrap();
        let tracked = track(index, &plain);
        assert_eq!(tracked.len(), expected.len(), "frame {index}");
        let found = expected.first().map(|it| it.mask.clone());
        assert_eq!(tracked.first().map(|it| it.region.mask.clone()), found);
        // One frame is remembered, beside what people said.
        examples.truncate(1);
        examples.extend(found.map(|mask| som_core::Example {
            image: pixels.clone(),
            labels: mask.to_dense(size.bbox()),
        }));
    }
}
