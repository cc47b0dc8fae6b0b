//! What lies beside a checkpoint of Hugging Face's form, as far as no tensor tells it, or could contradict
//! it.

use serde::Deserialize;

/// What a `config` may say, under the names of Hugging Face's `config.json`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Told {
    pub d_model: Option<i64>,
    pub encoder_layers: Option<i64>,
    pub encoder_attention_heads: Option<i64>,
    pub encoder_ffn_dim: Option<i64>,
    pub encoder_n_points: Option<i64>,
    pub decoder_layers: Option<i64>,
    pub decoder_attention_heads: Option<i64>,
    pub decoder_ffn_dim: Option<i64>,
    pub decoder_n_points: Option<i64>,
    pub decoder_bbox_embed_share: Option<bool>,
    pub num_queries: Option<i64>,
    pub num_feature_levels: Option<i64>,
    pub query_dim: Option<i64>,
    pub max_text_len: Option<i64>,
    pub positional_embedding_temperature: Option<f32>,
    pub activation_function: Option<String>,
    pub two_stage: Option<bool>,
    pub two_stage_bbox_embed_share: Option<bool>,
    pub embedding_init_target: Option<bool>,
    pub text_config: Text,
    pub backbone_config: Backbone,
}

/// Of the text encoder.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Text {
    pub hidden_size: Option<i64>,
    pub num_attention_heads: Option<i64>,
    pub num_hidden_layers: Option<i64>,
    pub vocab_size: Option<i64>,
}

/// Of the backbone.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Backbone {
    pub embed_dim: Option<i64>,
    pub depths: Option<Vec<i64>>,
    pub num_heads: Option<Vec<i64>>,
    pub window_size: Option<i64>,
}

/// How images are taken, under the names of Hugging Face's `preprocessor_config.json`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Images {
    /// Of channels in 0..=1.
    pub image_mean: Option<[f32; 3]>,
    pub image_std: Option<[f32; 3]>,
    /// Which of Pillow's filters; 2 is the bilinear one.
    pub resample: Option<i64>,
    pub size: Edges,
}

/// Of an image, in pixels: what the shorter edge becomes, and the most that the longer one may.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Edges {
    pub shortest_edge: Option<u32>,
    pub longest_edge: Option<u32>,
}
