//! What a `config` says that no tensor tells, or could contradict.

use serde::Deserialize;

/// What a `config` may say. Its `overrides` have the names of the official configurations.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Told {
    pub overrides: Overrides,
    pub fusion_heads: Option<i64>,
    pub fusion_embed_dim: Option<i64>,
    pub bert: Bert,
    pub resize_short_side: Option<u32>,
    /// A text, and its phrases, in their order in it.
    pub caption: Option<String>,
    pub spans: Option<Vec<String>>,
}

/// Of the text encoder, under the names of Hugging Face's `config.json`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Bert {
    pub vocab_size: Option<i64>,
    pub hidden_size: Option<i64>,
    pub num_hidden_layers: Option<i64>,
    pub num_attention_heads: Option<i64>,
    pub intermediate_size: Option<i64>,
    pub max_position_embeddings: Option<i64>,
}

/// Where a network differs from the released ones.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Overrides {
    #[serde(rename = "MODEL.SWINT.EMBED_DIM")]
    pub embed_dim: Option<i64>,
    #[serde(rename = "MODEL.SWINT.DEPTHS")]
    pub depths: Option<Vec<i64>>,
    #[serde(rename = "MODEL.SWINT.NUM_HEADS")]
    pub num_heads: Option<Vec<i64>>,
    #[serde(rename = "MODEL.SWINT.WINDOW_SIZE")]
    pub window_size: Option<i64>,
    #[serde(rename = "MODEL.BACKBONE.OUT_CHANNELS")]
    pub out_channels: Option<i64>,
    #[serde(rename = "MODEL.DYHEAD.CHANNELS")]
    pub channels: Option<i64>,
    #[serde(rename = "MODEL.DYHEAD.NUM_CONVS")]
    pub num_convs: Option<i64>,
    #[serde(rename = "MODEL.DYHEAD.SCORE_AGG")]
    pub score_agg: Option<String>,
    #[serde(rename = "MODEL.DYHEAD.FUSE_CONFIG.TYPE")]
    pub fusion: Option<String>,
    #[serde(rename = "MODEL.LANGUAGE_BACKBONE.LANG_DIM")]
    pub lang_dim: Option<i64>,
    #[serde(rename = "MODEL.LANGUAGE_BACKBONE.MAX_QUERY_LEN")]
    pub max_query_len: Option<i64>,
    #[serde(rename = "MODEL.LANGUAGE_BACKBONE.N_LAYERS")]
    pub n_layers: Option<i64>,
    #[serde(rename = "MODEL.GROUP_NORM.NUM_GROUPS")]
    pub groups: Option<i64>,
    #[serde(rename = "MODEL.RPN.ANCHOR_STRIDE")]
    pub strides: Option<Vec<i64>>,
    #[serde(rename = "MODEL.ATSS.INFERENCE_TH")]
    pub inference_threshold: Option<f32>,
    #[serde(rename = "MODEL.ATSS.PRE_NMS_TOP_N")]
    pub pre_nms_top_n: Option<usize>,
    #[serde(rename = "MODEL.ATSS.NMS_TH")]
    pub nms_threshold: Option<f32>,
    #[serde(rename = "MODEL.ATSS.DETECTIONS_PER_IMG")]
    pub detections: Option<usize>,
    #[serde(rename = "INPUT.PIXEL_MEAN")]
    pub pixel_mean: Option<[f32; 3]>,
    #[serde(rename = "INPUT.PIXEL_STD")]
    pub pixel_std: Option<[f32; 3]>,
    #[serde(rename = "INPUT.MIN_SIZE_TEST")]
    pub min_size: Option<u32>,
    #[serde(rename = "INPUT.MAX_SIZE_TEST")]
    pub max_size: Option<u32>,
    #[serde(rename = "DATALOADER.SIZE_DIVISIBILITY")]
    pub size_divisibility: Option<u32>,
    #[serde(rename = "DATASETS.SEPARATION_TOKENS")]
    pub separation: Option<String>,
}
