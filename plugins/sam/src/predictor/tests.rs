//! Parity with the official project, intermediate by intermediate and mask by mask: on the CPU, or
//! on the device that SOM_TEST_DEVICE names.

use std::{env, path::Path};

use image::RgbImage;
use serde_json::Value;
use som_core::{BoxHint, Hints, Mask, Params, PointHint, Rle};
use som_torch::{
    Checkpoint, Precision,
    decoder::Meaning,
    generate::{Automatic, generate},
    interactive,
};
use tch::IndexOp;

use super::*;
use crate::params::CallParams;

/// Numbers of the official project for one checkpoint and image.
struct Golden {
    expected: Checkpoint,
    json: Value,
    predictor: Predictor,
    pixels: RgbImage,
}

impl Golden {
    fn open(name: &str) -> Self {
        let device = env::var("SOM_TEST_DEVICE").unwrap_or_else(|_| "cpu".to_owned());
        let compute = Compute::open(&device, Precision::Fp32).unwrap();
        // Relative, so that the tests can be carried to a machine with a GPU.
        let folder = Path::new("tests/assets").join(name);
        let source = Source::open(&folder.join("checkpoint.pth"), None, compute).unwrap();
        Self {
            expected: Checkpoint::open(&folder.join("expected.safetensors")).unwrap(),
            json: serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap())
                .unwrap(),
            predictor: Predictor::open(&source).unwrap(),
            pixels: image::open(folder.join("image.png")).unwrap().into_rgb8(),
        }
    }

    fn image(&self) -> Image<'_> {
        Image::from_raw(
            self.pixels.width(),
            self.pixels.height(),
            self.pixels.as_raw().as_slice(),
        )
        .unwrap()
    }

    fn encode(&self) -> EncodedImage {
        self.predictor
            .run_encoder(&self.image(), &Call::uncancellable(&Params::new()))
            .unwrap()
    }

    fn has(&self, name: &str) -> bool {
        self.expected.shape(name).is_some()
    }

    fn tensor(&self, name: &str) -> Tensor {
        self.expected.tensor(name).unwrap()
    }

    /// Compares with the tensor of that name, where there is one.
    fn compare(&self, name: &str, found: &Tensor, tolerance: f64) {
        if !self.has(name) {
            return;
        }
        let expected = self.tensor(name);
        assert_eq!(found.size(), expected.size(), "{name}");
        if expected.numel() == 0 {
            return;
        }
        let worst = (found.to_device(Device::Cpu) - &expected)
            .abs()
            .max()
            .double_value(&[]);
        assert!(worst <= tolerance, "{name}: off by {worst}");
    }
}

/// `[height, width, channels]` as the official project has it.
fn channels_first(x: &Tensor) -> Tensor {
    x.permute([2, 0, 1]).unsqueeze(0)
}

fn both(check: impl Fn(&Golden)) {
    let _guard = tch::no_grad_guard();
    for name in ["tiny", "shapes"] {
        check(&Golden::open(name));
    }
}

#[test]
fn the_image_encoder_matches() {
    both(|golden| {
        let predictor = &golden.predictor;
        let image = golden.image();
        let inside =
            resize::longest_side(Size::new(image.width(), image.height()), predictor.side());
        let resized = resize::bilinear(&image, inside);
        if golden.has("input.resized_u8_hwc") {
            let expected = golden.tensor("input.resized_u8_hwc");
            let size = [i64::from(inside.height), i64::from(inside.width), 3];
            assert_eq!(expected.size(), size);
            let expected = Vec::<u8>::try_from(expected.flatten(0, -1)).unwrap();
            assert!(expected == *resized.as_raw(), "resized image");
        }
        let input = predictor.input(&image, inside).unwrap();
        let rows: Vec<i64> =
            serde_json::from_value(golden.json["preprocessed_rows_y"].clone()).unwrap();
        let rows = input.index_select(0, &Tensor::from_slice(&rows).to_device(input.device()));
        golden.compare("input.preprocessed_rows", &channels_first(&rows), 1e-6);
        let encoder = &predictor.sam.image_encoder;
        let grid = predictor.sam.config.grid;
        let mut x = encoder.embed_patches(&input).unwrap();
        golden.compare(
            "encoder.patch_embed",
            &(&x - &*encoder.positions).unsqueeze(0),
            1e-4,
        );
        for (index, block) in encoder.blocks.iter().enumerate() {
            let name = format!("encoder.block{index}");
            if golden.has(&format!("{name}.attn")) {
                let attended = block.attend(&x).unwrap().to_device(Device::Cpu);
                // The official project keeps its windows, and what they hold beyond the image.
                let windows = golden.tensor(&format!("{name}.attn"));
                let (count, side, _, _) = windows.size4().unwrap();
                let across = (count as f64).sqrt() as i64;
                let map = windows
                    .view([across, across, side, side, -1])
                    .permute([0, 2, 1, 3, 4]);
                let map = map
                    .reshape([across * side, across * side, -1])
                    .i((..grid, ..grid));
                assert!(
                    (attended - map).abs().max().double_value(&[]) < 1e-4,
                    "{name}.attn"
                );
            }
            x = block.forward(&x).unwrap();
            golden.compare(&name, &x.unsqueeze(0), 1e-4);
        }
        let neck = &encoder.neck;
        let x = neck.project.forward(&x).unwrap();
        golden.compare("encoder.neck0", &channels_first(&x), 1e-4);
        let x = neck.norm1.forward(&x).unwrap();
        golden.compare("encoder.neck1", &channels_first(&x), 1e-4);
        let x = neck.smooth.forward(&x).unwrap();
        golden.compare("encoder.neck2", &channels_first(&x), 1e-4);
        let embedding = golden.encode().embedding.view([grid, grid, -1]);
        golden.compare("image_embedding", &channels_first(&embedding), 1e-4);
        golden.compare(
            "dense_pe",
            &channels_first(&predictor.places.view([grid, grid, -1])),
            1e-5,
        );
    });
}

/// The prompt of a case of the official predictor.
fn tokens(case: &Value, image: &EncodedImage, side: u32) -> Vec<PromptToken> {
    let coordinates: Vec<[f64; 2]> =
        serde_json::from_value(case["point_coords"].clone()).unwrap_or_default();
    let labels: Vec<u8> = serde_json::from_value(case["point_labels"].clone()).unwrap_or_default();
    let meaning = |label| {
        if label == 0 {
            Meaning::Background
        } else {
            Meaning::Foreground
        }
    };
    let mut tokens: Vec<PromptToken> = coordinates
        .iter()
        .zip(labels)
        .map(|(&[x, y], label)| image.token(x, y, meaning(label), side))
        .collect();
    if let Ok([left, top, right, bottom]) = serde_json::from_value::<[f64; 4]>(case["box"].clone())
    {
        tokens.push(image.token(left, top, Meaning::TopLeft, side));
        tokens.push(image.token(right, bottom, Meaning::BottomRight, side));
    } else if !tokens.is_empty() {
        tokens.push(PromptToken::PADDING);
    }
    tokens
}

#[test]
fn prompts_match() {
    both(|golden| {
        let predictor = &golden.predictor;
        let encoded = golden.encode();
        let grid = predictor.sam.config.grid;
        let low = predictor.sam.config.decoder.low();
        for (name, case) in golden.json["predict"].as_object().unwrap() {
            let name = format!("predict.{name}");
            let tokens = tokens(case, &encoded, predictor.side());
            let embedded = predictor
                .sam
                .prompt_encoder
                .embed_tokens(std::slice::from_ref(&tokens))
                .unwrap();
            golden.compare(&format!("{name}.sparse_embeddings"), &embedded, 1e-4);
            let mask_name = format!("{name}.mask_input");
            let side = if golden.has(&mask_name) {
                let logits = golden.tensor(&mask_name).squeeze_dim(0);
                let logits = logits.to_device(predictor.compute.device);
                let dense = predictor.sam.prompt_encoder.embed_mask(&logits).unwrap();
                let dense = channels_first(&dense.view([grid, grid, -1]));
                golden.compare(&format!("{name}.dense_embeddings"), &dense, 1e-4);
                predictor.with_mask(&encoded, &logits).unwrap()
            } else {
                encoded.side.clone()
            };
            let decoded = predictor.run_decoder(&side, &[tokens]).unwrap();
            let decoder = &predictor.sam.mask_decoder;
            let decoder_masks = predictor.sam.config.decoder.masks;
            let all = 1 + decoder_masks + embedded.size()[1];
            let transformed = decoder.tokens(&decoded.decoded, 0, all).unwrap();
            golden.compare(&format!("{name}.transformer_tokens"), &transformed, 1e-4);
            let image = decoded.decoded.image();
            golden.compare(&format!("{name}.transformer_image"), image, 1e-4);
            let upscaled = decoder.enlarge(&decoded.decoded).unwrap();
            let upscaled = upscaled.view(&[1, grid, grid, 2, 2, 2, 2, -1] as &[i64]);
            let upscaled = upscaled
                .permute([0, 7, 1, 3, 5, 2, 4, 6])
                .reshape([1, -1, low, low]);
            golden.compare(&format!("{name}.upscaled"), &upscaled, 1e-4);
            let ambiguous = case["multimask_output"].as_bool().unwrap();
            let ious = &decoded.ious[0];
            let ious = if ambiguous { &ious[1..] } else { &ious[..1] };
            golden.compare(
                &format!("{name}.iou_predictions"),
                &Tensor::from_slice(ious),
                1e-5,
            );
            let logits = predictor.logits(&decoded, &[0], ambiguous).unwrap();
            let found = Tensor::from_slice(logits.numbers()).view([-1, low, low]);
            golden.compare(&format!("{name}.low_res_logits"), &found, 1e-4);
            let upsampling = predictor.upsampling_of(&encoded, encoded.size.bbox(), encoded.size);
            let expected: Vec<Rle> = serde_json::from_value(case["masks"].clone()).unwrap();
            let found: Vec<Mask> = logits
                .masks()
                .map(|logits| upsampling.threshold(logits, 0.0, 1.0).mask)
                .collect();
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                let iou = found.iou(&Mask::from_rle(expected).unwrap());
                assert!(iou >= 0.999, "{name}: IoU {iou}");
            }
        }
    });
}

#[test]
fn batched_prompts_match() {
    both(|golden| {
        let predictor = &golden.predictor;
        let encoded = golden.encode();
        let side = predictor.side();
        let low = predictor.sam.config.decoder.low();
        // Coordinates of the square input, in single precision.
        let token = |x: f64, y: f64, meaning| PromptToken {
            x: (x as f32 + 0.5) / side as f32,
            y: (y as f32 + 0.5) / side as f32,
            meaning,
        };
        let boxes = Vec::<Vec<f64>>::try_from(
            golden
                .tensor("predict_torch.boxes_input_frame")
                .to_kind(Kind::Double),
        );
        let points = golden
            .tensor("predict_torch.points_input_frame")
            .to_kind(Kind::Double);
        let points = Vec::<Vec<Vec<f64>>>::try_from(points).unwrap();
        let labels =
            Vec::<Vec<i32>>::try_from(golden.tensor("predict_torch.point_labels")).unwrap();
        let corners: Vec<Vec<PromptToken>> = boxes
            .unwrap()
            .iter()
            .map(|corners| {
                vec![
                    token(corners[0], corners[1], Meaning::TopLeft),
                    token(corners[2], corners[3], Meaning::BottomRight),
                ]
            })
            .collect();
        let clicks: Vec<Vec<PromptToken>> = points
            .iter()
            .zip(&labels)
            .map(|(points, labels)| {
                let meaning = |label| {
                    if label == 0 {
                        Meaning::Background
                    } else {
                        Meaning::Foreground
                    }
                };
                points
                    .iter()
                    .zip(labels)
                    .map(|(point, &label)| token(point[0], point[1], meaning(label)))
                    .collect()
            })
            .collect();
        let padded: Vec<Vec<PromptToken>> = clicks
            .iter()
            .map(|clicks| [clicks.as_slice(), &[PromptToken::PADDING]].concat())
            .collect();
        let with_boxes: Vec<Vec<PromptToken>> = clicks
            .iter()
            .zip(&corners)
            .map(|(clicks, corners)| [clicks.as_slice(), corners].concat())
            .collect();
        for (name, prompts) in [
            ("boxes_only", corners),
            ("points_only", padded),
            ("points_and_boxes", with_boxes),
        ] {
            let decoded = predictor.run_decoder(&encoded.side, &prompts).unwrap();
            let ious: Vec<f32> = decoded
                .ious
                .iter()
                .flat_map(|ious| ious[1..].to_vec())
                .collect();
            let ious = Tensor::from_slice(&ious).view([-1, 3]);
            golden.compare(
                &format!("predict_torch.{name}.iou_predictions"),
                &ious,
                1e-5,
            );
            let all: Vec<usize> = (0..prompts.len()).collect();
            let logits = predictor.logits(&decoded, &all, true).unwrap();
            let logits = Tensor::from_slice(logits.numbers()).view([-1, 3, low, low]);
            golden.compare(
                &format!("predict_torch.{name}.low_res_logits"),
                &logits,
                1e-4,
            );
        }
    });
}

#[test]
fn automatic_generation_matches() {
    both(|golden| {
        let call_params = Params::new();
        let call = Call::uncancellable(&call_params);
        let predictor = &golden.predictor;
        for (name, setting) in golden.json["amg"].as_object().unwrap() {
            let params: Automatic = serde_json::from_value(setting["params"].clone()).unwrap();
            let encode = |image: &Image<'_>| predictor.run_encoder(image, &call);
            let found = generate(predictor, encode, &golden.image(), &params, &call).unwrap();
            let expected = setting["masks"].as_array().unwrap();
            assert_eq!(found.len(), expected.len(), "{name}");
            for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
                let mask: Rle = serde_json::from_value(expected["segmentation"].clone()).unwrap();
                let iou = found.mask.iou(&Mask::from_rle(&mask).unwrap());
                assert!(iou >= 0.999, "{name} {index}: IoU {iou}");
                let near = |key: &str, found: f64, tolerance: f64| {
                    let expected = expected[key].as_f64().unwrap();
                    assert!(
                        (found - expected).abs() <= tolerance,
                        "{name} {index} {key}: {found} {expected}"
                    );
                };
                near("predicted_iou", found.predicted_iou.into(), 1e-5);
                near("stability_score", found.stability_score.into(), 2e-3);
                let point: [[f64; 2]; 1] =
                    serde_json::from_value(expected["point_coords"].clone()).unwrap();
                assert!(
                    (0..2).all(|axis| (found.points[0][axis] - point[0][axis]).abs() < 1e-9),
                    "{name} {index}"
                );
                let [x, y, width, height]: [f64; 4] =
                    serde_json::from_value(expected["crop_box"].clone()).unwrap();
                let crop = BBox::new(x as u32, y as u32, width as u32, height as u32);
                assert_eq!(found.crop, crop, "{name} {index}");
            }
        }
    });
}

#[test]
fn weights_that_give_no_numbers_are_an_error_not_an_empty_image() {
    let _guard = tch::no_grad_guard();
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let spoil = |weight: &Tensor| drop(weight.shallow_clone().fill_(f64::NAN));

    let golden = Golden::open("shapes");
    spoil(&golden.predictor.sam.image_encoder.positions);
    let error = golden
        .predictor
        .run_encoder(&golden.image(), &call)
        .unwrap_err();
    assert!(error.message().contains("image encoder"), "{error}");

    let golden = Golden::open("shapes");
    spoil(&golden.predictor.sam.prompt_encoder.no_mask);
    let encoded = golden.encode();
    let token = encoded.token(1.0, 1.0, Meaning::Foreground, golden.predictor.side());
    let prompts = [vec![token, PromptToken::PADDING]];
    let error = golden
        .predictor
        .run_decoder(&encoded.side, &prompts)
        .unwrap_err();
    assert!(error.message().contains("mask decoder"), "{error}");
}

#[test]
fn hints_give_what_the_official_predictor_gives() {
    both(|golden| {
        let encoded = golden.encode();
        let schema: Value = serde_json::from_str(crate::SAM.schema).unwrap();
        let mut params: Params = schema["params"]["properties"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(key, property)| (key.clone(), property["default"].clone()))
            .collect();
        for (name, case) in golden.json["predict"].as_object().unwrap() {
            if !case["mask_input"].is_null() {
                continue;
            }
            let coordinates: Vec<[f64; 2]> =
                serde_json::from_value(case["point_coords"].clone()).unwrap_or_default();
            let labels: Vec<u8> =
                serde_json::from_value(case["point_labels"].clone()).unwrap_or_default();
            let boxes: Vec<[f64; 4]> = serde_json::from_value::<[f64; 4]>(case["box"].clone())
                .map(|corners| vec![corners])
                .unwrap_or_default();
            let hints = Hints {
                points: coordinates
                    .iter()
                    .zip(labels)
                    .map(|(&[x, y], label)| PointHint { x, y, label })
                    .collect(),
                boxes: boxes
                    .iter()
                    .map(|&[x, y, right, bottom]| BoxHint {
                        x,
                        y,
                        width: right - x,
                        height: bottom - y,
                    })
                    .collect(),
                ..Hints::default()
            };
            params["multimask_output"] = case["multimask_output"].clone();
            let call = Call::uncancellable(&params);
            let parsed: CallParams = call.parse().unwrap();
            let predictor = &golden.predictor;
            let upsampling = predictor.upsampling_of(&encoded, encoded.size.bbox(), encoded.size);
            let answer = |prompt: &_| predictor.answer(&encoded, prompt, parsed.multimask_output);
            let found =
                interactive::predict(&hints, encoded.size, &upsampling, 0.0, 1.0, &call, answer)
                    .unwrap();
            let expected: Vec<Rle> = serde_json::from_value(case["masks"].clone()).unwrap();
            let ious: Vec<f32> = serde_json::from_value(case["iou_predictions"].clone()).unwrap();
            assert_eq!(found.len(), expected.len(), "{name}");
            for ((found, expected), iou) in found.iter().zip(&expected).zip(ious) {
                let predicted = found.extra["predicted_iou"].as_f64().unwrap() as f32;
                assert!((predicted - iou).abs() < 1e-5, "{name}");
                assert!(
                    found.mask.iou(&Mask::from_rle(expected).unwrap()) >= 0.999,
                    "{name}"
                );
            }
        }
    });
}
