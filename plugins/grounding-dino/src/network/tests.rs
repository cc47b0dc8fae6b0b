//! Parity with the reference, intermediate by intermediate.

use std::{collections::HashMap, path::Path};

use som_core::{ErrorKind, Params};
use som_torch::{
    Checkpoint, Learned as _,
    decoder::proposals::{Proposals, best},
};
use tch::Device;

use super::{decoder::likeness, *};
use crate::{
    golden::{BOX, Golden, HIDDEN, assert_near},
    segmenter::GroundingDino,
};

#[test]
fn the_text_is_read_as_there() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("tiny");
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let encoder = &golden.grounding_dino.network.text;
    let text = encoder.tokens(golden.text()).unwrap();
    let ids: Vec<i32> = text.ids.iter().map(|&id| id as i32).collect();
    let ids = Tensor::from_slice(&ids).unsqueeze(0);
    assert_eq!(ids, golden.tensor("input/input_ids"));
    let read = encoder.read(&text, &call).unwrap();
    golden.compare("text/bert_last_hidden", &read.bert, HIDDEN);
    golden.compare("text/projection", &read.tokens, HIDDEN);
}

#[test]
fn the_image_is_encoded_as_there() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("tiny");
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let network = &golden.grounding_dino.network;
    let image = golden.image();
    let inside = resized(Size::new(image.width(), image.height()), golden.resize());
    assert_eq!(inside, Size::new(212, 160));
    let input = network.input(&image, inside).unwrap();
    golden.compare_map("input/pixel_values", &input, 1e-5);
    let maps = network.backbone.forward(&input, &call).unwrap();
    for (index, map) in maps.iter().enumerate() {
        golden.compare_map(&format!("backbone/feature_{index}"), map, HIDDEN);
    }
    let encoded = golden.encode();
    let levels = encoded.levels.split(&encoded.cells).unwrap();
    for (index, map) in levels.iter().enumerate() {
        golden.compare_map(&format!("input_proj/level{index}"), map, HIDDEN);
    }
    let positions = encoded.levels.split(&encoded.positions).unwrap();
    let third = &positions[2] - network.level_embedding.select(0, 2);
    golden.compare_map("backbone/pos_2", &third, 1e-5);
}

#[test]
fn image_and_text_tell_each_other_the_same() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("tiny");
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let network = &golden.grounding_dino.network;
    let image = golden.encode();
    let text = network.text.tokens(golden.text()).unwrap();
    let text = network.text.read(&text, &call).unwrap();
    let places = image.levels.centers(image.cells.device()).unwrap();
    let mut cells = image.cells.shallow_clone();
    let mut tokens = text.tokens.shallow_clone();
    for (index, layer) in network.encoder.layers().iter().enumerate() {
        let name = |what: &str| format!("encoder/layer{index}_{what}");
        let (fused, told) = layer.fusion.forward(&cells, &tokens).unwrap();
        if index == 0 {
            golden.compare(&name("fusion_vision"), &fused, HIDDEN);
        }
        golden.compare(&name("fusion_text"), &told, HIDDEN);
        tokens = layer.text.forward(&told, &text).unwrap();
        golden.compare(&name("text_enhancer"), &tokens, HIDDEN);
        golden.compare(&name("text_out"), &tokens, HIDDEN);
        let (positions, levels) = (&image.positions, &image.levels);
        cells = layer
            .image
            .forward(&fused, positions, &places, levels)
            .unwrap();
        golden.compare(&name("vision_out"), &cells, HIDDEN);
    }
    let EncodedImage {
        positions, levels, ..
    } = &image;
    let (memory, read) = network
        .encoder
        .forward(&image.cells, positions, levels, &text, &call)
        .unwrap();
    assert_near("memory", &memory, &cells.to_device(Device::Cpu), 1e-6);
    assert_near("text", &read, &tokens.to_device(Device::Cpu), 1e-6);
}

#[test]
fn every_step_of_the_decoder_matches() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("tiny");
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let network = &golden.grounding_dino.network;
    let EncodedImage {
        cells,
        positions,
        levels,
        ..
    } = &golden.encode();
    let tokens = network.text.tokens(golden.text()).unwrap();
    let text = network.text.read(&tokens, &call).unwrap();
    let encoder = &network.encoder;
    let (memory, text) = encoder
        .forward(cells, positions, levels, &text, &call)
        .unwrap();
    let decoder = &network.decoder;
    let proposals = Proposals::new(levels, memory.device()).unwrap();
    let content = decoder.proposals.forward(&memory, &proposals).unwrap();
    golden.compare("two_stage/output_memory_norm", &content, HIDDEN);
    let moved = decoder.move_proposal.forward(&content).unwrap();
    golden.compare("two_stage/bbox_delta", &moved, HIDDEN);
    let likely = likeness(&content, &text).unwrap();
    assert_eq!(best(&likely, 30).unwrap().size(), [30]);

    let mut queries = decoder.choose(&memory, levels, &text).unwrap();
    golden.compare("decoder/init_reference_points", &queries.boxes, BOX);
    let hidden = golden
        .tensor("decoder/intermediate_hidden_states")
        .squeeze_dim(0);
    let boxes = golden
        .tensor("decoder/intermediate_reference_points")
        .squeeze_dim(0);
    let mut before = queries.boxes.shallow_clone();
    for (index, layer) in decoder.layers.iter().enumerate() {
        let at = |tensor: &Tensor| tensor.select(0, index as i64);
        before = queries.boxes.shallow_clone();
        queries = decoder
            .step(layer, &queries, &memory, levels, &text)
            .unwrap();
        let normed = decoder.normed(&queries.content).unwrap();
        assert_near(&format!("layer {index}"), &normed, &at(&hidden), HIDDEN);
        assert_near(&format!("boxes {index}"), &queries.boxes, &at(&boxes), BOX);
    }
    let found = decoder.predict(&queries, &before, &text).unwrap();
    // Beyond the text, the reference fills up with minus infinity.
    let count = tokens.ids.len() as i64;
    let logits = golden.tensor("output/logits").squeeze_dim(0);
    assert_near("logits", &found.logits, &logits.narrow(1, 0, count), HIDDEN);
    let beyond = logits.narrow(1, count, logits.size()[1] - count);
    assert!(beyond.max().double_value(&[]) == f64::NEG_INFINITY);
    golden.compare("output/pred_boxes", &found.boxes, BOX);
}

/// The same checkpoint, as the official project names and nests its tensors.
#[test]
fn official_names_are_the_same_network() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("tiny");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("official.safetensors");
    for name in ["config.json", "preprocessor_config.json", "vocab.txt"] {
        let from = Path::new("tests/assets/tiny").join(name);
        std::fs::copy(from, folder.path().join(name)).unwrap();
    }
    let official = names::official(&golden.source.checkpoint);
    let mut tensors: HashMap<String, Tensor> = official
        .names()
        .map(|name| {
            (
                format!("model.module.{name}"),
                official.tensor(name).unwrap(),
            )
        })
        .collect();
    // What the official checkpoints hold besides.
    let options = (Kind::Float, Device::Cpu);
    for (name, shape) in [("weight", &[24, 24][..]), ("bias", &[24][..])] {
        let name = format!("model.module.bert.pooler.dense.{name}");
        tensors.insert(name, Tensor::zeros(shape, options));
    }
    let ids = Tensor::arange(512, (Kind::Int64, Device::Cpu)).unsqueeze(0);
    tensors.insert("model.module.bert.embeddings.position_ids".to_owned(), ids);
    let named: Vec<(&String, &Tensor)> = tensors.iter().collect();
    Tensor::write_safetensors(&named, &path).unwrap();
    let source = Source::open(&path, None, golden.source.compute).unwrap();
    assert_eq!(
        source.checkpoint.shape("transformer.level_embed"),
        Some(&[4_i64, 32][..])
    );
    let other = GroundingDino::load(&source).unwrap();
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let [one, two] = [&golden.grounding_dino, &other].map(|loaded| {
        let network = &loaded.network;
        let image = network
            .encode(&golden.image(), golden.resize(), &call)
            .unwrap();
        let text = network.text.tokens(golden.text()).unwrap();
        network.detect(&image, &text, &call).unwrap()
    });
    assert_near(
        "logits",
        &two.logits,
        &one.logits.to_device(Device::Cpu),
        1e-6,
    );
    assert_near("boxes", &two.boxes, &one.boxes.to_device(Device::Cpu), 1e-6);
}

#[test]
fn images_are_resized_by_the_rule_of_the_reference() {
    let resize = Resize {
        short_side: 800,
        max_size: 1333,
    };
    for (size, expected) in [
        // Computed with Hugging Face's rule.
        (Size::new(640, 480), Size::new(1066, 800)),
        (Size::new(480, 640), Size::new(800, 1066)),
        (Size::new(800, 800), Size::new(800, 800)),
        (Size::new(1333, 800), Size::new(1333, 800)),
        (Size::new(2000, 1000), Size::new(1333, 666)),
        (Size::new(1000, 2000), Size::new(666, 1333)),
        (Size::new(1, 1), Size::new(800, 800)),
        (Size::new(1, 8000), Size::new(1, 1333)),
    ] {
        assert_eq!(resized(size, resize), expected, "{size:?}");
    }
}

/// With fewer cells than there are queries, all of them are chosen.
#[test]
fn images_of_any_size_are_looked_at() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("tiny");
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let network = &golden.grounding_dino.network;
    let text = network.text.tokens("a cup").unwrap();
    let resize = Resize {
        short_side: 32,
        max_size: 64,
    };
    for (width, height) in [(1, 1), (1, 300), (300, 1), (33, 7)] {
        let pixels = vec![90; 3 * (width * height) as usize];
        let image = Image::from_raw(width, height, pixels.as_slice()).unwrap();
        let image = network.encode(&image, resize, &call).unwrap();
        let found = network.detect(&image, &text, &call).unwrap();
        let count = image.levels.cells().min(30);
        assert_eq!(found.boxes.size(), [count, 4], "{width}x{height}");
    }
}

#[test]
fn texts_that_cannot_be_read_are_refused() {
    let golden = Golden::open("tiny");
    let text = &golden.grounding_dino.network.text;
    for (asked, told) in [
        ("cup. ".repeat(128), "258 tokens, more than the 256"),
        (". ? .".to_owned(), "no words"),
        ("☕ ☕.".to_owned(), "no token for"),
    ] {
        let error = text.tokens(&asked).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.message().contains(told), "{error}");
    }
    text.tokens(&"cup. ".repeat(127)).unwrap();
    text.tokens("☕ cup.").unwrap();
}

#[test]
fn a_vocabulary_of_another_network_is_refused() {
    let golden = Golden::open("tiny");
    let folder = tempfile::tempdir().unwrap();
    let from = Path::new("tests/assets/tiny");
    for name in ["checkpoint.pth", "config.json"] {
        std::fs::copy(from.join(name), folder.path().join(name)).unwrap();
    }
    let path = folder.path().join("checkpoint.pth");
    let load = || {
        let source = Source::open(&path, None, golden.source.compute).unwrap();
        GroundingDino::load(&source).unwrap_err()
    };
    let error = load();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let told = "knows 1100 tokens, but the bundled vocabulary of bert-base-uncased has 30522";
    assert!(error.message().contains(told), "{error}");
    std::fs::write(folder.path().join("vocab.txt"), "[PAD]\n[UNK]\n").unwrap();
    let error = load();
    for part in ["vocab.txt", "no token [CLS]"] {
        assert!(error.message().contains(part), "{error}");
    }
}

#[test]
fn weights_that_give_no_numbers_are_an_error_not_an_empty_image() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("tiny");
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let mut network = golden.grounding_dino.network.clone();
    network.config.settings.pixel_std = [0.0; 3];
    let resize = golden.resize();
    let error = network.encode(&golden.image(), resize, &call).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.message().contains("backbone"), "{error}");

    let mut image = golden.encode();
    image.cells = image.cells.zeros_like() / 0.0;
    let text = golden
        .grounding_dino
        .network
        .text
        .tokens(golden.text())
        .unwrap();
    let found = golden.grounding_dino.network.detect(&image, &text, &call);
    assert!(found.unwrap_err().message().contains("encoder"));
}

#[test]
fn the_checkpoint_of_another_network_is_named() {
    let golden = Golden::open("tiny");
    let found = som_torch::checkpoint::other_family(&golden.source.checkpoint, "SEEM").unwrap();
    let told = "it is a Grounding DINO network, which the segmenter grounding-dino reads";
    assert!(found.message().contains(told), "{found}");
    let official: Checkpoint = names::official(&golden.source.checkpoint);
    assert!(som_torch::checkpoint::other_family(&official, NAME).is_none());
    assert!(som_torch::checkpoint::other_family(&official, "SEEM").is_some());
}
