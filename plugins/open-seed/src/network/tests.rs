//! Parity with the official project, intermediate by intermediate.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write as _,
    path::Path,
};

use serde_json::{Value, json};
use som_core::{ErrorKind, Params};
use som_torch::{
    Checkpoint, Precision,
    decoder::{Queries, proposals::Proposals},
    text::{PromptTree, Wording},
};
use tch::Device;

use super::*;
use crate::golden::{ACTIVATION, BOX, MASK_LOGIT, TEXT, both, channels_first};

#[test]
fn texts_are_read_as_there() {
    both(|golden| {
        let language = &golden.open_seed.network.language;
        let names: Vec<String> =
            serde_json::from_value(golden.json["text"]["class_names"].clone()).unwrap();
        let prompts = language.prompts(&names, &Wording::Average).unwrap();
        let context = language.transformer.context();
        let fill = |ids: &[u32]| {
            let end = *ids.last().unwrap();
            let mut ids: Vec<i32> = ids.iter().map(|&id| id as i32).collect();
            ids.resize(context, end as i32);
            ids
        };
        for (which, prompts) in [("first", &prompts[0]), ("last", prompts.last().unwrap())] {
            let ids: Vec<i32> = prompts
                .iter()
                .flat_map(|prompt| fill(&prompt.ids))
                .collect();
            let ids = Tensor::from_slice(&ids).view([-1, context as i64]);
            assert_eq!(
                ids,
                golden.tensor(&format!("text.token_ids_class_{which}")),
                "{which}"
            );
        }
        // With what fills up the context, which is read there, too.
        let mut first: Vec<_> = prompts[0][..4].to_vec();
        for prompt in &mut first {
            prompt.ids = fill(&prompt.ids).into_iter().map(|id| id as u32).collect();
        }
        let tree = PromptTree::new(&first, golden.open_seed.network.compute.device).unwrap();
        let paths: Vec<i64> = tree.paths().concat();
        let paths = Tensor::from_slice(&paths).to_device(golden.open_seed.network.compute.device);
        let all = |x: &Tensor| {
            let x = x.index_select(0, &paths);
            x.view([4, context as i64, -1])
        };
        let mut x = language.transformer.embed(&tree).unwrap();
        for (index, block) in language.transformer.blocks.iter().enumerate() {
            x = block.forward(&x, &tree).unwrap();
            let name = format!("text.resblock{index}_LND_first_class");
            golden.compare(&name, &all(&x).transpose(0, 1), TEXT);
        }
        let x = language.transformer.finish(&x).unwrap();
        golden.compare("text.ln_final_first_class", &all(&x), TEXT);
        let params = Params::new();
        let call = Call::uncancellable(&params);
        let last = language
            .embed_prompts(prompts.last().unwrap(), &call)
            .unwrap();
        golden.compare("text.prompt_embeddings_class_last", &last, TEXT);
        golden.classes("text");
    });
}

#[test]
fn images_are_encoded_as_there() {
    both(|golden| {
        let network = &golden.open_seed.network;
        let size = Size::new(golden.pixels.width(), golden.pixels.height());
        let frame = network.frame(size, golden.resize());
        let sides = |name: &str| {
            let [height, width]: [u32; 2] =
                serde_json::from_value(golden.json[name].clone()).unwrap();
            Size::new(width, height)
        };
        assert_eq!(frame.inside, sides("resized_size_hw"));
        assert_eq!(frame.padded, sides("padded_size_hw"));
        let resized = resize::bicubic(&golden.image(), frame.inside);
        let expected = golden.tensor("input.resized_u8_hwc");
        let expected = Vec::<u8>::try_from(expected.flatten(0, -1)).unwrap();
        assert!(expected == *resized.as_raw(), "resized image");

        let encoded = golden.encode();
        let PixelFeatures {
            mask_features,
            memory,
            levels,
        } = &encoded.features;
        let mask_features = channels_first(mask_features);
        golden.compare("pixel_decoder.mask_features", &mask_features, ACTIVATION);
        golden.compare("decoder.memory", &memory.unsqueeze(1), ACTIVATION);
        let shapes: Vec<i64> = levels.sizes().concat();
        let shapes = Tensor::from_slice(&shapes).view([-1, 2]);
        assert_eq!(shapes, golden.tensor("decoder.spatial_shapes"));
    });
}

#[test]
fn backbone_and_pixel_decoder_match() {
    both(|golden| {
        let network = &golden.open_seed.network;
        let params = Params::new();
        let call = Call::uncancellable(&params);
        let image = golden.image();
        let frame = network.frame(Size::new(image.width(), image.height()), golden.resize());
        let resized = resize::bicubic(&image, frame.inside);
        let Settings {
            pixel_mean: mean,
            pixel_std: deviation,
            ..
        } = network.config.settings;
        let input = Normalization { mean, deviation };
        let input = input
            .apply(&resized, frame.padded, network.compute.device)
            .unwrap();
        let rows: Vec<i64> =
            serde_json::from_value(golden.json["padded_normalized_rows_y"].clone()).unwrap();
        let rows = input.index_select(0, &Tensor::from_slice(&rows).to_device(input.device()));
        golden.compare("input.padded_normalized_rows", &channels_first(&rows), 1e-5);
        let maps = network.backbone.forward(&input, &call).unwrap();
        for (map, level) in maps.iter().zip(2..) {
            let name = format!("backbone.res{level}");
            // Relative, as the README recommends.
            let most = golden.tensor(&name).abs().max().double_value(&[]);
            golden.compare(&name, &channels_first(map), 1e-4 * most.max(1.0));
        }
    });
}

#[test]
fn every_step_of_the_decoder_matches() {
    both(|golden| {
        let decoder = &golden.open_seed.network.decoder;
        let image = golden.encode().features;
        let classes = golden.classes("text");
        let one = |x: &Tensor| x.unsqueeze(0);
        let memory = decoder
            .queries
            .project(&image.memory, &image.levels)
            .unwrap();
        let proposals = Proposals::new(&image.levels, memory.device()).unwrap();
        let content = decoder.proposals.forward(&memory, &proposals).unwrap();
        golden.compare("decoder.enc_output_memory", &one(&content), ACTIVATION);
        let logits = decoder.class_logits(&content, &classes).unwrap();
        golden.compare("decoder.enc_class_logits", &one(&logits), ACTIVATION);
        let none = logits.masked_fill(&proposals.none, f64::NEG_INFINITY);
        let best = one(&none.amax([-1_i64].as_slice(), false));
        golden.compare("decoder.enc_max_logit_masked", &best, ACTIVATION);

        let mut queries = decoder.choose(&memory, &image, &classes).unwrap();
        let content = queries.content.unsqueeze(1);
        golden.compare("decoder.query_content", &content, ACTIVATION);
        golden.compare("decoder.reference0", &one(&queries.boxes), BOX);
        golden.compare("decoder.interm.pred_boxes", &one(&queries.boxes), BOX);
        let content = decoder.queries.normed(&queries.content).unwrap();
        let logits = decoder.class_logits(&content, &classes).unwrap();
        golden.compare("decoder.interm.pred_logits", &one(&logits), ACTIVATION);
        let masks = decoder.mask_embed.forward(&content).unwrap();
        let masks = masks
            .narrow(0, 0, 4)
            .matmul(&image.mask_features.flatten(0, 1).tr());
        let (height, width, _) = image.mask_features.size3().unwrap();
        let masks = masks.view([1, 4, height, width]);
        golden.compare("decoder.interm.pred_masks_first4", &masks, MASK_LOGIT);

        let values = decoder.queries.values(&memory, &image.levels).unwrap();
        for (index, values) in values.iter().enumerate() {
            let Queries { content, boxes } = decoder.queries.step(index, &queries, values).unwrap();
            let name = format!("decoder.layer{index}");
            golden.compare(&name, &content.unsqueeze(1), ACTIVATION);
            let normed = decoder.queries.normed(&content).unwrap();
            golden.compare(
                &format!("decoder.normed_layer{index}"),
                &one(&normed),
                ACTIVATION,
            );
            golden.compare(
                &format!("decoder.reference{}", index + 1),
                &one(&boxes),
                BOX,
            );
            queries = Queries { content, boxes };
        }
    });
}

#[test]
fn every_run_ends_in_the_same_predictions() {
    both(|golden| {
        let encoded = golden.encode();
        let features = &encoded.features.mask_features;
        let (height, width, _) = features.size3().unwrap();
        let params = Params::new();
        let call = Call::uncancellable(&params);
        let mut compared = 0;
        for run in [
            "text",
            "demo_panoptic_one_template",
            "demo_semantic",
            "instance_only",
            "detection_only",
            "panoptic_only",
        ] {
            let (prefix, is_there) = match run {
                "text" => ("output", true),
                _ => (run, golden.json[run].is_object()),
            };
            if !is_there {
                continue;
            }
            let classes = golden.classes(run);
            let decoder = &golden.open_seed.network.decoder;
            let found = decoder.forward(&encoded.features, &classes, &call).unwrap();
            let name = |tensor: &str| format!("{prefix}.{tensor}");
            golden.compare(&name("pred_logits"), &found.logits.unsqueeze(0), ACTIVATION);
            golden.compare(&name("pred_boxes_cxcywh"), &found.boxes.unsqueeze(0), BOX);
            let masks = found.masks.matmul(&features.flatten(0, 1).tr());
            let masks = masks.view([1, -1, height, width]);
            golden.compare(&name("pred_masks_low"), &masks, MASK_LOGIT);
            compared += 1;
        }
        assert!(compared >= 5, "{compared} runs");
    });
}

/// The checkpoints of the official configurations, without numbers: `tests/keys` has their tensors.
#[test]
fn the_released_networks_are_recognised() {
    for (name, queries_for_stuff, context) in [
        ("swint_lang", 0, 18),
        ("swint_lang_o365", 0, 77),
        ("swinl_lang_decouple", 100, 18),
    ] {
        let text = fs::read(Path::new("tests/keys").join(format!("{name}.json"))).unwrap();
        let keys: Value = serde_json::from_slice(&text).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        write_shapes(&path, keys["keys"].as_object().unwrap());
        let checkpoint = Checkpoint::open(&path).unwrap();
        let loader = Loader::new(&checkpoint, Device::Cpu).unwrap();
        let root = loader.root(Kind::Float);
        // Once something is missing, nothing is read.
        let _ = root.weight("nothing", &[]);
        let config = Config::of(&root, &Told::default()).unwrap();
        assert_eq!(config.stuff_queries, queries_for_stuff, "{name}");
        let told = &keys["hyper_parameters"];
        assert_eq!(config.text_heads, told["text"]["HEADS"], "{name}");
        assert_eq!(config.queries, told["num_queries"], "{name}");
        assert_eq!(
            config.settings.detections_per_image, told["detections_per_image"],
            "{name}"
        );
        let heads: Vec<i64> = config
            .backbone
            .stages
            .iter()
            .map(|stage| stage.heads)
            .collect();
        assert_eq!(json!(heads), told["swin"]["NUM_HEADS"], "{name}");
        let compute = Compute::open("cpu", Precision::Fp32).unwrap();
        let network = Network::build(&loader, config, compute);
        let positions =
            keys["keys"]["sem_seg_head.predictor.lang_encoder.lang_encoder.positional_embedding"]
                .clone();
        assert_eq!(positions[1], context, "{name}");
        drop(network);
        let error = loader.finish().unwrap_err();
        let misfits = error
            .message()
            .split("does not fit the model: ")
            .nth(1)
            .unwrap();
        assert_eq!(misfits, "missing: nothing []", "{name}");
    }
}

/// A file of tensors with these shapes, all of whose bytes are holes.
fn write_shapes(path: &Path, keys: &serde_json::Map<String, Value>) {
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
        let count: u64 = shape
            .iter()
            .map(|extent| extent.as_u64().unwrap())
            .product();
        let start = end;
        end += bytes * count;
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

#[test]
fn weights_that_give_no_numbers_are_an_error_not_an_empty_image() {
    both(|golden| {
        let params = Params::new();
        let call = Call::uncancellable(&params);
        let mut network = golden.open_seed.network.clone();
        network.config.settings.pixel_std = [0.0; 3];
        let error = network
            .encode(&golden.image(), golden.resize(), &call)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.message().contains("backbone"), "{error}");
    });
}
