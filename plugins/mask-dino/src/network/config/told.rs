//! What a file says about a network: names and meanings are those of the official configurations,
//! in lower case.

use serde::Deserialize;

/// What the file may say; whatever it leaves out is read off the tensors, or is as in the official
/// network of that kind.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Told {
    pub backbone: Option<String>,
    pub num_classes: Option<i64>,
    /// Classes below this are things.
    pub num_thing_classes: Option<i64>,
    pub conv_dim: Option<i64>,
    pub mask_dim: Option<i64>,
    pub hidden_dim: Option<i64>,
    pub num_queries: Option<i64>,
    pub encoder_dim_feedforward: Option<i64>,
    pub decoder_dim_feedforward: Option<i64>,
    pub encoder_layers: Option<i64>,
    pub decoder_layers: Option<i64>,
    pub nheads_encoder: Option<i64>,
    pub nheads_decoder: Option<i64>,
    pub n_points: Option<i64>,
    pub total_num_feature_levels: Option<i64>,
    pub transformer_in_features: Option<Vec<String>>,
    pub feature_order: Option<String>,
    pub two_stage: Option<bool>,
    pub initialize_box_type: Option<Initialize>,
    pub learn_tgt: Option<bool>,
    pub semantic_ce_loss: Option<bool>,
    pub size_divisibility: Option<u32>,
    pub semantic_on: Option<bool>,
    pub instance_on: Option<bool>,
    pub panoptic_on: Option<bool>,
    pub object_mask_threshold: Option<f32>,
    pub overlap_threshold: Option<f64>,
    pub pano_temperature: Option<f32>,
    pub pano_transform_eval: Option<bool>,
    pub focus_on_box: Option<bool>,
    pub detections_per_image: Option<usize>,
    pub pixel_mean: Option<[f32; 3]>,
    pub pixel_std: Option<[f32; 3]>,
    pub input_format: Option<String>,
    pub resize_shortest_edge: Option<u32>,
    pub max_size: Option<u32>,
    pub group_norm_groups: Option<i64>,
    pub resnet: Option<ToldResNet>,
    pub swin: Option<ToldSwin>,
}

/// Where the first boxes of queries come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Initialize {
    /// From the proposals themselves.
    No,
    /// From their masks, tightly.
    BitMask,
    /// From their masks, without the last row and column.
    Mask2Box,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct ToldResNet {
    pub stem_out_channels: Option<i64>,
    pub res2_out_channels: Option<i64>,
    pub num_groups: Option<i64>,
    pub stride_in_1x1: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct ToldSwin {
    pub patch_size: Option<i64>,
    pub embed_dim: Option<i64>,
    pub depths: Option<Vec<i64>>,
    pub num_heads: Option<Vec<i64>>,
    pub window_size: Option<i64>,
}
