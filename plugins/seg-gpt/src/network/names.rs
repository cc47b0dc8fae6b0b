//! The names of the original project as those of Hugging Face's form, which the blocks here know.

use som_torch::{Checkpoint, checkpoint::Renamed};

/// A tensor of the original project, which Hugging Face's form has under another name.
const MARKER: &str = "segment_token_x";

/// Where the parts of the network stand: the first of a pair begins a name there, and the second here.
const PLACES: [(&str, &str); 13] = [
    (
        "patch_embed.proj.",
        "model.embeddings.patch_embeddings.projection.",
    ),
    ("pos_embed", "model.embeddings.position_embeddings"),
    ("mask_token", "model.embeddings.mask_token"),
    ("segment_token_x", "model.embeddings.segment_token_input"),
    ("segment_token_y", "model.embeddings.segment_token_prompt"),
    ("type_token_cls", "model.embeddings.type_token_semantic"),
    ("type_token_ins", "model.embeddings.type_token_instance"),
    ("blocks.", "model.encoder.layers."),
    ("norm.", "model.encoder.layernorm."),
    ("decoder_embed.", "decoder.decoder_embed."),
    ("decoder_pred.0.", "decoder.decoder_pred.conv."),
    ("decoder_pred.1.", "decoder.decoder_pred.layernorm."),
    ("decoder_pred.3.", "decoder.decoder_pred.head."),
];

/// The parts of a layer.
const PARTS: [(&str, &str); 5] = [
    (".norm1.", ".layernorm_before."),
    (".attn.", ".attention."),
    (".norm2.", ".layernorm_after."),
    (".mlp.fc1.", ".mlp.lin1."),
    (".mlp.fc2.", ".mlp.lin2."),
];

/// The checkpoint under the names of Hugging Face's form; one that has them keeps them.
pub(crate) fn of_hugging_face(checkpoint: &Checkpoint) -> Checkpoint {
    let is_original = checkpoint.names().any(|name| name == MARKER);
    checkpoint.renamed(|name| Renamed {
        name: if is_original {
            renamed(name)
        } else {
            name.to_owned()
        },
        part: 0,
    })
}

fn renamed(name: &str) -> String {
    let placed = PLACES.iter().find_map(|(there, here)| {
        let rest = name.strip_prefix(there)?;
        Some(format!("{here}{rest}"))
    });
    let placed = placed.unwrap_or_else(|| name.to_owned());
    let part = PARTS.iter().find(|(there, _)| placed.contains(there));
    part.map_or(placed.clone(), |(there, here)| {
        placed.replacen(there, here, 1)
    })
}
