//! Every run of the official project, to the regions; and hints that nothing good comes of.

use image::RgbImage;
use serde_json::{Value, json};
use som_core::{
    BoxHint, Call, ErrorKind, Hints, Image, Mask, Params, Point, PointHint, Region, Rle, Schema,
    Size,
};
use som_torch::resize;

use crate::{
    SEEM,
    golden::{Golden, both},
    hints::{Asked, pixels},
    network::Frame,
    params::CallParams,
};

/// The regions of an image, without hints.
fn everything(golden: &Golden, image: &RgbImage, values: &Value) -> Vec<Region> {
    let schema: Value = serde_json::from_str(SEEM.schema).unwrap();
    let schema = Schema::compile(&schema["params"]).unwrap();
    let params: Params = schema.resolve("seem", values.as_object().unwrap()).unwrap();
    let call = Call::uncancellable(&params);
    let params: CallParams = call.parse().unwrap();
    let network = &golden.seem.network;
    let (width, height) = image.dimensions();
    let image = Image::from_raw(width, height, image.as_raw().as_slice()).unwrap();
    let text_size = network.config.settings.text_size;
    let encoded = network.encode(&image, text_size, &call).unwrap();
    let vocabulary = golden.seem.vocabulary(&params, &call).unwrap();
    let found = golden
        .seem
        .everything(&encoded, &vocabulary, &params, &call);
    let mut found = found.unwrap();
    found.retain(|region| !region.mask.is_empty());
    found
}

/// The image as the network sees it: seen again, it stays what it is.
fn resized(golden: &Golden) -> RgbImage {
    let network = &golden.seem.network;
    let text_size = network.config.settings.text_size;
    let inside = network.frame(golden.size(), text_size).inside;
    resize::bicubic(&golden.image(), inside)
}

fn mask(found: &Value) -> Mask {
    let rle: Rle = serde_json::from_value(found["segmentation"].clone()).unwrap();
    Mask::from_rle(&rle).unwrap()
}

/// Compares with the segments of a run, and their pixels with a label map.
fn assert_segments(golden: &Golden, run: &str, map: &str, found: &[Region]) {
    let expected = golden.json[run]["segments_info"].as_array().unwrap();
    assert_eq!(found.len(), expected.len(), "{run}");
    for (region, expected) in found.iter().zip(expected) {
        assert_eq!(
            region.label.as_deref(),
            expected["category_name"].as_str(),
            "{run}"
        );
        assert_eq!(region.extra["thing"], expected["isthing"], "{run}");
        let iou = region.mask.iou(&mask(expected));
        assert!(iou >= 0.999, "{run}: IoU {iou}");
    }
    let map = golden.tensor(map);
    let (_, width) = map.size2().unwrap();
    let pixels = Vec::<u8>::try_from(map.flatten(0, -1)).unwrap();
    let wrong = pixels.iter().zip(0..).filter(|&(&id, index)| {
        let point = Point::new(index % width as u32, index / width as u32);
        let found = found.iter().position(|region| region.mask.contains(point));
        found.map_or(0, |found| found + 1) != usize::from(id)
    });
    let wrong = wrong.count();
    assert!(wrong <= 5, "{run}: {wrong} pixels differ");
}

#[test]
fn panoptic_segments_are_the_official_ones() {
    both(|golden| {
        let seen = resized(golden);
        for (run, map, image) in [
            ("panoptic", "pano/panoptic_seg", &seen),
            ("panoptic_loose", "pano_loose/panoptic_seg", &seen),
            (
                "panoptic_original_size",
                "pano_orig/panoptic_seg",
                &golden.pixels,
            ),
        ] {
            let thresholds = &golden.json[run];
            let found = everything(
                golden,
                image,
                &json!({
                    "object_mask_threshold": thresholds["object_mask_threshold"],
                    "overlap_threshold": thresholds["overlap_threshold"],
                }),
            );
            assert_segments(golden, run, map, &found);
        }
    });
}

#[test]
fn the_classes_of_a_call_are_looked_for_alone() {
    both(|golden| {
        let values = json!({
            "classes": ["cup", "person"], "things": ["cup"], "object_mask_threshold": 0.0,
        });
        for region in everything(golden, &golden.pixels, &values) {
            let label = region.label.unwrap();
            assert!(["cup", "person"].contains(&label.as_str()), "{label}");
            assert_eq!(region.extra["thing"], label == "cup");
        }
    });
}

#[test]
fn a_call_that_names_the_background_finds_it_as_a_class() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("focalt");
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let vocabulary = |names: &[&str]| {
        let params = json!({"classes": names});
        let params: CallParams = serde_json::from_value(params).unwrap();
        golden.seem.vocabulary(&params, &call).unwrap()
    };
    for names in [["cup", "background"], ["cup", "spoon"]] {
        let found = vocabulary(&names);
        let (_, known) = found.weights.embeddings.size2().unwrap();
        assert_eq!(found.classes.len(), 2);
        let has_nothing = known > found.nothing() as i64;
        assert_eq!(has_nothing, !names.contains(&"background"), "{names:?}");
    }
}

/// What a call with these hints finds, at the size of the image.
fn asked(golden: &Golden, asked: &Asked) -> Vec<Region> {
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let seed = golden.seem.network.config.settings.seed;
    let image = golden.encode();
    golden.seem.asked(&image, asked, seed, &call).unwrap()
}

#[test]
fn drawings_and_texts_find_what_they_find_there() {
    both(|golden| {
        let size = golden.size();
        let assert_found = |found: &Region, expected: &Value, what: &str| {
            let seen = mask(expected);
            let expected = seen.resized(size);
            let iou = found.mask.iou(&expected);
            // A pixel of what the network sees may flip with the order of its sums.
            let pixel = size.pixels().div_ceil(seen.size().pixels());
            let both = found.mask.intersection_area(&expected);
            let flipped = found.mask.area() + expected.area() - 2 * both;
            let name = golden.name;
            assert!(
                iou >= 0.999 || flipped <= pixel,
                "{name}: {what}: IoU {iou}"
            );
        };
        for (drawing, run) in golden.json["interactive"].as_object().unwrap() {
            let expected = run["prompts"].as_array().unwrap();
            let places = golden.places(drawing);
            let found = asked(
                golden,
                &Asked {
                    numbers: (0..places.len()).collect(),
                    places,
                    texts: Vec::new(),
                },
            );
            assert_eq!(found.len(), expected.len(), "{drawing}");
            for (found, expected) in found.iter().zip(expected) {
                assert_found(found, expected, drawing);
            }
            assert_eq!(found[1].extra["prompt"], 1, "{drawing}");
        }
        for run in golden.json["grounding"].as_array().unwrap() {
            let texts = run["texts"].as_array().unwrap().iter();
            let texts: Vec<String> = texts.map(|it| it.as_str().unwrap().to_owned()).collect();
            let asked_for = Asked {
                places: Vec::new(),
                numbers: Vec::new(),
                texts: texts.clone(),
            };
            let found = asked(golden, &asked_for);
            assert_eq!(found.len(), texts.len(), "{texts:?}");
            for (index, (found, text)) in found.iter().zip(&texts).enumerate() {
                assert_found(found, &run["masks"][index], text);
                assert_eq!(found.label.as_ref(), Some(text));
            }
        }
    });
}

const SIZE: Size = Size::new(40, 30);

#[test]
fn each_hint_is_a_place() {
    let drawn = Mask::rect(SIZE, som_core::BBox::new(2, 3, 4, 5));
    let drawn = drawn.union(&Mask::rect(SIZE, som_core::BBox::new(20, 1, 3, 3)));
    let hints = Hints {
        points: vec![PointHint {
            x: 7.5,
            y: 8.9,
            label: 1,
        }],
        boxes: vec![BoxHint {
            x: 1.5,
            y: 2.0,
            width: 3.0,
            height: 4.0,
        }],
        strokes: vec![drawn.to_rle()],
        masks: vec![drawn.to_rle()],
        texts: vec!["a cup".to_owned()],
        ..Hints::default()
    };
    let asked = Asked::of(&hints, SIZE).unwrap();
    let boxes: Vec<_> = asked.places.iter().map(Mask::bbox).collect();
    let expected = [
        som_core::BBox::new(7, 8, 1, 1),
        som_core::BBox::new(1, 2, 4, 4),
        som_core::BBox::new(20, 1, 3, 3),
        som_core::BBox::new(2, 3, 4, 5),
        som_core::BBox::new(2, 1, 21, 7),
    ];
    assert_eq!(boxes, expected);
    // Both parts of the stroke are of the same hint.
    assert_eq!(asked.numbers, [0, 1, 2, 2, 3]);
    assert_eq!(asked.texts, ["a cup"]);
}

#[test]
fn hints_that_say_nothing_are_refused() {
    let refused = |hints: &Hints| Asked::of(hints, SIZE).unwrap_err();
    let background = Hints {
        points: vec![PointHint {
            x: 1.0,
            y: 1.0,
            label: 0,
        }],
        ..Hints::default()
    };
    assert_eq!(refused(&background).kind(), ErrorKind::Unsupported);
    let outside = Hints {
        points: vec![PointHint {
            x: 40.0,
            y: 1.0,
            label: 1,
        }],
        ..Hints::default()
    };
    assert_eq!(refused(&outside).kind(), ErrorKind::Invalid);
    let empty = Hints {
        strokes: vec![Mask::empty(SIZE).to_rle()],
        ..Hints::default()
    };
    assert!(refused(&empty).message().contains("stroke 0 is empty"));
    let wordless = Hints {
        texts: vec![" \n".to_owned()],
        ..Hints::default()
    };
    assert!(refused(&wordless).message().contains("no words"));
    let noise = (0..1200).filter(|index| index % 2 == index / 40 % 2);
    let noise = noise.map(|index| som_core::BBox::new(index % 40, index / 40, 1, 1));
    let noise = noise.fold(Mask::empty(SIZE), |mask, pixel| {
        mask.union(&Mask::rect(SIZE, pixel))
    });
    let noise = Hints {
        strokes: vec![noise.to_rle()],
        ..Hints::default()
    };
    assert!(refused(&noise).message().contains("512 are the most"));
}

#[test]
fn what_a_small_image_shows_nothing_of_is_its_middle() {
    let place = Mask::rect(SIZE, som_core::BBox::new(36, 28, 1, 1));
    let frame = Frame {
        size: SIZE,
        inside: Size::new(4, 3),
        padded: Size::new(32, 32),
    };
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let found = pixels(&[place], &frame, &call).unwrap();
    assert_eq!((found.pixels, found.prompts), (vec![[0, 2, 3]], 1));
}

#[test]
fn a_long_text_is_cut_and_says_so() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("focalt");
    let long = Asked {
        places: Vec::new(),
        numbers: Vec::new(),
        texts: vec!["a cup ☕ ".repeat(60)],
    };
    let found = asked(&golden, &long);
    assert!(found[0].extra["cut_tokens"].as_u64().unwrap() > 0);
}

#[test]
fn the_same_seed_draws_the_same_whoever_draws_beside() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("focalt");
    let image = golden.encode();
    let pixels = golden.prompts("points", &image);
    let config = &golden.seem.network.config;
    let draw = |seed| {
        crate::network::Draws::new(&pixels, &config.decoder, config.settings.copies, seed).unwrap()
    };
    let first = draw(5);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..20 {
                        assert_eq!(draw(5), first);
                    }
                })
            })
            .collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    });
    assert_ne!(draw(6), first);
}
