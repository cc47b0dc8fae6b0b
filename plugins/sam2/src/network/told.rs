//! What a config file may say of a network.

use serde::Deserialize;

/// A config file, under the names of the official configurations and of the arguments of the official
/// classes, each as far as it is given. What tensors tell as well is compared with them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Told {
    pub image_size: Option<i64>,
    pub num_heads: Option<i64>,
    pub window_spec: Option<Vec<i64>>,
    pub global_att_blocks: Option<Vec<i64>>,
    pub fpn_top_down_levels: Option<Vec<i64>>,
    pub decoder_num_heads: Option<i64>,
    pub memory_attention_heads: Option<i64>,
    pub rope_theta: Option<f64>,
    pub pixel_mean: Option<[f32; 3]>,
    pub pixel_std: Option<[f32; 3]>,
    pub iou_prediction_use_sigmoid: Option<bool>,
    pub dynamic_multimask_via_stability: Option<bool>,
    pub dynamic_multimask_stability_delta: Option<f32>,
    pub dynamic_multimask_stability_thresh: Option<f32>,
    // Of videos.
    pub sigmoid_scale_for_mem_enc: Option<f64>,
    pub sigmoid_bias_for_mem_enc: Option<f64>,
    pub binarize_mask_from_pts_for_mem_enc: Option<bool>,
    pub fill_hole_area: Option<u64>,
    pub non_overlap_masks: Option<bool>,
    pub multimask_min_pt_num: Option<usize>,
    pub multimask_max_pt_num: Option<usize>,
    pub multimask_output_for_tracking: Option<bool>,
    pub use_multimask_token_for_obj_ptr: Option<bool>,
    pub max_obj_ptrs_in_encoder: Option<usize>,
    pub max_cond_frames_in_attn: Option<i64>,
    pub memory_temporal_stride_for_eval: Option<usize>,
    pub add_all_frames_to_correct_as_cond: Option<bool>,
    pub add_tpos_enc_to_obj_ptrs: Option<bool>,
    pub use_signed_tpos_enc_to_obj_ptrs: Option<bool>,
    pub only_obj_ptrs_in_the_past_for_eval: Option<bool>,
    // What tensors tell as well, or what this design has always.
    pub embed_dim: Option<i64>,
    pub stages: Option<Vec<i64>>,
    pub window_pos_embed_bkg_spatial_size: Option<[i64; 2]>,
    pub backbone_channel_list: Option<Vec<i64>>,
    pub hidden_dim: Option<i64>,
    pub mem_dim: Option<i64>,
    pub num_maskmem: Option<i64>,
    pub memory_attention_layers: Option<i64>,
    pub memory_attention_dim_feedforward: Option<i64>,
    pub fuser_layers: Option<i64>,
    pub mask_in_chans: Option<i64>,
    pub decoder_depth: Option<i64>,
    pub decoder_mlp_dim: Option<i64>,
    pub num_multimask_outputs: Option<i64>,
    pub fpn_interp_model: Option<String>,
    pub scalp: Option<i64>,
    pub backbone_stride: Option<i64>,
    pub directly_add_no_mem_embed: Option<bool>,
    pub use_mask_input_as_output_without_sam: Option<bool>,
    pub multimask_output_in_sam: Option<bool>,
    pub fixed_no_obj_ptr: Option<bool>,
    pub soft_no_obj_ptr: Option<bool>,
}

/// For people whose file says something else.
pub(super) const TOLD: &str = "the keys of the official configurations, such as image_size, num_heads, window_spec and global_att_blocks";
