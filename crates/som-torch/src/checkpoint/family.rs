//! Which project a checkpoint comes from, by tensors that no other has: many share a backbone, and
//! more.

use som_core::Error;

use super::Checkpoint;

/// A kind of network.
struct Family {
    name: &'static str,
    /// The segmenter that reads it, if som has one.
    segmenter: Option<&'static str>,
    /// In the name of one of its tensors, and in none of the families further down.
    marker: &'static str,
}

const FAMILIES: [Family; 12] = [
    family(
        "Segment Anything",
        Some("sam"),
        "image_encoder.patch_embed.",
    ),
    family("Segment Anything 2", Some("sam2"), "image_encoder.trunk."),
    family(
        "Semantic-SAM",
        Some("semantic-sam"),
        "sem_seg_head.predictor.mask_tokens.",
    ),
    family(
        "SEEM",
        Some("seem"),
        "sem_seg_head.predictor.spatial_embed.",
    ),
    family(
        "OpenSeeD",
        Some("open-seed"),
        "sem_seg_head.predictor.lang_encoder.",
    ),
    family(
        "Mask DINO",
        Some("mask-dino"),
        "sem_seg_head.predictor.class_embed.",
    ),
    family("GLIP", Some("glip"), ".dyhead_tower.0.b_attn."),
    // Under the official names, and under those of Hugging Face.
    family(
        "Grounding DINO",
        Some("grounding-dino"),
        "transformer.encoder.fusion_layers.",
    ),
    family(
        "Grounding DINO",
        Some("grounding-dino"),
        ".fusion_layer.vision_param",
    ),
    family("PolyFormer", Some("poly-former"), "decoder.reg_head."),
    // Under the names of Hugging Face, and under the original ones.
    family("SegGPT", Some("seg-gpt"), "segment_token_prompt"),
    family("SegGPT", Some("seg-gpt"), "segment_token_x"),
];

const fn family(
    name: &'static str,
    segmenter: Option<&'static str>,
    marker: &'static str,
) -> Family {
    Family {
        name,
        segmenter,
        marker,
    }
}

/// The error that `checkpoint` holds a network of another family than `network`, such as `Mask DINO`,
/// if it does.
pub fn other_family(checkpoint: &Checkpoint, network: &str) -> Option<Error> {
    let found = FAMILIES.iter().find(|family| {
        let mut names = checkpoint.names();
        names.any(|name| name.contains(family.marker))
    });
    let Family {
        name, segmenter, ..
    } = found.filter(|family| family.name != network)?;
    let way_out = segmenter.map(|id| format!(", which the segmenter {id} reads"));
    let why = format!("it is a {name} network{}", way_out.unwrap_or_default());
    Some(no(checkpoint, network, &why))
}

/// The error that `checkpoint` holds no `network`: because it holds one of another family, or else
/// because of `why`.
pub fn foreign(checkpoint: &Checkpoint, network: &str, why: &str) -> Error {
    other_family(checkpoint, network).unwrap_or_else(|| no(checkpoint, network, why))
}

fn no(checkpoint: &Checkpoint, network: &str, why: &str) -> Error {
    let path = checkpoint.path().display();
    Error::invalid(format!("checkpoint {path} is no {network} network: {why}"))
}
