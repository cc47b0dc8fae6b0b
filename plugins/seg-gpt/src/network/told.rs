//! What a `config` may say of a network, as far as no tensor tells it, or could contradict it: the
//! `config.json` of Hugging Face's form.

use serde::Deserialize;

/// What a `config` may say.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Told {
    pub hidden_size: Option<i64>,
    pub num_hidden_layers: Option<i64>,
    pub num_attention_heads: Option<i64>,
    pub mlp_dim: Option<i64>,
    pub patch_size: Option<i64>,
    pub pretrain_image_size: Option<i64>,
    pub decoder_hidden_size: Option<i64>,
    /// Height and width of what the network sees: the example above the image.
    pub image_size: Option<[i64; 2]>,
    pub layer_norm_eps: Option<f64>,
    /// The layer after which picture and painting are one.
    pub merge_index: Option<i64>,
    /// The layers that the decoder looks at.
    pub intermediate_hidden_state_indices: Option<Vec<i64>>,
    pub hidden_act: Option<String>,
    pub qkv_bias: Option<bool>,
    pub use_relative_position_embeddings: Option<bool>,
}
