//! Parity with the official project, prompt by prompt and mask by mask.

use image::RgbImage;
use serde_json::{Value, json};
use som_core::{BBox, Params};
use som_torch::{Candidate, decoder::Meaning, generate::generate};

use super::{encoded::token, *};
use crate::{
    SAM2,
    golden::{Golden, IOU, LOGIT, STAGE, as_map, compare_masks, size_of, view},
    params::CallParams,
    segmenter::{automatic, region},
};

/// The prompts of a case of the official predictor, each one's tokens.
fn prompts(case: &Value, size: Size, side: u32) -> Vec<Vec<PromptToken>> {
    // Fractions of the image there, where they are not pixels.
    let scale = match case["normalize_coords"].as_bool().unwrap() {
        true => [1.0; 2],
        false => [size.width, size.height].map(f64::from),
    };
    let place = |[x, y]: [f64; 2], meaning| token(x * scale[0], y * scale[1], meaning, size, side);
    let read = |key: &str, depth: usize| -> Value {
        let mut value = case[key].clone();
        let levels =
            |value: &Value| std::iter::successors(Some(value), |value| value.get(0)).count();
        // One prompt's are not in a list of their own.
        if !value.is_null() && levels(&value) < depth {
            value = json!([value]);
        }
        value
    };
    let boxes: Vec<[f64; 4]> = serde_json::from_value(read("box", 3)).unwrap_or_default();
    let points: Vec<Vec<[f64; 2]>> =
        serde_json::from_value(read("point_coords", 4)).unwrap_or_default();
    let labels: Vec<Vec<u8>> = serde_json::from_value(read("point_labels", 3)).unwrap_or_default();
    let count = boxes.len().max(points.len()).max(1);
    let prompt = |index: usize| {
        let mut tokens = Vec::new();
        if let Some(&[left, top, right, bottom]) = boxes.get(index) {
            tokens.push(place([left, top], Meaning::TopLeft));
            tokens.push(place([right, bottom], Meaning::BottomRight));
        }
        let points = points.get(index).into_iter().flatten();
        for (&point, label) in points.zip(labels.get(index).into_iter().flatten()) {
            let meaning = match label {
                0 => Meaning::Background,
                _ => Meaning::Foreground,
            };
            tokens.push(place(point, meaning));
        }
        if !tokens.is_empty() {
            tokens.push(PromptToken::PADDING);
        }
        tokens
    };
    (0..count).map(prompt).collect()
}

/// A case of the official predictor on an image of this size.
fn check(golden: &Golden, name: &str, case: &Value, image: &EncodedImage) {
    let predictor = &golden.predictor;
    let decoder = &predictor.sam2.mask_decoder;
    let prompts = prompts(case, image.size, predictor.side());
    let embedded = predictor
        .sam2
        .prompt_encoder
        .embed_tokens(&prompts)
        .unwrap();
    golden.compare(&format!("{name}.sparse_embeddings"), &embedded, 1e-4);
    let mask = format!("{name}.mask_input");
    let side = match golden.has(&mask) {
        true => {
            let logits = golden.tensor(&mask).squeeze_dim(0);
            let logits = logits.to_device(predictor.compute.device);
            let dense = predictor.sam2.prompt_encoder.embed_mask(&logits).unwrap();
            golden.compare(&format!("{name}.dense_embeddings"), &as_map(&dense), 1e-4);
            predictor.with_mask(image, &logits).unwrap()
        }
        false => image.side.clone(),
    };
    let decoded = predictor.run_decoder(&side, &prompts).unwrap();
    let scores = decoder.object_scores(&decoded.decoded).unwrap().unwrap();
    golden.compare(&format!("{name}.object_score_logits"), &scores, LOGIT);
    // The object's token, the IoU's, four of masks.
    let own = 6;
    let all = own + embedded.size()[1];
    let tokens = decoder.tokens(&decoded.decoded, 0, all).unwrap();
    golden.compare(&format!("{name}.transformer_tokens"), &tokens, STAGE);
    let transformed = decoded.decoded.image();
    golden.compare(&format!("{name}.transformer_image"), transformed, STAGE);
    if golden.has(&format!("{name}.upscaled")) {
        let (grid, low) = (i64::from(predictor.low()) / 4, i64::from(predictor.low()));
        let upscaled = decoder.enlarge(&decoded.decoded).unwrap();
        let upscaled = upscaled
            .view(&[1, grid, grid, 2, 2, 2, 2, -1] as &[i64])
            .permute([0, 7, 1, 3, 5, 2, 4, 6])
            .reshape([1, -1, low, low]);
        golden.compare(&format!("{name}.upscaled"), &upscaled, STAGE);
    }
    let ious = Tensor::from_slice2(&decoded.ious);
    golden.compare(&format!("{name}.all_four_ious"), &ious, IOU);
    let is_ambiguous = case["multimask_output"].as_bool().unwrap();
    let name_of_tokens = format!("{name}.output_tokens");
    let (first, count) = if is_ambiguous { (1, 3) } else { (0, 1) };
    let tokens = decoder.mask_tokens(&decoded.decoded, first, count).unwrap();
    golden.compare(&name_of_tokens, &tokens, STAGE);

    let low = predictor.low();
    let (ious, masks): (Vec<f32>, Vec<Vec<f32>>) = if is_ambiguous {
        let all: Vec<usize> = (0..prompts.len()).collect();
        let logits = predictor.logits(&decoded, &all, 1, 3).unwrap();
        let ious = decoded.ious.iter().flat_map(|ious| ious[1..].to_vec());
        (
            ious.collect(),
            logits.masks().map(<[f32]>::to_vec).collect(),
        )
    } else {
        let singles = predictor.singles(&decoded).unwrap();
        check_choice(case, &decoded, &singles);
        singles.into_iter().map(|it| (it.iou, it.logits)).unzip()
    };
    let like = |name: &str, found: &[f32], tolerance: f64| {
        if golden.has(name) {
            let found = Tensor::from_slice(found).view(&*golden.tensor(name).size());
            golden.compare(name, &found, tolerance);
        }
    };
    like(&format!("{name}.iou_predictions"), &ious, IOU);
    let clamped: Vec<f32> = masks
        .iter()
        .flatten()
        .map(|it| it.clamp(-32.0, 32.0))
        .collect();
    like(&format!("{name}.low_res_logits"), &clamped, LOGIT);

    let arguments = &golden.json["predict_holes_args"];
    let (small, threshold) = match name.starts_with("predict_holes.") {
        true => (
            SmallParts {
                holes: arguments["max_hole_area"].as_u64().unwrap(),
                sprinkles: arguments["max_sprinkle_area"].as_u64().unwrap(),
            },
            arguments["mask_threshold"].as_f64().unwrap() as f32,
        ),
        false => (SmallParts::default(), 0.0),
    };
    let upsampling = predictor.upsampling_of(image.size.bbox(), image.size);
    let expected = case["masks"].as_array().unwrap();
    assert_eq!(masks.len(), expected.len(), "{name}");
    for ((mut logits, expected), index) in masks.into_iter().zip(expected).zip(0..) {
        small
            .change(&mut logits, Size::new(low, low), threshold)
            .unwrap();
        let mask = upsampling.threshold(&logits, threshold, 1.0).mask;
        compare_masks(&format!("{name} {index}"), &mask, expected, 0.98);
    }
}

/// Whether the first mask gave way where it did there.
fn check_choice(case: &Value, decoded: &DecodedPrompts, singles: &[Single]) {
    let told = &case["dynamic_multimask"];
    let best: Vec<usize> = serde_json::from_value(told["best_of_tokens_1_to_3"].clone()).unwrap();
    let kept: Vec<bool> = serde_json::from_value(told["token0_kept"].clone()).unwrap();
    let is_dynamic = told["enabled"].as_bool().unwrap();
    for (((ious, single), best), kept) in decoded.ious.iter().zip(singles).zip(best).zip(kept) {
        assert_eq!(best_of_others(ious).map(|(mask, _)| mask), Some(best));
        let expected = if kept || !is_dynamic {
            ious[0]
        } else {
            ious[best]
        };
        assert_eq!(single.iou, expected);
    }
}

#[test]
fn prompts_match() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open();
    let image = golden.encode();
    for group in ["predict", "predict_holes"] {
        for (name, case) in golden.json[group].as_object().unwrap() {
            check(&golden, &format!("{group}.{name}"), case, &image);
        }
    }
    let plain = Golden::with(&[("dynamic_multimask_via_stability", json!(false))]);
    for (name, case) in golden.json["predict_plain"].as_object().unwrap() {
        check(&plain, &format!("predict_plain.{name}"), case, &image);
    }
}

#[test]
fn images_of_other_sizes_match() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open();
    let batch = &golden.json["predict_image_batch"];
    // The first one mirrored, and a part of it.
    let mirrored = image::imageops::flip_horizontal(&golden.pixels);
    let second = image::imageops::crop_imm(&mirrored, 20, 10, 323, 241).to_image();
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let items = batch["items"].as_array().unwrap();
    for ((pixels, item), index) in [&golden.pixels, &second].into_iter().zip(items).zip(0..) {
        let image = golden.predictor.run_encoder(&view(pixels), &call).unwrap();
        let case = json!({
            "point_coords": batch["point_coords"][index],
            "point_labels": [1],
            "box": null,
            "normalize_coords": true,
            "multimask_output": true,
            "masks": item["masks"],
        });
        check(
            &golden,
            &format!("predict_image_batch.{index}"),
            &case,
            &image,
        );
    }
}

/// The parameters of a call that says these.
fn params(values: &Value) -> CallParams {
    let schema: Value = serde_json::from_str(SAM2.schema).unwrap();
    let schema = som_core::Schema::compile(&schema["params"]).unwrap();
    let mut values: Params = serde_json::from_value(values.clone()).unwrap();
    values.remove("output_mode");
    let values = schema.resolve("sam2", &values).unwrap();
    Call::uncancellable(&values).parse().unwrap()
}

/// Masks in the order of the official ones, where that is no question of less than the tolerance: the
/// second answer of a network that is told its first one (`use_m2m`) makes a thousand times as much of
/// the last bits of both.
fn in_order(found: Vec<Candidate>, expected: &[Value]) -> Vec<Candidate> {
    let mut found: Vec<Option<Candidate>> = found.into_iter().map(Some).collect();
    let iou = |index: usize| expected[index]["predicted_iou"].as_f64().unwrap();
    let mut ordered = Vec::new();
    for (index, mask) in expected.iter().enumerate() {
        let point: [[f64; 2]; 1] = serde_json::from_value(mask["point_coords"].clone()).unwrap();
        let is_it = |candidate: &Candidate| {
            let off = (f64::from(candidate.predicted_iou) - iou(index)).abs();
            candidate.points[0].map(|it| f64::from(it as f32)) == point[0] && off <= IOU
        };
        let place = found
            .iter()
            .position(|it| it.as_ref().is_some_and(is_it))
            .unwrap();
        assert!(
            (iou(place) - iou(index)).abs() <= IOU / 2.0,
            "{index} is at {place}"
        );
        ordered.extend(found[place].take());
    }
    ordered
}

#[test]
fn automatic_generation_matches() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open();
    let none = Params::new();
    let call = Call::uncancellable(&none);
    for (name, setting) in golden.json["amg"].as_object().unwrap() {
        let (asked, automatic) = automatic(&golden.predictor, params(&setting["params"]));
        let encode = |image: &Image<'_>| golden.predictor.run_encoder(image, &call);
        let found = generate(&asked, encode, &golden.image(), &automatic, &call).unwrap();
        let expected = setting["masks"].as_array().unwrap();
        assert_eq!(found.len(), expected.len(), "{name}");
        let found = in_order(found, expected);
        for ((found, expected), index) in found.into_iter().zip(expected).zip(0..) {
            let found = region(found);
            let name = format!("{name} {index}");
            compare_masks(&name, &found.mask, &expected["segmentation"], 0.98);
            let near = |key: &str, tolerance: f64| {
                let (found, expected) = (&found.extra[key], &expected[key]);
                let off = found.as_f64().unwrap() - expected.as_f64().unwrap();
                println!("{name} {key}: off by {off:.1e}");
                assert!(off.abs() <= tolerance, "{name} {key}: {found} {expected}");
            };
            near("predicted_iou", IOU);
            near("stability_score", 2e-2);
            assert_eq!(
                found.extra["point_coords"], expected["point_coords"],
                "{name}"
            );
            let crop: [f64; 4] = serde_json::from_value(expected["crop_box"].clone()).unwrap();
            let found_crop: [f64; 4] =
                serde_json::from_value(found.extra["crop_box"].clone()).unwrap();
            assert_eq!(found_crop, crop, "{name}");
            let [x, y, width, height]: [f64; 4] =
                serde_json::from_value(expected["bbox"].clone()).unwrap();
            let BBox {
                x: left,
                y: top,
                width: across,
                height: down,
            } = found.mask.bbox();
            // To the last column and row there.
            let off = [
                f64::from(left) - x,
                f64::from(top) - y,
                f64::from(left + across) - 1.0 - x - width,
                f64::from(top + down) - 1.0 - y - height,
            ];
            assert!(off.iter().all(|off| off.abs() <= 2.0), "{name}: {off:?}");
        }
    }
}

#[test]
fn a_whole_grid_matches() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open();
    let image = golden.encode();
    let predictor = &golden.predictor;
    let points = golden.tensor("grid.points_orig_frame");
    let points = Vec::<Vec<f64>>::try_from(points).unwrap();
    let click = |point: &Vec<f64>| {
        let click = token(
            point[0],
            point[1],
            Meaning::Foreground,
            image.size,
            predictor.side(),
        );
        vec![click, PromptToken::PADDING]
    };
    let clicks: Vec<_> = points.iter().map(click).collect();
    let decoded = predictor.run_decoder(&image.side, &clicks).unwrap();
    let ious: Vec<f32> = decoded
        .ious
        .iter()
        .flat_map(|ious| ious[1..].to_vec())
        .collect();
    let ious = Tensor::from_slice(&ious).view([-1, 3]);
    golden.compare("grid.iou_predictions", &ious, IOU);
    let all: Vec<usize> = (0..clicks.len()).collect();
    let logits = predictor.logits(&decoded, &all, 1, 3).unwrap();
    let upsampling = predictor.upsampling_of(image.size.bbox(), image.size);
    for offset in [0.5, 1.0_f32] {
        let found = logits
            .masks()
            .map(|logits| upsampling.threshold(logits, 0.0, offset));
        let found: Vec<_> = found.collect();
        let stable: Vec<f32> = found.iter().map(|found| found.stability_score).collect();
        let stable = Tensor::from_slice(&stable).view([-1, 3]);
        golden.compare(&format!("grid.stability_offset_{offset:.1}"), &stable, 2e-2);
        let areas: Vec<f32> = found.iter().map(|found| found.mask.area() as f32).collect();
        let expected = golden.tensor("grid.areas").to_kind(tch::Kind::Float);
        let off = (Tensor::from_slice(&areas).view([-1, 3]) - &expected) / (expected + 100);
        let off = off.abs().max().double_value(&[]);
        println!("areas: off by {off:.1e}");
        assert!(off < 2e-2, "{off}");
    }
}

#[test]
fn weights_that_give_no_numbers_are_an_error_not_an_empty_image() {
    let _guard = tch::no_grad_guard();
    let none = Params::new();
    let call = Call::uncancellable(&none);
    let spoil = |weight: &Tensor| drop(weight.shallow_clone().fill_(f64::NAN));

    let golden = Golden::open();
    spoil(&golden.predictor.sam2.hiera.positions);
    let error = golden
        .predictor
        .run_encoder(&golden.image(), &call)
        .unwrap_err();
    assert!(error.message().contains("image encoder"), "{error}");

    let golden = Golden::open();
    spoil(&golden.predictor.sam2.prompt_encoder.no_mask);
    let image = golden.encode();
    let size = size_of(&golden.pixels);
    let click = token(1.0, 1.0, Meaning::Foreground, size, golden.predictor.side());
    let prompts = [vec![click, PromptToken::PADDING]];
    let error = golden
        .predictor
        .run_decoder(&image.side, &prompts)
        .unwrap_err();
    assert!(error.message().contains("mask decoder"), "{error}");
}

#[test]
fn a_black_picture_of_one_pixel_is_an_image() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open();
    let none = Params::new();
    let call = Call::uncancellable(&none);
    let pixels = RgbImage::new(1, 1);
    let image = golden.predictor.run_encoder(&view(&pixels), &call).unwrap();
    assert_eq!(image.size, Size::new(1, 1));
}
