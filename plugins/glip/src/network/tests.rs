//! Parity with the official project, intermediate by intermediate.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write as _,
    path::Path,
    slice,
};

use serde_json::{Value, json};
use som_core::{ErrorKind, Params};
use som_torch::{Learned as _, Precision, attention::Levels};
use tch::Device;

use super::{config::DetectionSettings, detections::candidates, *};
use crate::{
    golden::{BOX, Golden, SCORE, assert_near},
    segmenter::Glip,
};

/// Tokens that the golden data have of a text.
const STORED: i64 = 24;

#[test]
fn the_image_is_encoded_as_there() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("tiny");
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let network = &golden.glip.network;
    let image = golden.image();
    let inside = resized(Size::new(image.width(), image.height()), golden.resize());
    let input = network.input(&image, inside).unwrap();
    assert_eq!(input.size(), [160, 224, 3]);
    let half = input
        .narrow(0, 0, 144)
        .narrow(1, 0, 216)
        .slice(0, None, None, 2)
        .slice(1, None, None, 2);
    golden.compare_map("input.image_normalised_bgr_stride2", &half);
    let beyond = input.narrow(0, 144, 16).abs().max().double_value(&[]);
    assert_eq!(beyond, 0.0);
    let maps = network.backbone.forward(&input, &call).unwrap();
    for (stage, map) in (1..).zip(&maps) {
        golden.compare_map(&format!("caption.swin.out{stage}"), map);
    }
    for (level, map) in (3..).zip(&golden.encode().levels) {
        golden.compare_map(&format!("caption.fpn.p{level}"), map);
    }
}

#[test]
fn texts_are_read_as_there() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("tiny");
    let params = Params::new();
    let call = Call::uncancellable(&params);
    for name in ["caption", "classes"] {
        let (query, pieces, phrases) = golden.asked(name);
        let ids: Vec<i32> = pieces.ids.iter().map(|&id| id as i32).collect();
        let ids = Tensor::from_slice(&ids).unsqueeze(0);
        assert_eq!(ids, golden.tensor(&format!("{name}.input_ids")));
        let expected = &golden.json[name];
        for (index, tokens) in phrases.iter().enumerate() {
            assert_eq!(query.phrase(index), expected["phrases"][index]);
            let tokens: Vec<usize> = tokens.clone().collect();
            let of_label = &expected["positive_map_label_to_tokens"][(index + 1).to_string()];
            assert_eq!(json!(tokens), *of_label);
        }
        let read = golden.glip.network.text.read(&pieces, &call).unwrap();
        golden.compare_tokens(&format!("{name}.bert.layer2_first24"), &read.tokens);
    }
}

/// What a stage of the tower gives is compared, and goes into the next.
#[test]
fn every_step_of_the_tower_matches() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("tiny");
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let network = &golden.glip.network;
    let image = golden.encode();
    for name in ["caption", "classes"] {
        let (_, pieces, _) = golden.asked(name);
        let text = network.text.read(&pieces, &call).unwrap();
        let (mut levels, mut tokens) = (image.clone().levels, text.tokens.shallow_clone());
        for (index, stage) in network.tower.stages().iter().enumerate() {
            let of = |what: &str| format!("{name}.tower{index}.{what}");
            let compare = |what: &str, maps: &[Tensor]| {
                for (level, map) in maps.iter().enumerate() {
                    let place = of(&format!("{what}.visual{level}"));
                    if golden.expected.shape(&place).is_some() {
                        golden.compare_map(&place, map);
                    }
                }
            };
            (levels, tokens) = stage.exchange(&levels, &tokens).unwrap();
            compare("fuse", &levels);
            golden.compare_tokens(&of("fuse.lang_first24"), &tokens);
            tokens = stage.text.forward(&tokens, &text.mask).unwrap();
            golden.compare_tokens(&of("bert.lang_first24"), &tokens);
            levels = stage.image.forward(&levels).unwrap();
            compare("dyconv", &levels);
        }
        let (all, read) = network.tower.forward(&image.levels, &text, &call).unwrap();
        assert_near("tokens", &read, &tokens.to_device(Device::Cpu));
        let [all, levels] = [&all, &levels].map(|maps| Levels::join(maps).unwrap().0);
        assert_near("levels", &all, &levels.to_device(Device::Cpu));
    }
}

/// The level above is looked at with the first offsets of the level below, as if they were its own.
#[test]
fn levels_see_their_neighbours_as_there() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("tiny");
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let network = &golden.glip.network;
    let (_, pieces, _) = golden.asked("caption");
    let text = network.text.read(&pieces, &call).unwrap();
    let stage = &network.tower.stages()[0];
    let (levels, _) = stage
        .exchange(&golden.encode().levels, &text.tokens)
        .unwrap();
    let block = &stage.image;
    let directions = block.directions(&levels[0]).unwrap();
    let name = "caption.tower0.dyconv.offset_mask_level0";
    golden.compare(name, &directions.0);
    let seen = block.seen(&levels, 0).unwrap();
    golden.compare_map("caption.tower0.dyconv.conv1_first_call", &seen[0]);
    let above = block.above(&levels[1], &directions).unwrap();
    golden.compare_map("caption.tower0.dyconv.conv0_first_call", &above);
    let seen = block.seen(&levels, 1).unwrap();
    golden.compare_map("caption.tower0.dyconv.conv2_first_call", &seen[1]);
}

#[test]
fn cells_predict_as_there() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("tiny");
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let network = &golden.glip.network;
    let image = golden.encode();
    for name in ["caption", "classes"] {
        let (_, pieces, phrases) = golden.asked(name);
        let predictions = network.predict(&image, &pieces, &call).unwrap();
        for (level, found) in predictions.iter().enumerate() {
            let of = |what: &str| golden.tensor(&format!("{name}.head.{what}")).squeeze_dim(0);
            let maps = |what: &str| of(what).flatten(1, 2).tr();
            let count = found.likeness.size()[1].min(STORED);
            let likeness = of(&format!("dot_product_logits{level}_first24"));
            let stored = likeness.narrow(1, 0, count);
            assert_near("likeness", &found.likeness.narrow(1, 0, count), &stored);
            assert_near("moves", &found.moves, &maps(&format!("bbox_reg{level}")));
            let centerness = maps(&format!("centerness{level}"));
            assert_near("centerness", &found.centerness, &centerness);
        }
        let settings = &network.config.settings.detection;
        let mut found = candidates(&predictions, &phrases, image.inside, settings).unwrap();
        found.sort_by(|one, other| other.score.total_cmp(&one.score));
        let expected = |what: &str| golden.tensor(&format!("{name}.before_nms.{what}"));
        let scores = Vec::<f32>::try_from(expected("scores")).unwrap();
        let boxes = Vec::<f32>::try_from(expected("boxes_resized").flatten(0, 1)).unwrap();
        let labels = Vec::<i32>::try_from(expected("labels")).unwrap();
        assert_eq!(found.len(), scores.len());
        // In another order only where scores are all but the same.
        let mut boxes: Vec<(&[f32], i32, f32)> = boxes
            .chunks(4)
            .zip(labels)
            .zip(&scores)
            .map(|((corners, label), &score)| (corners, label, score))
            .collect();
        for candidate in found {
            let place = boxes.iter().position(|&(corners, label, score)| {
                let near = |(one, other): (&f32, &f32)| f64::from((one - other).abs()) <= BOX;
                candidate.phrase + 1 == label as usize
                    && f64::from((candidate.score - score).abs()) <= SCORE
                    && candidate.corners.iter().zip(corners).all(near)
            });
            let _ = boxes.swap_remove(place.unwrap());
        }
    }
}

#[test]
fn images_are_resized_by_the_rule_of_the_demo_within_the_limit_of_the_evaluation() {
    let resize = Resize {
        short_side: 800,
        max_size: 1333,
    };
    for (size, expected) in [
        (Size::new(640, 480), Size::new(1066, 800)),
        (Size::new(480, 640), Size::new(800, 1066)),
        (Size::new(800, 800), Size::new(800, 800)),
        (Size::new(2000, 1000), Size::new(1332, 666)),
        (Size::new(1000, 2000), Size::new(666, 1332)),
        (Size::new(1, 1), Size::new(800, 800)),
        (Size::new(1, 8000), Size::new(1, 1333)),
    ] {
        assert_eq!(resized(size, resize), expected, "{size:?}");
    }
}

#[test]
fn images_of_any_size_are_looked_at() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("tiny");
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let network = &golden.glip.network;
    let text = network.text.tokens("a cup").unwrap();
    let phrase = 1..3;
    let resize = Resize {
        short_side: 32,
        max_size: 64,
    };
    for (width, height) in [(1, 1), (1, 300), (300, 1), (33, 7)] {
        let pixels = vec![90; 3 * (width * height) as usize];
        let image = Image::from_raw(width, height, pixels.as_slice()).unwrap();
        let image = network.encode(&image, resize, &call).unwrap();
        let found = network
            .detect(&image, &text, slice::from_ref(&phrase), &call)
            .unwrap();
        let [right, bottom] =
            [image.inside.width, image.inside.height].map(|side| side as f32 - 1.0);
        for Detection { corners, .. } in found {
            let [x, y, to_x, to_y] = corners;
            assert!(0.0 <= x && x <= to_x && to_x <= right, "{corners:?}");
            assert!(0.0 <= y && y <= to_y && to_y <= bottom, "{corners:?}");
        }
    }
}

#[test]
fn a_text_has_no_more_tokens_than_the_network_reads() {
    let golden = Golden::open("tiny");
    let text = &golden.glip.network.text;
    assert_eq!(text.tokens(&"cup. ".repeat(127)).unwrap().ids.len(), 256);
    let error = text.tokens(&"cup. ".repeat(128)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(
        error.message().contains("258 tokens, more than the 256"),
        "{error}"
    );
}

#[test]
fn weights_that_give_no_numbers_are_an_error_not_an_empty_image() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("tiny");
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let mut network = golden.glip.network.clone();
    network.config.settings.pixel_std = [0.0; 3];
    let error = network
        .encode(&golden.image(), golden.resize(), &call)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.message().contains("backbone"), "{error}");

    let mut image = golden.encode();
    image.levels[2] = image.levels[2].zeros_like() / 0.0;
    let (_, pieces, phrases) = golden.asked("caption");
    let found = golden.glip.network.detect(&image, &pieces, &phrases, &call);
    assert!(found.unwrap_err().message().contains("tower"));
}

/// The checkpoints of both official networks, without numbers: `tests/keys` has their tensors. Released ones
/// hold the state of their training as well, and parts of BERT that are not used.
#[test]
fn the_released_networks_are_recognised() {
    for (name, blocks, stages, window) in [("glip_T", 12, 6, 7), ("glip_L", 24, 8, 12)] {
        let text = fs::read(format!("tests/keys/{name}.json")).unwrap();
        let keys: Value = serde_json::from_slice(&text).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let bert = "language_backbone.body.model";
        let mut tensors: BTreeMap<String, Value> = BTreeMap::new();
        for (name, key) in keys["keys"].as_object().unwrap() {
            tensors.insert(format!("model.module.{name}"), key.clone());
            tensors.insert(format!("model_ema.module.{name}"), key.clone());
        }
        for (name, key) in [
            ("embeddings.position_ids", json!(["int64", 1, 512])),
            ("pooler.dense.weight", json!(["float32", 768, 768])),
            ("pooler.dense.bias", json!(["float32", 768])),
        ] {
            tensors.insert(format!("model.module.{bert}.{name}"), key);
        }
        tensors.insert(
            "optimizer.state.0.exp_avg".to_owned(),
            json!(["float32", 768]),
        );
        write_shapes(&path, &tensors);
        let compute = Compute::open("cpu", Precision::Fp32).unwrap();
        let source = Source::open(&path, None, compute).unwrap();
        let loader = Loader::new(&source.checkpoint, Device::Cpu).unwrap();
        let root = loader.root(Kind::Float);
        // Once something is missing, nothing is read.
        let _ = root.weight("nothing", &[]);
        let config = Config::of(&root, &Told::default()).unwrap();
        let depths = config.backbone.stages.iter().map(|stage| stage.blocks);
        assert_eq!(depths.sum::<i64>(), blocks, "{name}");
        assert_eq!(config.backbone.stages[0].window, window, "{name}");
        assert_eq!(config.tower.stages, stages, "{name}");
        assert_eq!(config.text.heads, 12, "{name}");
        let told = &keys["hyper_parameters"];
        assert_eq!(config.tower.fusion, told["fusion_embed_dim"], "{name}");
        assert_eq!(config.tower.heads, told["fusion_heads"], "{name}");
        assert_eq!(config.tower.groups, told["group_norm_groups"], "{name}");
        assert_eq!(json!(config.settings.strides), told["rpn"]["anchor_stride"]);
        let DetectionSettings { most, .. } = config.settings.detection;
        assert_eq!(most, told["atss"]["detections_per_img"], "{name}");
        let _ = Network::build(&loader, config, &source);
        let error = loader.finish().unwrap_err();
        let misfits = error.message().split("does not fit the model: ").nth(1);
        assert_eq!(misfits, Some("missing: nothing []"), "{name}");
    }
}

/// A file of tensors with these shapes, all of whose bytes are holes.
fn write_shapes(path: &Path, keys: &BTreeMap<String, Value>) {
    let mut header = BTreeMap::new();
    let mut end = 0;
    for (name, key) in keys {
        let [kind, shape @ ..] = key.as_array().unwrap().as_slice() else {
            panic!("{name} has no type");
        };
        let (kind, bytes) = match kind.as_str().unwrap() {
            "float32" => ("F32", 4),
            "int64" => ("I64", 8),
            other => panic!("{name} is {other}"),
        };
        let extents = shape.iter().map(|extent| extent.as_u64().unwrap());
        let start = end;
        end += bytes * extents.product::<u64>();
        header.insert(
            name,
            json!({"dtype": kind, "shape": shape, "data_offsets": [start, end]}),
        );
    }
    let header = serde_json::to_vec(&header).unwrap();
    let mut file = File::create(path).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes())
        .unwrap();
    file.write_all(&header).unwrap();
    file.set_len(8 + header.len() as u64 + end).unwrap();
}

/// What a config may tell, and what of it must not contradict the tensors.
#[test]
fn settings_are_those_of_the_released_networks_unless_the_config_says_otherwise() {
    let golden = Golden::open("tiny");
    let settings = &golden.glip.network.config.settings;
    assert_eq!(settings.strides, [8, 16, 32, 64, 128]);
    assert_eq!(settings.detection.most, 30);
    assert_eq!(settings.resize_short_side, 144);
    let folder = tempfile::tempdir().unwrap();
    for name in ["checkpoint.pth", "vocab.txt"] {
        let from = Path::new("tests/assets/tiny").join(name);
        fs::copy(from, folder.path().join(name)).unwrap();
    }
    let path = folder.path().join("checkpoint.pth");
    let load = |config: &str| {
        fs::write(folder.path().join("config.json"), config).unwrap();
        let source = Source::open(&path, None, golden.source.compute).unwrap();
        Glip::load(&source)
    };
    let other =
        load(r#"{"overrides": {"MODEL.ATSS.NMS_TH": 0.5, "MODEL.GROUP_NORM.NUM_GROUPS": 8}}"#);
    let settings = other.unwrap().network.config.settings;
    assert_eq!(settings.detection.overlap, 0.5);
    assert_eq!(settings.detection.most, 100);
    assert_eq!((settings.resize_short_side, settings.max_size), (800, 1333));
    let error = load(r#"{"overrides": {"MODEL.DYHEAD.NUM_CONVS": 6}}"#).unwrap_err();
    let told = "MODEL.DYHEAD.NUM_CONVS is 6 in the config, but 2 in the checkpoint";
    assert!(error.message().contains(told), "{error}");
}

#[test]
fn the_checkpoint_of_another_network_is_named() {
    let golden = Golden::open("tiny");
    let other = |network| som_torch::checkpoint::other_family(&golden.source.checkpoint, network);
    let found = other("Grounding DINO").unwrap();
    let told = "it is a GLIP network, which the segmenter glip reads";
    assert!(found.message().contains(told), "{found}");
    assert!(other(NAME).is_none());
}
