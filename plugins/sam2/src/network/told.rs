//! What a config file may say of a network.

use serde::Deserialize;
use som_torch::checkpoint::Contradictions;

use super::config::Config;

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
    embed_dim: Option<i64>,
    stages: Option<Vec<i64>>,
    window_pos_embed_bkg_spatial_size: Option<[i64; 2]>,
    backbone_channel_list: Option<Vec<i64>>,
    hidden_dim: Option<i64>,
    mem_dim: Option<i64>,
    num_maskmem: Option<i64>,
    memory_attention_layers: Option<i64>,
    memory_attention_dim_feedforward: Option<i64>,
    fuser_layers: Option<i64>,
    mask_in_chans: Option<i64>,
    decoder_depth: Option<i64>,
    decoder_mlp_dim: Option<i64>,
    num_multimask_outputs: Option<i64>,
    fpn_interp_model: Option<String>,
    scalp: Option<i64>,
    backbone_stride: Option<i64>,
    directly_add_no_mem_embed: Option<bool>,
    use_mask_input_as_output_without_sam: Option<bool>,
    multimask_output_in_sam: Option<bool>,
    fixed_no_obj_ptr: Option<bool>,
    soft_no_obj_ptr: Option<bool>,
}

/// For people whose file says something else.
pub(super) const TOLD: &str = "the keys of the official configurations, such as image_size, num_heads, window_spec and global_att_blocks";

impl Told {
    /// Where the file and the tensors, or the file and what this design has always, differ.
    pub(super) fn contradictions(&self, config: &Config) -> Contradictions {
        let Config {
            hiera,
            neck,
            prompts,
            decoder,
            memory,
            ..
        } = config;
        let shapes = &hiera.shapes;
        let coarse_first: Vec<i64> = hiera.channels().into_iter().rev().collect();
        let mut wrong = Contradictions::default();
        let numbers = [
            ("embed_dim", self.embed_dim, shapes.width),
            ("hidden_dim", self.hidden_dim, neck.channels),
            ("mem_dim", self.mem_dim, memory.channels),
            ("num_maskmem", self.num_maskmem, memory.frames),
            (
                "memory_attention_layers",
                self.memory_attention_layers,
                memory.layers,
            ),
            (
                "memory_attention_dim_feedforward",
                self.memory_attention_dim_feedforward,
                memory.hidden,
            ),
            ("fuser_layers", self.fuser_layers, memory.fusers),
            ("mask_in_chans", self.mask_in_chans, prompts.mask_channels),
            ("decoder_depth", self.decoder_depth, decoder.layers),
            ("decoder_mlp_dim", self.decoder_mlp_dim, decoder.hidden),
            (
                "num_multimask_outputs",
                self.num_multimask_outputs,
                decoder.masks - 1,
            ),
        ];
        for (key, told, found) in numbers {
            wrong.compare(key, told.as_ref(), &found);
        }
        wrong.compare("stages", self.stages.as_ref(), &shapes.stages());
        wrong.compare(
            "window_pos_embed_bkg_spatial_size",
            self.window_pos_embed_bkg_spatial_size.as_ref(),
            &shapes.background,
        );
        wrong.compare(
            "backbone_channel_list",
            self.backbone_channel_list.as_ref(),
            &coarse_first,
        );
        self.unlike_all(&mut wrong);
        wrong
    }

    /// What the file says otherwise than in any network that this segmenter runs.
    fn unlike_all(&self, wrong: &mut Contradictions) {
        let mut only = |key: &str, told: Option<String>, always: &str| {
            if let Some(told) = told.filter(|told| told != always) {
                wrong.add(format!("{key} is {told}, and has to be {always}"));
            }
        };
        let text = |told: Option<i64>| told.map(|it| it.to_string());
        let flag = |told: Option<bool>| told.map(|it| it.to_string());
        only("fpn_interp_model", self.fpn_interp_model.clone(), "nearest");
        only("scalp", text(self.scalp), "1");
        only("backbone_stride", text(self.backbone_stride), "16");
        let flags = [
            (
                "directly_add_no_mem_embed",
                self.directly_add_no_mem_embed,
                "true",
            ),
            (
                "use_mask_input_as_output_without_sam",
                self.use_mask_input_as_output_without_sam,
                "true",
            ),
            (
                "multimask_output_in_sam",
                self.multimask_output_in_sam,
                "true",
            ),
            ("fixed_no_obj_ptr", self.fixed_no_obj_ptr, "true"),
            ("soft_no_obj_ptr", self.soft_no_obj_ptr, "false"),
        ];
        for (key, told, always) in flags {
            only(key, flag(told), always);
        }
    }
}
