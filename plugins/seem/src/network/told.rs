//! A `config` file: the official configuration in force, and how images are taken. All of it may be
//! left out.

use serde::Deserialize;

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Told {
    /// The shorter side of the image as the network sees it.
    pub som_text_size: Option<u32>,
    pub official_config: Official,
    pub capture: Capture,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Capture {
    pub interactive_seed: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) struct Official {
    pub model: Model,
    pub input: Input,
    pub attention_arch: AttentionArch,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) struct Input {
    pub pixel_mean: Option<[f32; 3]>,
    pub pixel_std: Option<[f32; 3]>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) struct AttentionArch {
    pub query_number: Option<usize>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) struct Model {
    pub name: Option<String>,
    pub dim_proj: Option<i64>,
    pub text: Text,
    pub backbone: Backbone,
    pub encoder: Encoder,
    pub decoder: Decoder,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) struct Text {
    pub heads: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) struct Backbone {
    pub name: Option<String>,
    pub focal: Focal,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) struct Focal {
    pub embed_dim: Option<i64>,
    pub depths: Option<Vec<i64>>,
    pub focal_levels: Option<Vec<i64>>,
    pub focal_windows: Option<Vec<i64>>,
    pub use_postln: Option<bool>,
    pub scaling_modulator: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) struct Encoder {
    pub convs_dim: Option<i64>,
    pub mask_dim: Option<i64>,
    pub transformer_enc_layers: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) struct Decoder {
    pub hidden_dim: Option<i64>,
    pub num_object_queries: Option<i64>,
    pub nheads: Option<i64>,
    pub dim_feedforward: Option<i64>,
    pub max_spatial_len: Option<[i64; 4]>,
    pub pre_norm: Option<bool>,
    pub size_divisibility: Option<u32>,
    pub dec_layers: Option<i64>,
    pub test: Test,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) struct Test {
    pub overlap_threshold: Option<f64>,
    pub object_mask_threshold: Option<f32>,
}
