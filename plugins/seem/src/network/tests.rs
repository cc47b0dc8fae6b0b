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
    text::{PromptTree, Wording},
};
use tch::Device;

use super::{decoder::Queries, layer::Placed, *};
use crate::golden::{FEATURE, Golden, OBJECT, both, channels_first};

#[test]
fn texts_are_read_as_there() {
    both(|golden| {
        let language = &golden.seem.network.language;
        let text = &golden.json["text"];
        let names: Vec<String> = serde_json::from_value(text["class_names_raw"].clone()).unwrap();
        let prompts = language.prompts(&names, &Wording::Average).unwrap();
        let context = language.transformer.context();
        let filled = |prompt: &som_torch::text::Prompt| {
            let end = *prompt.ids.last().unwrap();
            let mut ids: Vec<i64> = prompt.ids.iter().map(|&id| id.into()).collect();
            ids.resize(context, end.into());
            ids
        };
        let sum = |prompts: &Vec<som_torch::text::Prompt>| -> i64 {
            let ids = prompts.iter().flat_map(filled).zip(0..);
            ids.map(|(id, n): (i64, i64)| id * (n % 9973 + 1)).sum()
        };
        let sums: Vec<i64> = prompts.iter().map(sum).collect();
        let expected = golden.tensor("text/prompt_token_ids_checksum_per_class");
        assert_eq!(Tensor::from_slice(&sums), expected);

        // With what fills up the context, which is read there, too.
        let example = text["example_class"].as_u64().unwrap() as usize;
        let mut four = prompts[example][..4].to_vec();
        for prompt in &mut four {
            prompt.ids = filled(prompt).into_iter().map(|id| id as u32).collect();
        }
        let device = golden.seem.network.compute.device;
        let tree = PromptTree::new(&four, device).unwrap();
        let paths = Tensor::from_slice(&tree.paths().concat()).to_device(device);
        let all = |x: &Tensor| x.index_select(0, &paths).view([4, context as i64, -1]);
        let mut x = language.transformer.embed(&tree).unwrap();
        for (index, block) in language.transformer.blocks.iter().enumerate() {
            x = block.forward(&x, &tree).unwrap();
            let name = format!("text/resblock{index}_out_LND");
            golden.compare(&name, &all(&x).transpose(0, 1), FEATURE);
        }
        let x = language.transformer.finish(&x).unwrap();
        golden.compare("text/example_last_hidden_state", &all(&x), FEATURE);
        let params = Params::new();
        let call = Call::uncancellable(&params);
        let four = language
            .embed_prompts(&prompts[example][..4], &call)
            .unwrap();
        golden.compare("text/example_prompt_embeddings_normalised", &four, FEATURE);
        let classes = golden.vocabulary().weights;
        golden.compare("text/class_embeddings", &classes.embeddings.tr(), FEATURE);
    });
}

#[test]
fn images_are_encoded_as_there() {
    both(|golden| {
        let network = &golden.seem.network;
        let params = Params::new();
        let call = Call::uncancellable(&params);
        let image = golden.image();
        let frame = network.frame(golden.size(), network.config.settings.text_size);
        let resized = resize::bicubic(&image, frame.inside);
        let expected = golden.tensor("preprocess/resized_image_uint8_CHW");
        let expected = Vec::<u8>::try_from(expected.permute([1, 2, 0]).flatten(0, -1)).unwrap();
        assert!(expected == *resized.as_raw(), "resized image");
        let input = network.input(&image, frame).unwrap();
        let every_fourth = input.slice(0, None, None, 4).slice(1, None, None, 4);
        golden.compare(
            "backbone/input_normalised_padded_stride4",
            &channels_first(&every_fourth),
            FEATURE,
        );

        let maps = network.backbone.forward(&input, &call).unwrap();
        for (map, level) in maps.iter().zip(2..) {
            let name = format!("backbone/res{level}");
            golden.compare(&name, &channels_first(map), FEATURE);
        }
        let decoder = &network.pixel_decoder;
        let (mut tokens, positions) = decoder.prepare(&maps).unwrap();
        let (height, width, _) = maps[3].size3().unwrap();
        let map = |x: &Tensor| channels_first(&x.view([height, width, -1]));
        golden.compare("pixel_decoder/input_proj", &map(&tokens), FEATURE);
        golden.compare("pixel_decoder/pos_embed_res5", &map(&positions), FEATURE);
        for layer in &decoder.layers {
            tokens = layer.forward(&tokens, &positions).unwrap();
        }
        golden.compare("pixel_decoder/transformer_out", &map(&tokens), FEATURE);
        let features = decoder.forward(&maps, &call).unwrap();
        let first = channels_first(&features.mask_features.narrow(2, 0, 16));
        let name = "pixel_decoder/mask_features_first16channels";
        golden.compare(name, &first, FEATURE);
        for (level, map) in features.levels.iter().enumerate() {
            let name = format!("pixel_decoder/multi_scale_{level}");
            golden.compare(&name, &channels_first(map), FEATURE);
        }
    });
}

/// Every layer, for queries that stand from row `from` on in the sequence of the run there.
fn compare_layers(
    golden: &Golden,
    run: &str,
    from: i64,
    mut queries: Queries,
    mut company: Company,
) -> Tensor {
    let image = golden.encode();
    let decoder = &golden.seem.network.decoder;
    let classes = golden.vocabulary().weights;
    let head = |index: usize, content: &Tensor| {
        let normed = decoder.normed(content).unwrap();
        let logits = decoder.class_logits(&normed, &classes).unwrap();
        let name = format!("{run}/head{index}_class_logits");
        golden.compare_rows(&name, from, &logits, OBJECT);
        let level = &image.levels[index % image.levels.len()];
        let visible = decoder.visible(content, level).unwrap();
        golden.compare_visible(&format!("{run}/head{index}_attn_mask"), from, &visible);
    };
    for (index, layer) in decoder.layers.iter().enumerate() {
        head(index, &queries.content);
        let at = index % image.levels.len();
        let name = |step: &str| format!("{run}/decoder_layer{index}_after_{step}");
        let visible = decoder
            .visible(&queries.content, &image.levels[at])
            .unwrap();
        let visible = super::decoder::opened(&visible).unwrap();
        let place = queries.place.shallow_clone();
        let placed = |content| Placed {
            content,
            place: &place,
        };
        let looked = layer
            .look(&placed(&queries.content), &image.levels[at], &visible)
            .unwrap();
        golden.compare_rows(&name("cross_attn"), from, &looked, OBJECT);
        let conferred = decoder
            .confer(layer, at, &placed(&looked), &company)
            .unwrap();
        golden.compare_rows(&name("self_attn"), from, &conferred, OBJECT);
        queries.content = decoder
            .step(index, &queries, &image.levels, &mut company)
            .unwrap();
        golden.compare_rows(&name("ffn"), from, &queries.content, OBJECT);
    }
    head(decoder.layers.len(), &queries.content);
    decoder.normed(&queries.content).unwrap()
}

/// The maps of mask embeddings, `[1, masks, height, width]`.
fn maps(image: &EncodedImage, masks: &Tensor) -> Tensor {
    let (height, width, _) = image.mask_features.size3().unwrap();
    let maps = masks.matmul(&image.mask_features.flatten(0, 1).tr());
    maps.view([1, -1, height, width])
}

#[test]
fn queries_find_objects_as_there() {
    both(|golden| {
        let image = golden.encode();
        let decoder = &golden.seem.network.decoder;
        let first = decoder.normed(&decoder.queries().content).unwrap();
        let first = decoder.masks(&first.narrow(0, 0, 6)).unwrap();
        let name = "pano/head0_mask_logits_first6queries";
        golden.compare(name, &maps(&image, &first), OBJECT);
        let found = compare_layers(golden, "pano", 0, decoder.queries(), Company::None);
        let classes = golden.vocabulary().weights;
        let logits = decoder.class_logits(&found, &classes).unwrap();
        golden.compare("pano/pred_logits", &logits.unsqueeze(0), OBJECT);
        let masks = maps(&image, &decoder.masks(&found).unwrap());
        golden.compare("pano/pred_masks", &masks, OBJECT);
    });
}

#[test]
fn strokes_find_objects_as_there() {
    both(|golden| {
        let image = golden.encode();
        let Network {
            decoder,
            spatial,
            config,
            ..
        } = &golden.seem.network;
        for drawing in ["points", "boxes"] {
            let run = format!("inter_{drawing}");
            let name = |tensor: &str| format!("{run}/{tensor}");
            if !golden.has(&name("sampled_object_query_indices")) {
                continue;
            }
            let pixels = golden.prompts(drawing, &image);
            compare_drawn(
                golden,
                &name("spatial_query_masks_resized_packbits_lastaxis"),
                &pixels,
            );
            let draws = golden.draws(drawing);
            let seed = golden.json["interactive"][drawing]["seed"]
                .as_i64()
                .unwrap();
            let own = Draws::new(&pixels, &config.decoder, spatial.copies, seed).unwrap();
            assert_eq!(own, draws, "{run}: what is drawn");
            let means = spatial
                .means(&image.mask_features, &pixels, &draws)
                .unwrap();
            let means_there = means.unsqueeze(0);
            golden.compare(&name("spatial_query_mean_positive"), &means_there, OBJECT);
            for (index, level) in image.levels.iter().enumerate() {
                let tokens = spatial.tokens(index, level, &pixels, &draws).unwrap();
                let whole = name(&format!("spatial_tokens_level{index}"));
                golden.compare_rows(&whole, 0, &tokens, OBJECT);
                golden.compare_rows(&format!("{whole}_first64rows"), 0, &tokens, OBJECT);
            }
            let visible = spatial.visible(0, &pixels, &draws).unwrap();
            let from = config.decoder.queries;
            golden.compare_visible(&name("self_attn_mask_layer0"), from, &visible);

            let queries = decoder.copies(&draws.queries).unwrap();
            let company = spatial.company(&image.levels, &pixels, &draws).unwrap();
            let found = compare_layers(golden, &run, from, queries, company);
            let masks = decoder.masks(&found).unwrap();
            golden.compare(&name("pred_smaskembs"), &masks.unsqueeze(0), OBJECT);
            let all = maps(&image, &masks);
            golden.compare(&name("pred_smasks"), &all, OBJECT);
            let first = all.narrow(1, 0, 3);
            golden.compare(&name("pred_smasks_first3"), &first, OBJECT);
            let chosen = spatial.select(&masks, &means).unwrap();
            let chosen = maps(&image, &chosen);
            golden.compare(&name("selected_mask_logits_quarter"), &chosen, OBJECT);
        }
    });
}

/// Compares the pixels of prompts with those of a tensor of bits.
fn compare_drawn(golden: &Golden, name: &str, pixels: &Pixels) {
    let expected = golden.tensor(name);
    let (prompts, height, bytes) = expected.size3().unwrap();
    assert_eq!(pixels.prompts as i64, prompts, "{name}");
    let mut packed = vec![0_u8; (prompts * height * bytes) as usize];
    for &[prompt, y, x] in &pixels.pixels {
        let row = (i64::from(prompt) * height + i64::from(y)) * bytes;
        packed[(row + i64::from(x) / 8) as usize] |= 0x80 >> (x % 8);
    }
    let expected = Vec::<u8>::try_from(expected.flatten(0, -1)).unwrap();
    assert!(packed == expected, "{}: {name}", golden.name);
}

#[test]
fn words_find_objects_as_there() {
    both(|golden| {
        let image = golden.encode();
        let Network {
            decoder, language, ..
        } = &golden.seem.network;
        let params = Params::new();
        let call = Call::uncancellable(&params);
        for (index, run) in golden.json["grounding"]
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
        {
            let texts: Vec<String> = serde_json::from_value(run["texts"].clone()).unwrap();
            let texts: Vec<_> = texts
                .iter()
                .map(|text| language.prompt(text).unwrap())
                .collect();
            let run = format!("ground{index}");
            let name = |tensor: &str| format!("{run}/{tensor}");
            let words = language.embed_tokens(&texts, &call).unwrap();
            golden.compare(&name("grounding_tokens"), &words, FEATURE);
            let company = Company::Words {
                content: words.shallow_clone(),
                place: words.shallow_clone(),
            };
            let from = golden.seem.network.config.decoder.queries;
            let found = compare_layers(golden, &run, from, decoder.queries(), company);
            let gtexts = decoder.texts(&found).unwrap().unsqueeze(0);
            golden.compare(&name("pred_gtexts"), &gtexts, OBJECT);
            let referred = golden.seem.refer(&image, &texts, &call).unwrap();
            let scaled = &referred.similarity * referred.scale;
            golden.compare(&name("similarity_query_by_text"), &scaled, OBJECT);
            let matched = Tensor::from_slice(&referred.queries);
            assert_eq!(matched, golden.tensor(&name("matched_query")), "{run}");
        }
    });
}

/// The checkpoints of the official configurations, without numbers: `tests/keys` has their tensors.
#[test]
fn the_released_networks_are_recognised() {
    for (name, depthwise, channels, blocks) in
        [("focalt_v1", true, 96, 12), ("focall_v1", false, 192, 24)]
    {
        let text = fs::read(Path::new("tests/keys").join(format!("{name}.json"))).unwrap();
        let keys: Value = serde_json::from_slice(&text).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        write_shapes(&path, keys.as_object().unwrap());
        let checkpoint = Checkpoint::open(&path).unwrap();
        let loader = Loader::new(&checkpoint, Device::Cpu).unwrap();
        let root = loader.root(Kind::Float);
        // Once something is missing, nothing is read.
        let _ = root.weight("nothing", &[]);
        let config = Config::of(&root, &Told::default()).unwrap();
        assert_eq!(config.backbone.depthwise, depthwise, "{name}");
        let stages = &config.backbone.stages;
        assert_eq!(stages[0].channels, channels, "{name}");
        assert_eq!(
            stages.iter().map(|stage| stage.blocks).sum::<i64>(),
            blocks,
            "{name}"
        );
        assert_eq!(config.decoder.queries, 101, "{name}");
        assert_eq!(config.decoder.layers, 9, "{name}");
        assert_eq!((config.decoder.heads, config.text_heads), (8, 8), "{name}");
        let compute = Compute::open("cpu", Precision::Fp32).unwrap();
        drop(Network::build(&loader, config, compute));
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
        let [_, shape @ ..] = key.as_array().unwrap().as_slice() else {
            panic!("{name} has no type");
        };
        let count: u64 = shape
            .iter()
            .map(|extent| extent.as_u64().unwrap())
            .product();
        let start = end;
        end += 4 * count;
        header.insert(
            name,
            json!({"dtype": "F32", "shape": shape, "data_offsets": [start, end]}),
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
fn an_image_that_would_fill_all_memory_is_refused_before_it_is_resized() {
    let golden = Golden::open("focalt");
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let pixels = vec![0_u8; 3 * 8000];
    let narrow = Image::from_raw(8000, 1, pixels.as_slice()).unwrap();
    let error = golden.seem.network.encode(&narrow, 640, &call).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exhausted);
    assert!(error.message().contains("text_size"), "{error}");
}

#[test]
fn weights_that_give_no_numbers_are_an_error_not_an_empty_image() {
    both(|golden| {
        let params = Params::new();
        let call = Call::uncancellable(&params);
        let mut network = golden.seem.network.clone();
        network.config.settings.pixel_std = [0.0; 3];
        let error = network.encode(&golden.image(), 64, &call).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.message().contains("backbone"), "{error}");
    });
}
