//! Parity with the reference, intermediate by intermediate.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;
use som_core::{ErrorKind, Params};
use som_torch::{Checkpoint, Learned as _, Precision};
use tch::Device;

use super::{codebook::Written, places::token_distances, *};
use crate::{
    golden::{COORDINATE, Golden, HIDDEN, asked, assert_near},
    segmenter::PolyFormer,
};

/// `[tokens, batch, channels]` of one of the batch, without its padding.
fn of_batch(golden: &Golden, name: &str, sample: i64, count: i64) -> Tensor {
    golden.tensor(name).select(1, sample).narrow(0, 0, count)
}

/// `[batch · heads, queries, keys]` of one of the batch, without its padding.
fn bias_of(golden: &Golden, name: &str, sample: i64, queries: i64, keys: i64) -> Tensor {
    let heads = golden.poly_former.network.config.encoder.heads;
    golden
        .tensor(name)
        .narrow(0, sample * heads, heads)
        .narrow(1, 0, queries)
        .narrow(2, 0, keys)
}

#[test]
fn the_image_is_encoded_as_there() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("tiny");
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let network = &golden.poly_former.network;
    let input = network.input(&golden.image()).unwrap();
    let fourth = input.slice(0, None, None, 4).slice(1, None, None, 4);
    let fourth = fourth.permute([2, 0, 1]);
    golden.compare("input.patch_images_stride4", 0, &fourth, 1e-6);
    let maps = network.backbone.forward(&input, &call).unwrap();
    assert_eq!(maps.len(), 1);
    golden.compare("swin.output", 0, &maps[0].permute([2, 0, 1]), HIDDEN);
    let cells = golden.encode().cells;
    golden.compare("encoder.image_embedding_normed", 0, &cells, HIDDEN);
}

#[test]
fn the_text_is_read_as_there() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("tiny");
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let network = &golden.poly_former.network;
    for (sample, prompt, _) in golden.samples() {
        let count = prompt.ids.len() as i64;
        let ids: Vec<i32> = prompt.ids.iter().map(|&id| id as i32).collect();
        let expected = golden.tensor("input.src_tokens").select(0, sample);
        assert_eq!(Tensor::from_slice(&ids), expected.narrow(0, 0, count));
        let read = network.text.read(&prompt, &call).unwrap();
        let expected = golden.tensor("bert.layer1").select(0, sample);
        assert_near("bert", &read, &expected.narrow(0, 0, count), HIDDEN);
        let tokens = network.encoder.tokens(&read).unwrap();
        let name = "encoder.text_embedding_normed";
        let expected = golden.tensor(name).select(0, sample).narrow(0, 0, count);
        assert_near(name, &tokens, &expected, HIDDEN);
    }
}

#[test]
fn image_and_text_tell_each_other_the_same() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("tiny");
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let network = &golden.poly_former.network;
    let image = golden.encode();
    for (sample, prompt, _) in golden.samples() {
        let read = network.text.read(&prompt, &call).unwrap();
        let tokens = network.encoder.tokens(&read).unwrap();
        let mut x = Tensor::cat(&[&image.cells, &tokens], 0);
        let seen = x.size()[0];
        let input = of_batch(&golden, "encoder.input_TBC", sample, seen);
        assert_near("input", &x, &input, HIDDEN);
        let places = network.encoder.places(&tokens).unwrap();
        for (index, layer) in network.encoder.layers.iter().enumerate() {
            if index == 0 {
                let bias = bias_of(&golden, "encoder.layer0_attn_bias", sample, seen, seen);
                let found = layer.bias(&places).unwrap();
                assert_near("bias", &found, &bias, HIDDEN);
            }
            x = layer.forward(&x, &places).unwrap();
            let name = format!("encoder.layer{index}_TBC");
            assert_near(&name, &x, &of_batch(&golden, &name, sample, seen), HIDDEN);
        }
        let memory = network.memory(&image, &prompt, &call).unwrap();
        let output = of_batch(&golden, "encoder.output_TBC", sample, seen);
        assert_near("output", &memory.content, &output, HIDDEN);
    }
}

/// What was written, step by step, as the reference fed it back.
fn written(sample: &Value) -> Vec<Written> {
    let numbers = sample["generated"].as_array().unwrap().iter();
    let mut numbers = numbers.map(|number| number.as_f64().unwrap() as f32);
    let mut steps = vec![Written::Start];
    while let Some(x) = numbers.next().filter(|&x| x >= 0.0) {
        steps.push(match x == SEPARATOR {
            true => Written::Separator,
            false => Written::Point([x, numbers.next().unwrap()]),
        });
    }
    steps
}

#[test]
fn points_are_read_off_the_same_bins() {
    let golden = Golden::open("tiny");
    let codebook = &golden.poly_former.network.decoder.codebook;
    for (sample, _, expected) in golden.samples() {
        for (step, written) in (0..).zip(written(expected)) {
            let at = |name: &str| {
                let name = format!("decoder.final.{name}");
                golden.tensor(&name).double_value(&[sample, step])
            };
            let (tokens, weights) = codebook.corners(written);
            let names = ["11", "12", "21", "22"].map(|it| format!("prev_tokens_{it}"));
            assert_eq!(tokens.map(|it| it as f64), names.map(|name| at(&name)));
            let [x1, x2, y1, y2] = ["x1", "x2", "y1", "y2"].map(|it| at(&format!("delta_{it}")));
            for (found, expected) in weights.iter().zip([x2 * y2, x2 * y1, x1 * y2, x1 * y1]) {
                assert!((found - expected).abs() < 1e-6, "{found} {expected}");
            }
        }
    }
}

#[test]
fn every_step_of_the_decoder_matches() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("tiny");
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let network = &golden.poly_former.network;
    let decoder = &network.decoder;
    let image = golden.encode();
    for (sample, prompt, expected) in golden.samples() {
        let memory = network.memory(&image, &prompt, &call).unwrap();
        let seen = memory.content.size()[0];
        let mut progress = decoder.begin(&memory).unwrap();
        for (step, written) in (0..).zip(written(expected)) {
            let row = |name: &str| {
                let name = format!("decoder.final.{name}");
                golden.tensor(&name).select(0, step).narrow(0, sample, 1)
            };
            let mut x = decoder.codebook.read(written).unwrap();
            assert_near("embedding", &x, &row("embedding_TBC"), HIDDEN);
            let cross = bias_of(&golden, "decoder.final.cross_attn_bias", sample, 13, seen);
            let found = progress.memory_bias().unwrap();
            assert_near("cross", &found, &cross.narrow(1, step, 1), HIDDEN);
            for (index, layer) in decoder.layers.iter().enumerate() {
                if index == 0 {
                    let name = "decoder.final.layer0_self_attn_bias";
                    let bias = bias_of(&golden, name, sample, 13, step + 1);
                    let found = layer.bias(&progress).unwrap();
                    assert_near(name, &found, &bias.narrow(1, step, 1), HIDDEN);
                }
                x = layer.forward(&x, index, &progress).unwrap();
                let expected = row(&format!("layer{index}_TBC"));
                assert_near(
                    &format!("step {step}, layer {index}"),
                    &x,
                    &expected,
                    HIDDEN,
                );
            }
            let said = decoder.step(written, &mut progress).unwrap();
            let at = |name: &str| {
                let name = format!("decoder.used_{name}");
                golden.tensor(&name).select(0, sample).select(0, step)
            };
            let kind = Tensor::from_slice(&said.kind);
            assert_near("kind", &kind, &at("cls_logits"), HIDDEN);
            let point = Tensor::from_slice(&said.point);
            assert_near("point", &point, &at("reg"), COORDINATE);
        }
    }
}

#[test]
fn what_is_written_is_what_the_reference_writes() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("tiny");
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let network = &golden.poly_former.network;
    let image = golden.encode();
    let find = |prompt: &Prompt| network.refer(&image, prompt, &call).unwrap();
    let alone = &golden.json["first_sample_alone"];
    let first = golden.samples().next().unwrap().1;
    let samples = golden.samples().map(|(_, prompt, sample)| (prompt, sample));
    for (prompt, sample) in samples.chain([(first, alone)]) {
        let found = Tensor::from_slice(&find(&prompt));
        let expected: Vec<f64> = serde_json::from_value(sample["generated"].clone()).unwrap();
        let expected: Vec<f64> = expected.into_iter().filter(|&it| it >= 0.0).collect();
        let expected = Tensor::from_slice(&expected);
        assert_near("written", &found, &expected, COORDINATE);
    }
}

#[test]
fn distances_between_tokens_are_those_of_the_reference() {
    let golden = Golden::open("tiny");
    let expected = &golden.json["token_rp_bucket"];
    let found = token_distances(8, config::MAX_TOKENS, Device::Cpu).unwrap();
    for (row, count, name) in [(0, 40, "row0_first40"), (40, 41, "row40_first41")] {
        let row = found.select(0, row).narrow(0, 0, count);
        let row = Vec::<i64>::try_from(row).unwrap();
        assert_eq!(serde_json::json!(row), expected[name]);
    }
    let sum = found.sum(Kind::Int64).int64_value(&[]);
    assert_eq!(serde_json::json!(sum), expected["sum"]);
    // Of few tokens it is a part of that.
    let few = token_distances(8, 30, Device::Cpu).unwrap();
    assert_eq!(few, found.narrow(0, 0, 30).narrow(1, 0, 30));
}

/// An end that comes early is a point, and one that does not come is made.
#[test]
fn what_is_written_is_neither_too_short_nor_too_long() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("tiny");
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let image = golden.encode();
    let prompt = golden.samples().next().unwrap().1;
    let folder = tempfile::tempdir().unwrap();
    let with = |least: i64, most: i64| {
        let path = folder.path().join("config.json");
        let told = format!(
            r#"{{"patch_image_size": 160, "bert": {{"num_attention_heads": 4}}, "min_len": {least}, "max_len": {most}}}"#
        );
        fs::write(&path, told).unwrap();
        let weights = Path::new("tests/assets/tiny/checkpoint.pth");
        let source = Source::open(weights, Some(&path), golden.source.compute).unwrap();
        let network = PolyFormer::load(&source).unwrap().network;
        network.refer(&image, &prompt, &call).unwrap().len()
    };
    // The reference ends after nine points.
    assert_eq!(with(6, 210), 18);
    assert_eq!(with(6, 5), 10);
    assert!(with(12, 210) > 18);
    assert!(with(200, 200) >= 200);
}

#[test]
fn texts_that_cannot_be_read_are_refused() {
    let golden = Golden::open("tiny");
    let text = &golden.poly_former.network.text;
    for (words, told) in [
        ("cup ".repeat(81), "81 words, more than the 80"),
        ("cup ".repeat(80), "80 tokens, more than the 53"),
        ("杯子 杯子".to_owned(), "no token for"),
    ] {
        let error = text.prompt(&asked(&words)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.message().contains(told), "{error}");
    }
    text.prompt(&asked(&"cup ".repeat(53))).unwrap();
    text.prompt(&asked("杯子 cup")).unwrap();
}

/// The checkpoints of the official configurations, without numbers: `tests/keys` has their tensors.
#[test]
fn the_released_networks_are_recognised() {
    for (name, channels, layers, heads, hidden) in [
        ("polyformer_b", 128, 6, 12, 3072),
        ("polyformer_l", 192, 12, 16, 4096),
    ] {
        let text = fs::read(Path::new("tests/keys").join(format!("{name}.json"))).unwrap();
        let keys: Value = serde_json::from_slice(&text).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        write_shapes(&path, keys.as_object().unwrap());
        let compute = Compute::open("cpu", Precision::Fp32).unwrap();
        let source = Source::open(&path, None, compute).unwrap();
        let loader = Loader::new(&source.checkpoint, Device::Cpu).unwrap();
        let root = loader.root(Kind::Float);
        // Once something is missing, nothing is read.
        let _ = root.weight("nothing", &[]);
        let told = Told::default();
        let config = Config::of(&root, &told).unwrap();
        config.contradictions(&told).none_in(&source).unwrap();
        assert_eq!(config.backbone.stages[0].channels, channels, "{name}");
        assert_eq!((config.bins, config.side()), (64, 16), "{name}");
        assert_eq!((config.text.heads, config.text.layers), (12, 12), "{name}");
        for sizes in [config.encoder, config.decoder] {
            let found = (sizes.layers, sizes.heads, sizes.hidden, sizes.token_bucket);
            assert_eq!(found, (layers, heads, hidden, 256), "{name}");
        }
        drop(Network::build(&loader, config, &source));
        let error = loader.finish().unwrap_err();
        let misfits = error.message().split("does not fit the model: ").nth(1);
        assert_eq!(misfits, Some("missing: nothing []"), "{name}");
    }
}

/// A file of tensors with these shapes, all of whose bytes are holes.
fn write_shapes(path: &Path, keys: &serde_json::Map<String, Value>) {
    let mut header = BTreeMap::new();
    let mut end = 0;
    for (name, key) in keys {
        let [_, shape @ ..] = key.as_array().unwrap().as_slice() else {
            panic!("{name} has no type");
        };
        let extents = shape.iter().map(|extent| extent.as_u64().unwrap());
        let start = end;
        end += 4 * extents.product::<u64>();
        let entry =
            serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [start, end]});
        header.insert(name, entry);
    }
    let header = serde_json::to_vec(&header).unwrap();
    let length = header.len() as u64;
    fs::write(path, [&length.to_le_bytes()[..], &header].concat()).unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_len(8 + length + end).unwrap();
}

/// What the released checkpoints hold, and the golden one does not.
#[test]
fn constants_in_a_checkpoint_and_shared_tensors_without_a_second_name_are_taken() {
    let golden = Golden::open("tiny");
    let checkpoint = &golden.source.checkpoint;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whole.safetensors");
    for name in ["config.json", "vocab.txt"] {
        let from = Path::new("tests/assets/tiny").join(name);
        fs::copy(from, folder.path().join(name)).unwrap();
    }
    let named = checkpoint
        .names()
        .filter(|&it| it != "decoder.embed_tokens.weight");
    let named = named.map(|name| (name.to_owned(), checkpoint.tensor(name).unwrap()));
    let mut tensors: Vec<(String, Tensor)> = named.collect();
    for part in ["encoder", "decoder"] {
        let buckets = token_distances(8, config::MAX_TOKENS, Device::Cpu).unwrap();
        tensors.push((format!("{part}.token_rp_bucket"), buckets));
    }
    Tensor::write_safetensors(&tensors, &path).unwrap();
    let source = Source::open(&path, None, golden.source.compute).unwrap();
    PolyFormer::load(&source).unwrap();
}

#[test]
fn a_vocabulary_of_another_network_is_refused() {
    let golden = Golden::open("tiny");
    let folder = tempfile::tempdir().unwrap();
    let from = Path::new("tests/assets/tiny");
    for name in ["checkpoint.pth", "config.json"] {
        fs::copy(from.join(name), folder.path().join(name)).unwrap();
    }
    let path = folder.path().join("checkpoint.pth");
    let source = Source::open(&path, None, golden.source.compute).unwrap();
    let error = PolyFormer::load(&source).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let told = "knows 1100 tokens, but the bundled vocabulary of bert-base-uncased has 30522";
    assert!(error.message().contains(told), "{error}");
}

#[test]
fn weights_that_give_no_numbers_are_an_error_not_an_empty_image() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open("tiny");
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let mut network = golden.poly_former.network.clone();
    network.config.settings.pixel_std = [0.0; 3];
    let error = network.encode(&golden.image(), &call).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.message().contains("backbone"), "{error}");

    let network = &golden.poly_former.network;
    let prompt = golden.samples().next().unwrap().1;
    let mut image = golden.encode();
    image.cells = image.cells.zeros_like() / 0.0;
    let error = network.refer(&image, &prompt, &call).unwrap_err();
    assert!(error.message().contains("the encoder gives"), "{error}");

    let mut memory = network.memory(&golden.encode(), &prompt, &call).unwrap();
    memory.content = memory.content.zeros_like() / 0.0;
    let error = network.decoder.write(&memory, &call).unwrap_err();
    assert!(error.message().contains("the decoder gives"), "{error}");
}

#[test]
fn the_checkpoint_of_another_network_is_named() {
    let golden = Golden::open("tiny");
    let checkpoint: &Checkpoint = &golden.source.checkpoint;
    let found = som_torch::checkpoint::other_family(checkpoint, "SEEM").unwrap();
    let told = "it is a PolyFormer network, which the segmenter poly-former reads";
    assert!(found.message().contains(told), "{found}");
    assert!(som_torch::checkpoint::other_family(checkpoint, NAME).is_none());
}
