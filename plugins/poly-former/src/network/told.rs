//! What a `config` may say of a network, as far as no tensor tells it, or could contradict it.
//!
//! The official project has no such file: a checkpoint holds its `arguments` as a Python object, and the
//! rest is in the code. Here they have the official names.

use serde::Deserialize;

/// What a `config` may say.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Told {
    pub arguments: Arguments,
    pub swin: Swin,
    pub bert: Bert,
    pub image_proj_in_features: Option<i64>,
    pub num_bins: Option<i64>,
    pub dictionary_size: Option<i64>,
    pub special_tokens: SpecialTokens,
    /// Width and height of what the network sees of an image, in pixels.
    pub patch_image_size: Option<u32>,
    /// Of channels in 0..=1.
    pub image_mean: Option<[f32; 3]>,
    pub image_std: Option<[f32; 3]>,
    /// Words that an expression may have.
    pub max_src_length: Option<usize>,
    /// Steps before which it does not end, and after which it does.
    pub min_len: Option<i64>,
    pub max_len: Option<i64>,
}

/// Those of the official training scripts, as far as they shape the network.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Arguments {
    pub encoder_embed_dim: Option<i64>,
    pub encoder_ffn_embed_dim: Option<i64>,
    pub encoder_layers: Option<i64>,
    pub encoder_attention_heads: Option<i64>,
    pub encoder_normalize_before: Option<bool>,
    pub decoder_ffn_embed_dim: Option<i64>,
    pub decoder_layers: Option<i64>,
    pub decoder_attention_heads: Option<i64>,
    pub decoder_normalize_before: Option<bool>,
    pub token_bucket_size: Option<i64>,
    pub image_bucket_size: Option<i64>,
    pub attn_scale_factor: Option<f64>,
    pub disable_entangle: Option<bool>,
}

/// Of the backbone.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Swin {
    pub embed_dim: Option<i64>,
    pub depths: Option<Vec<i64>>,
    pub num_heads: Option<Vec<i64>>,
    pub window_size: Option<i64>,
}

/// Of the text encoder.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Bert {
    pub vocab_size: Option<i64>,
    pub hidden_size: Option<i64>,
    pub num_hidden_layers: Option<i64>,
    pub num_attention_heads: Option<i64>,
}

/// What stands before the bins in the dictionary.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct SpecialTokens {
    pub bos: Option<i64>,
    pub separator_and_unk: Option<i64>,
    pub first_bin: Option<i64>,
}
