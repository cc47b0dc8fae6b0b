//! Parity with the official project, intermediate by intermediate and mask by mask: on the CPU, or
//! on the device that SOM_TEST_DEVICE names.

use std::{collections::BTreeMap, env, fs, io::Write as _, path::Path};

use image::RgbImage;
use serde_json::{Value, json};
use som_core::{Call, Image, Mask, Params, Rle, Size};
use som_torch::{
    Checkpoint, Compute, Precision, decoder::Queries, generate::generate_whole,
    masks::MASK_THRESHOLD, resize,
};
use tch::{Device, Tensor};

use super::*;
use crate::{
    automatic::AtLevels,
    encoded::EncodedImage,
    levels::{Level, Levels},
    params::CallParams,
    selection::select,
};

/// Numbers of the official project for one checkpoint and image.
struct Golden {
    expected: Checkpoint,
    json: Value,
    network: SemanticSam,
    pixels: RgbImage,
}

impl Golden {
    fn open() -> Self {
        let device = env::var("SOM_TEST_DEVICE").unwrap_or_else(|_| "cpu".to_owned());
        let compute = Compute::open(&device, Precision::Fp32).unwrap();
        // Relative, so that the tests can be carried to a machine with a GPU.
        let folder = Path::new("tests/assets/tiny");
        let source = Source::open(&folder.join("checkpoint.pth"), None, compute).unwrap();
        let json = fs::read(folder.join("expected.json")).unwrap();
        Self {
            expected: Checkpoint::open(&folder.join("expected.safetensors")).unwrap(),
            json: serde_json::from_slice(&json).unwrap(),
            network: SemanticSam::open(&source).unwrap(),
            pixels: image::open(folder.join("image.png")).unwrap().into_rgb8(),
        }
    }

    fn image(&self) -> Image<'_> {
        let (width, height) = self.pixels.dimensions();
        Image::from_raw(width, height, self.pixels.as_raw().as_slice()).unwrap()
    }

    fn encode(&self) -> EncodedImage {
        let params = Params::new();
        let call = Call::uncancellable(&params);
        let text_size = self.network.config.text_size;
        self.network
            .encode_image(&self.image(), text_size, &call)
            .unwrap()
    }

    fn tensor(&self, name: &str) -> Tensor {
        self.expected.tensor(name).unwrap()
    }

    /// Compares with the tensor of that name, where there is one.
    fn compare(&self, name: &str, found: &Tensor, tolerance: f64) {
        if self.expected.shape(name).is_none() {
            return;
        }
        let expected = self.tensor(name);
        assert_eq!(found.size(), expected.size(), "{name}");
        let off = found.to_device(Device::Cpu) - &expected;
        let worst = off.abs().max().double_value(&[]);
        assert!(worst <= tolerance, "{name}: off by {worst}");
    }
}

/// `[height, width, channels]` as the official project has it.
fn channels_first(x: &Tensor) -> Tensor {
    x.permute([2, 0, 1]).unsqueeze(0)
}

#[test]
fn the_image_side_matches() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open();
    let network = &golden.network;
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let size = Size::new(golden.pixels.width(), golden.pixels.height());
    let inside = resize::shortest_side(size, network.config.text_size);
    let resized = resize::bicubic(&golden.image(), inside);
    let expected = golden.tensor("input.resized_u8_hwc");
    assert_eq!(
        expected.size(),
        [i64::from(inside.height), i64::from(inside.width), 3]
    );
    let expected = Vec::<u8>::try_from(expected.flatten(0, -1)).unwrap();
    assert!(expected == *resized.as_raw(), "resized image");

    let padded = network.config.padded(inside);
    let device = network.compute.device;
    let input = network
        .config
        .normalization
        .apply(&resized, padded, device)
        .unwrap();
    let rows: Vec<i64> =
        serde_json::from_value(golden.json["padded_normalized_rows_y"].clone()).unwrap();
    let rows = input.index_select(0, &Tensor::from_slice(&rows).to_device(device));
    golden.compare("input.padded_normalized_rows", &channels_first(&rows), 1e-6);

    let maps = network.backbone.forward(&input, &call).unwrap();
    for (index, map) in maps.iter().enumerate() {
        golden.compare(
            &format!("backbone.res{}", index + 2),
            &channels_first(map),
            1e-4,
        );
    }
    let prepared = network.pixel_decoder.prepare(&maps).unwrap();
    for (index, map) in prepared
        .levels
        .split(&prepared.tokens)
        .unwrap()
        .iter()
        .enumerate()
    {
        let name = format!("pixel_decoder.input_proj{index}");
        golden.compare(&name, &channels_first(map), 1e-4);
    }
    let positions = prepared.positions.unsqueeze(0);
    golden.compare("pixel_decoder.encoder_layer0.inputs.pos", &positions, 1e-4);
    let features = network.pixel_decoder.forward(&maps, &call).unwrap();
    let mask_features = channels_first(&features.mask_features);
    golden.compare("pixel_decoder.mask_features", &mask_features, 1e-4);
    golden.compare("decoder.memory", &features.memory.unsqueeze(1), 1e-4);
}

/// A case of the official predictor.
fn prompt(case: &Value) -> Prompt {
    match serde_json::from_value::<[f32; 2]>(case["point_xy_normalized"].clone()) {
        Ok([x, y]) => Prompt::point(x, y),
        // What it asks where nothing is said.
        Err(_) => Prompt {
            place: [0.5, 0.5, 0.006, 0.006],
            kind: PromptKind::Point,
        },
    }
}

#[test]
fn each_layer_of_the_decoder_matches() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open();
    let encoded = golden.encode();
    let decoder = &golden.network.prompt_decoder;
    for (name, case) in golden.json["interactive"].as_object().unwrap() {
        let at = |what: &str| format!("decoder.{name}.{what}");
        let queries = decoder.queries(&[prompt(case)], encoded.inside, encoded.padded);
        let mut queries: Queries = queries.unwrap();
        golden.compare(&at("query_content"), &queries.content.unsqueeze(1), 1e-5);
        golden.compare(&at("reference0"), &queries.boxes.unsqueeze(0), 1e-5);
        let mut before = queries.boxes.shallow_clone();
        for (layer, values) in encoded.values.iter().enumerate() {
            before = queries.boxes.shallow_clone();
            queries = decoder.decoder.step(layer, &queries, values).unwrap();
            let content = queries.content.unsqueeze(1);
            golden.compare(&at(&format!("layer{layer}")), &content, 2e-4);
            let normed = decoder
                .decoder
                .normed(&queries.content)
                .unwrap()
                .unsqueeze(0);
            golden.compare(&at(&format!("normed_layer{layer}")), &normed, 2e-4);
            let boxes = queries.boxes.unsqueeze(0);
            golden.compare(&at(&format!("reference{}", layer + 1)), &boxes, 2e-4);
        }
        let twice = decoder.decoder.normed(&queries.content).unwrap();
        let twice = decoder.decoder.normed(&twice).unwrap();
        let boxes = decoder.decoder.moved(&before, &twice).unwrap();
        golden.compare(
            &format!("predict.{name}.pred_boxes"),
            &boxes.unsqueeze(0),
            2e-4,
        );
    }
}

fn all() -> Vec<Level> {
    Levels::All.of_masks()
}

#[test]
fn prompts_match() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open();
    let encoded = golden.encode();
    let params = Params::new();
    let asked = AtLevels {
        network: golden.network.clone(),
        levels: &all(),
        call: &Call::uncancellable(&params),
    };
    for (name, case) in golden.json["interactive"].as_object().unwrap() {
        let decoded = asked.decode_prompts(&encoded, &[prompt(case)]).unwrap();
        let ious = asked.ious_of(&decoded);
        let found = Tensor::from_slice(&ious).view([1, 1, -1]);
        golden.compare(&format!("predict.{name}.pred_ious"), &found, 1e-4);
        let chosen: Vec<(usize, usize)> = (0..ious.len()).map(|level| (0, level)).collect();
        let logits = asked.logits(&decoded, &chosen).unwrap();
        let (rows, columns) = (i64::from(encoded.low.height), i64::from(encoded.low.width));
        let low = Tensor::from_slice(logits.numbers()).view([1, -1, rows, columns]);
        golden.compare(&format!("predict.{name}.pred_masks_low"), &low, 1e-3);

        let upsampling = encoded.upsampling();
        let expected: Vec<Rle> = serde_json::from_value(case["masks_by_token"].clone()).unwrap();
        let found: Vec<(f32, Mask)> = logits
            .masks()
            .map(|logits| upsampling.threshold(logits, MASK_THRESHOLD, 1.0).mask)
            .zip(&ious)
            .map(|(mask, &iou)| (iou, mask))
            .collect();
        assert_eq!(found.len(), expected.len(), "{name}");
        for ((_, found), expected) in found.iter().zip(&expected) {
            let iou = found.iou(&Mask::from_rle(expected).unwrap());
            assert!(iou >= 0.999, "{name}: IoU {iou}");
        }

        let selection = serde_json::from_value(case["predictor_settings"].clone()).unwrap();
        let selected = select(found, selection);
        let expected = case["selected"].as_array().unwrap();
        assert_eq!(selected.len(), expected.len(), "{name}");
        for ((index, mask), expected) in selected.iter().zip(expected) {
            let shown: f64 = expected["text_iou"].as_str().unwrap().parse().unwrap();
            assert!(
                (f64::from(ious[*index]) - shown).abs() <= 0.005 + 1e-4,
                "{name}"
            );
            let expected: Rle = serde_json::from_value(expected["mask"].clone()).unwrap();
            let iou = mask.iou(&Mask::from_rle(&expected).unwrap());
            assert!(iou >= 0.999, "{name}: IoU {iou}");
        }
    }
}

#[test]
fn automatic_generation_matches() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open();
    let encoded = golden.encode();
    let defaults: Value = serde_json::from_str(crate::SEMANTIC_SAM.schema).unwrap();
    let defaults = defaults["params"]["properties"].as_object().unwrap();
    for (name, setting) in golden.json["amg"].as_object().unwrap() {
        let given =
            |key: &String, default: &Value| setting["params"].get(key).unwrap_or(default).clone();
        let params: Params = defaults
            .iter()
            .map(|(key, property)| (key.clone(), given(key, &property["default"])))
            .collect();
        let call = Call::uncancellable(&params);
        let parsed: CallParams = call.parse().unwrap();
        let levels = parsed.level.in_order();
        let asked = AtLevels {
            network: golden.network.clone(),
            levels: &levels,
            call: &call,
        };
        let inside = encoded.inside;
        let found =
            generate_whole(&asked, encoded.clone(), inside, &parsed.automatic, &call).unwrap();
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
            near("predicted_iou", found.predicted_iou.into(), 1e-4);
            near("stability_score", found.stability_score.into(), 2e-3);
            let point: [[f32; 4]; 1] =
                serde_json::from_value(expected["point_coords"].clone()).unwrap();
            let place = crate::automatic::prompt(found.points[0], inside).place;
            assert_eq!(place, point[0], "{name} {index}");
        }
    }
}

/// A checkpoint of these tensors, in a file with holes instead of numbers.
fn sparse(path: &Path, keys: &BTreeMap<String, Vec<Value>>) {
    let mut end = 0_u64;
    let entry = |(name, key): (&String, &Vec<Value>)| {
        let (dtype, bytes) = if key[0] == "int64" {
            ("I64", 8)
        } else {
            ("F32", 4)
        };
        let shape: Vec<u64> = key[1..]
            .iter()
            .map(|extent| extent.as_u64().unwrap())
            .collect();
        let start = end;
        end += bytes * shape.iter().product::<u64>();
        let entry = json!({"dtype": dtype, "shape": shape, "data_offsets": [start, end]});
        (name.clone(), entry)
    };
    let header: serde_json::Map<String, Value> = keys.iter().map(entry).collect();
    let header = Value::from(header).to_string();
    let mut file = fs::File::create(path).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes())
        .unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.set_len(8 + header.len() as u64 + end).unwrap();
}

/// The released networks, by the names and shapes of their tensors: nothing is missing, nothing left
/// over, and everything told that no config file tells.
#[test]
fn released_checkpoints_are_recognised_by_their_tensors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("released.safetensors");
    let compute = Compute::open("cpu", Precision::Fp32).unwrap();
    for (name, blocks, window) in [("swint", [2, 2, 6, 2], 7), ("swinl", [2, 2, 18, 2], 12)] {
        let keys = fs::read(format!("tests/keys/{name}.json")).unwrap();
        let mut keys: BTreeMap<String, Vec<Value>> = serde_json::from_slice(&keys).unwrap();
        // What follows the first that is missing is compared, but not read.
        let first = "model.backbone.patch_embed.proj.bias";
        let shape = keys.remove(first).unwrap();
        sparse(&path, &keys);
        let source = Source::open(&path, None, compute).unwrap();
        let loader = Loader::new(&source.checkpoint, Device::Cpu).unwrap();
        let config = Config::of(&root(&loader, Kind::Float), &source).unwrap();
        let stages = &config.swin.stages;
        let found: Vec<i64> = stages.iter().map(|stage| stage.blocks).collect();
        assert_eq!(found, blocks);
        assert!(stages.iter().all(|stage| stage.window == window));
        assert_eq!((config.masks, config.text_size), (6, 640));
        let told = SemanticSam::open(&source).unwrap_err().message().to_owned();
        // A prefix that all names have is dropped.
        let first = first.trim_start_matches("model.");
        let missing = format!("does not fit the model: missing: {first} [{}]", shape[1]);
        assert!(told.ends_with(&missing), "{told}");
    }
}

#[test]
fn weights_that_give_no_numbers_are_an_error_not_an_empty_image() {
    let _guard = tch::no_grad_guard();
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let mut pixels = Golden::open();
    let spoil = |weight: &Tensor| drop(weight.shallow_clone().fill_(f64::NAN));
    spoil(&pixels.network.prompt_decoder.contents);
    let encoded = pixels.encode();
    let asked = AtLevels {
        network: pixels.network.clone(),
        levels: &all(),
        call: &call,
    };
    let error = asked
        .decode_prompts(&encoded, &[Prompt::point(0.5, 0.5)])
        .unwrap_err();
    assert!(error.message().contains("prompt decoder"), "{error}");

    pixels.network.config.normalization.deviation = [0.0; 3];
    let error = pixels
        .network
        .encode_image(&pixels.image(), 180, &call)
        .unwrap_err();
    assert!(error.message().contains("pixel decoder"), "{error}");
}
