//! The names of Hugging Face's form as those of the official project, which the blocks here know.
//!
//! There, queries, keys and values have a map each where the official project has one of three parts.

use som_torch::{Checkpoint, checkpoint::Renamed};

/// In the name of some tensor of Hugging Face's form, and of none of the official one.
const MARKER: &str = ".fusion_layer.vision_param";

/// Parts of names, in the order in which they are looked for; the first that fits is replaced.
type Table = &'static [(&'static str, &'static str)];

/// Where the parts of the network stand.
const PLACES: Table = &[
    (
        "backbone.conv_encoder.model.embeddings.patch_embeddings.projection.",
        "backbone.0.patch_embed.proj.",
    ),
    (
        "backbone.conv_encoder.model.embeddings.norm.",
        "backbone.0.patch_embed.norm.",
    ),
    (
        "backbone.conv_encoder.model.encoder.layers.",
        "backbone.0.layers.",
    ),
    // The stages that are outputs count from 1 here, and from 0 there.
    (
        "backbone.conv_encoder.model.hidden_states_norms.stage1.",
        "backbone.0.norm0.",
    ),
    (
        "backbone.conv_encoder.model.hidden_states_norms.stage2.",
        "backbone.0.norm1.",
    ),
    (
        "backbone.conv_encoder.model.hidden_states_norms.stage3.",
        "backbone.0.norm2.",
    ),
    (
        "backbone.conv_encoder.model.hidden_states_norms.stage4.",
        "backbone.0.norm3.",
    ),
    ("text_backbone.", "bert."),
    ("text_projection.", "feat_map."),
    ("input_proj_vision.", "input_proj."),
    ("level_embed", "transformer.level_embed"),
    ("query_position_embeddings.", "transformer.tgt_embed."),
    ("enc_output_norm.", "transformer.enc_output_norm."),
    ("enc_output.", "transformer.enc_output."),
    (
        "encoder_output_bbox_embed.",
        "transformer.enc_out_bbox_embed.",
    ),
    ("decoder.layer_norm.", "transformer.decoder.norm."),
    (
        "decoder.reference_points_head.",
        "transformer.decoder.ref_point_head.",
    ),
    ("decoder.", "transformer.decoder."),
];

/// In a block of the backbone.
const BLOCK: Table = &[
    ("layernorm_before.", "norm1."),
    ("layernorm_after.", "norm2."),
    ("attention.self.", "attn."),
    ("attention.output.dense.", "attn.proj."),
    ("intermediate.dense.", "mlp.fc1."),
    ("output.dense.", "mlp.fc2."),
];

/// The parts of a layer of the encoder, which the official project keeps in lists of their own.
const ENCODER: Table = &[
    ("fusion_layer.", "fusion_layers"),
    ("text_enhancer_layer.", "text_layers"),
    ("deformable_layer.", "layers"),
];

const FUSION: Table = &[
    ("layer_norm_vision.", "layer_norm_v."),
    ("layer_norm_text.", "layer_norm_l."),
    ("vision_param", "gamma_v"),
    ("text_param", "gamma_l"),
    ("attn.vision_proj.", "attn.v_proj."),
    ("attn.text_proj.", "attn.l_proj."),
    ("attn.values_vision_proj.", "attn.values_v_proj."),
    ("attn.values_text_proj.", "attn.values_l_proj."),
    ("attn.out_vision_proj.", "attn.out_v_proj."),
    ("attn.out_text_proj.", "attn.out_l_proj."),
];

const TEXT_LAYER: Table = &[
    ("layer_norm_before.", "norm1."),
    ("layer_norm_after.", "norm2."),
    ("fc1.", "linear1."),
    ("fc2.", "linear2."),
];

const IMAGE_LAYER: Table = &[
    ("self_attn_layer_norm.", "norm1."),
    ("final_layer_norm.", "norm2."),
    ("fc1.", "linear1."),
    ("fc2.", "linear2."),
];

const DECODER_LAYER: Table = &[
    ("self_attn_layer_norm.", "norm2."),
    ("encoder_attn_text_layer_norm.", "catext_norm."),
    ("encoder_attn_text.", "ca_text."),
    ("encoder_attn_layer_norm.", "norm1."),
    ("encoder_attn.", "cross_attn."),
    ("final_layer_norm.", "norm3."),
    ("fc1.", "linear1."),
    ("fc2.", "linear2."),
];

/// Of three maps, in their order in one.
const THREE: [&str; 3] = ["query.", "key.", "value."];

/// The tensors of `checkpoint` under the official names, whichever of the two forms it has.
pub(super) fn official(checkpoint: &Checkpoint) -> Checkpoint {
    let is_official = !checkpoint.names().any(|name| name.contains(MARKER));
    checkpoint.renamed(|name| match is_official {
        true => Renamed {
            name: name.to_owned(),
            part: 0,
        },
        false => renamed(name),
    })
}

fn renamed(name: &str) -> Renamed {
    let name = name.strip_prefix("model.").unwrap_or(name);
    let name = match name.strip_prefix("encoder.layers.") {
        Some(rest) => encoder(rest),
        None => replaced(name, PLACES),
    };
    let name = inside(name, "backbone.0.layers.", ".blocks.", BLOCK);
    let name = inside(name, "transformer.decoder.layers.", "", DECODER_LAYER);
    parts(&name)
}

/// A tensor of the encoder's layers: behind them stands the number, then the part of the layer.
fn encoder(rest: &str) -> String {
    let split = rest.split_once('.').and_then(|(index, rest)| {
        let found = ENCODER
            .iter()
            .find_map(|(part, list)| Some((*list, rest.strip_prefix(part)?)));
        found.map(|(list, rest)| (index, list, rest))
    });
    let Some((index, list, rest)) = split else {
        return format!("transformer.encoder.layers.{rest}");
    };
    let table = match list {
        "fusion_layers" => FUSION,
        "text_layers" => TEXT_LAYER,
        _ => IMAGE_LAYER,
    };
    let rest = replaced(rest, table);
    format!("transformer.encoder.{list}.{index}.{rest}")
}

/// A name with its beginning replaced.
fn replaced(name: &str, table: Table) -> String {
    let found = table
        .iter()
        .find_map(|(from, to)| Some((to, name.strip_prefix(from)?)));
    found.map_or_else(|| name.to_owned(), |(to, rest)| format!("{to}{rest}"))
}

/// A name that begins so, replaced behind `mark` (anywhere, if it is empty) and a number.
fn inside(name: String, start: &str, mark: &str, table: Table) -> String {
    let behind = name.strip_prefix(start).and_then(|rest| match mark {
        "" => Some(rest),
        _ => rest.split_once(mark).map(|(_, rest)| rest),
    });
    let behind = behind.and_then(|rest| rest.split_once('.'));
    let Some((_, rest)) = behind else {
        return name;
    };
    let before = &name[..name.len() - rest.len()];
    format!("{before}{}", replaced(rest, table))
}

/// Which part of the official tensor one of three maps is.
fn parts(name: &str) -> Renamed {
    let whole = |name: &str| Renamed {
        name: name.to_owned(),
        part: 0,
    };
    // BERT has its three maps in both forms.
    if name.starts_with("bert.") {
        return whole(name);
    }
    for (part, map) in THREE.into_iter().enumerate() {
        for (attention, joined) in [
            (".attn.", ".attn.qkv."),
            (".self_attn.", ".self_attn.in_proj_"),
            (".ca_text.", ".ca_text.in_proj_"),
        ] {
            if let Some((before, kind)) = name.split_once(&format!("{attention}{map}")) {
                return Renamed {
                    name: format!("{before}{joined}{kind}"),
                    part,
                };
            }
        }
    }
    whole(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In each line a name, its official one, and which part of that it is.
    const NAMES: &str = "
model.backbone.conv_encoder.model.embeddings.norm.bias backbone.0.patch_embed.norm.bias 0
model.backbone.conv_encoder.model.encoder.layers.2.blocks.5.attention.self.key.weight backbone.0.layers.2.blocks.5.attn.qkv.weight 1
model.backbone.conv_encoder.model.encoder.layers.2.blocks.5.attention.self.relative_position_bias_table backbone.0.layers.2.blocks.5.attn.relative_position_bias_table 0
model.backbone.conv_encoder.model.encoder.layers.0.blocks.1.output.dense.bias backbone.0.layers.0.blocks.1.mlp.fc2.bias 0
model.backbone.conv_encoder.model.encoder.layers.1.downsample.reduction.weight backbone.0.layers.1.downsample.reduction.weight 0
model.backbone.conv_encoder.model.hidden_states_norms.stage4.bias backbone.0.norm3.bias 0
model.text_backbone.encoder.layer.3.attention.self.query.bias bert.encoder.layer.3.attention.self.query.bias 0
model.level_embed transformer.level_embed 0
model.enc_output_norm.bias transformer.enc_output_norm.bias 0
model.encoder_output_bbox_embed.layers.2.bias transformer.enc_out_bbox_embed.layers.2.bias 0
model.encoder.layers.4.fusion_layer.attn.values_text_proj.bias transformer.encoder.fusion_layers.4.attn.values_l_proj.bias 0
model.encoder.layers.4.fusion_layer.vision_param transformer.encoder.fusion_layers.4.gamma_v 0
model.encoder.layers.4.text_enhancer_layer.self_attn.value.bias transformer.encoder.text_layers.4.self_attn.in_proj_bias 2
model.encoder.layers.4.text_enhancer_layer.self_attn.out_proj.bias transformer.encoder.text_layers.4.self_attn.out_proj.bias 0
model.encoder.layers.4.deformable_layer.self_attn.value_proj.bias transformer.encoder.layers.4.self_attn.value_proj.bias 0
model.encoder.layers.4.deformable_layer.final_layer_norm.bias transformer.encoder.layers.4.norm2.bias 0
model.decoder.layers.5.encoder_attn_text.query.weight transformer.decoder.layers.5.ca_text.in_proj_weight 0
model.decoder.layers.5.encoder_attn.value_proj.weight transformer.decoder.layers.5.cross_attn.value_proj.weight 0
model.decoder.layers.5.self_attn_layer_norm.weight transformer.decoder.layers.5.norm2.weight 0
model.decoder.layer_norm.weight transformer.decoder.norm.weight 0
model.decoder.bbox_embed.5.layers.0.bias transformer.decoder.bbox_embed.5.layers.0.bias 0
bbox_embed.0.layers.1.weight bbox_embed.0.layers.1.weight 0
";

    #[test]
    fn every_kind_of_name_has_its_official_one() {
        for line in NAMES.lines().filter(|line| !line.is_empty()) {
            let [name, official, part] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            let Renamed { name, part: of } = renamed(name);
            assert_eq!((&*name, of), (official, part.parse().unwrap()));
        }
    }
}
