//! Parity with the reference, intermediate by intermediate.

use som_core::{ErrorKind, Params};
use som_torch::checkpoint::Renamed;

use super::*;
use crate::{
    golden::{Golden, NUMBER, assert_near, example},
    prompt::palette,
};

const BINARY: (&str, &str) = ("prompt1.png", "prompt1_mask.png");
const OTHER: (&str, &str) = ("prompt2.png", "prompt2_mask.png");
const LABELS: (&str, &str) = ("prompt1.png", "prompt1_labels.png");

fn prompts(golden: &Golden, examples: &[(&str, &str)], classes: Option<u8>) -> Vec<Prompt> {
    let network = &golden.seg_gpt.network;
    let palette = classes.map(palette);
    let read = |&(picture, mask): &(&str, &str)| {
        let example = example(picture, mask).read(1_000_000).unwrap();
        network.prompt(&example, palette.as_deref()).unwrap()
    };
    examples.iter().map(read).collect()
}

/// `[height, width, 3]` as the reference has it.
fn in_planes(pixels: &Tensor) -> Tensor {
    pixels.permute([2, 0, 1]).unsqueeze(0)
}

/// What the layers give, one after the other, with the last one's view for the decoder.
fn painted(
    golden: &Golden,
    case: &str,
    prompts: &[Prompt],
    kind: EmbeddingType,
) -> (Vec<Tensor>, Tensor) {
    let network = &golden.seg_gpt.network;
    let image = network.encode(&golden.image()).unwrap();
    let tokens = network
        .embeddings
        .forward(&image.picture, prompts, kind)
        .unwrap();
    let mut each = vec![tokens.shallow_clone()];
    let mut x = tokens.shallow_clone();
    for (index, layer) in (0..).zip(&network.encoder.layers) {
        x = layer
            .forward(&x, network.encoder.ensemble(index, &x))
            .unwrap();
        each.push(x.shallow_clone());
        if index == network.config.merge {
            x = super::encoder::merged(&x).unwrap();
        }
    }
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let seen = network.encoder.forward(tokens, &call).unwrap();
    let decoded = network.decode(&seen).unwrap();
    assert!(decoded.size()[0] == 2 * network.config.side(), "{case}");
    (each, decoded)
}

#[test]
fn one_example_of_a_thing_is_taken_in_as_there() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open();
    let network = &golden.seg_gpt.network;
    let prompts = prompts(&golden, &[BINARY], None);
    let image = network.encode(&golden.image()).unwrap();
    let expected = |name: &str| golden.tensor(&format!("binary_single/{name}"));
    for (name, found) in [
        ("pixel_values", &image.picture),
        ("prompt_pixel_values", &prompts[0].picture),
        ("prompt_masks", &prompts[0].painted),
    ] {
        assert_near(name, &in_planes(found), &expected(name), 1e-5);
    }
    let (each, decoded) = painted(&golden, "binary", &prompts, EmbeddingType::Instance);
    assert_near("embeddings", &each[0], &expected("embeddings"), NUMBER);
    let attended = network.encoder.layers[0].attend(&each[0]).unwrap();
    assert_near(
        "attention",
        &attended,
        &expected("encoder_layer0_attention"),
        NUMBER,
    );
    for (index, found) in each[1..].iter().enumerate() {
        let name = format!("encoder_layer{index}");
        assert_near(&name, found, &expected(&name), NUMBER);
    }
    assert_near(
        "pred_masks",
        &in_planes(&decoded),
        &expected("pred_masks"),
        NUMBER,
    );
}

#[test]
fn classes_are_painted_in_colours_as_there() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open();
    let prompts = prompts(&golden, &[LABELS], Some(3));
    let expected = |name: &str| golden.tensor(&format!("palette/{name}"));
    assert_near(
        "masks",
        &in_planes(&prompts[0].painted),
        &expected("prompt_masks"),
        1e-5,
    );
    let (each, decoded) = painted(&golden, "palette", &prompts, EmbeddingType::Semantic);
    assert_near("layer 5", &each[6], &expected("encoder_layer5"), NUMBER);
    assert_near(
        "pred_masks",
        &in_planes(&decoded),
        &expected("pred_masks"),
        NUMBER,
    );
}

#[test]
fn several_examples_are_taken_together_as_there() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open();
    let prompts = prompts(&golden, &[BINARY, OTHER], None);
    let expected = |name: &str| golden.tensor(&format!("feature_ensemble/{name}"));
    let (each, decoded) = painted(&golden, "ensemble", &prompts, EmbeddingType::Instance);
    assert_near("layer 5", &each[6], &expected("encoder_layer5"), NUMBER);
    assert_near(
        "pred_masks",
        &in_planes(&decoded),
        &expected("pred_masks_first"),
        NUMBER,
    );
}

#[test]
fn the_names_of_the_original_project_are_read() {
    let golden = Golden::open();
    let original = |name: &str| {
        let name = name
            .replace(
                "model.embeddings.patch_embeddings.projection",
                "patch_embed.proj",
            )
            .replace("model.embeddings.position_embeddings", "pos_embed")
            .replace("model.embeddings.segment_token_input", "segment_token_x")
            .replace("model.embeddings.segment_token_prompt", "segment_token_y")
            .replace("model.embeddings.type_token_semantic", "type_token_cls")
            .replace("model.embeddings.type_token_instance", "type_token_ins")
            .replace("model.embeddings.mask_token", "mask_token")
            .replace("model.encoder.layernorm.", "norm.")
            .replace("model.encoder.layers.", "blocks.")
            .replace("layernorm_before", "norm1")
            .replace("layernorm_after", "norm2")
            .replace(".attention.", ".attn.")
            .replace("lin1", "fc1")
            .replace("lin2", "fc2")
            .replace("decoder.decoder_pred.conv", "decoder_pred.0")
            .replace("decoder.decoder_pred.layernorm", "decoder_pred.1")
            .replace("decoder.decoder_pred.head", "decoder_pred.3")
            .replace("decoder.decoder_embed", "decoder_embed");
        Renamed { name, part: 0 }
    };
    let here: Vec<String> = golden
        .source
        .checkpoint
        .names()
        .map(str::to_owned)
        .collect();
    let there = golden.source.checkpoint.renamed(original);
    assert!(there.names().all(|name| !name.contains("model.")));
    let back = names::of_hugging_face(&there);
    assert_eq!(back.names().collect::<Vec<_>>(), here);
}

#[test]
fn weights_that_give_no_numbers_are_an_error_not_an_empty_image() {
    let _guard = tch::no_grad_guard();
    let golden = Golden::open();
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let mut network = golden.seg_gpt.network.clone();
    let image = network.encode(&golden.image()).unwrap();
    network.config.normalization.deviation = [0.0; 3];
    let broken = network.encode(&golden.image()).unwrap();
    let prompts = prompts(&golden, &[BINARY], None);
    let kind = EmbeddingType::Instance;
    let error = network.paint(&broken, &prompts, kind, &call).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.message().contains("the encoder gives"), "{error}");
    assert!(network.paint(&image, &prompts, kind, &call).is_ok());
}
