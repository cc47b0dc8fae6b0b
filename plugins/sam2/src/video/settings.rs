//! How videos are followed, under the names of the official project where it has one.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use som_core::{Error, Params, Result};

use crate::{network::Told, predictor::Predictor};

/// How objects are followed through a video.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct VideoSettings {
    /// What the memories of a video may occupy, in MiB, beyond those that the next frame sees.
    pub memory_mib: u64,
    /// Holes of the low-resolution logits of at most so many cells are filled.
    pub fill_hole_area: u64,
    /// Whether a pixel belongs to one object at most.
    pub non_overlap_masks: bool,
    /// Whether a frame with a correction is remembered for good, too.
    pub add_all_frames_to_correct_as_cond: bool,
    /// How many frames that people pointed at are seen at most: the nearest ones.
    pub max_cond_frames_in_attn: Option<usize>,
    /// Every how many frames one is seen again; the last one always is.
    pub memory_temporal_stride_for_eval: usize,
    /// How many pointers to the object in earlier frames are seen at most.
    pub max_obj_ptrs_in_encoder: usize,
    /// Whether what people pointed at is remembered as a mask of zeros and ones.
    pub binarize_mask_from_pts_for_mem_enc: bool,
    /// By which masks are scaled before they are remembered.
    pub sigmoid_scale_for_mem_enc: f64,
    /// What is added to them then.
    pub sigmoid_bias_for_mem_enc: f64,
    /// Of how few points a prompt may be, for the best of three masks to be taken.
    pub multimask_min_pt_num: usize,
    /// Of how many.
    pub multimask_max_pt_num: usize,
    /// Whether the best of three masks is taken in frames without a prompt.
    pub multimask_output_for_tracking: bool,
    /// Whether a pointer is of the mask that was taken, instead of the first one.
    pub use_multimask_token_for_obj_ptr: bool,
    /// Whether pointers are told by their age.
    pub add_tpos_enc_to_obj_ptrs: bool,
    /// Whether that is negative for what comes later.
    pub use_signed_tpos_enc_to_obj_ptrs: bool,
    /// Whether pointers of frames to come are left out.
    pub only_obj_ptrs_in_the_past_for_eval: bool,
}

impl VideoSettings {
    /// As the network was trained, and as its config file says.
    pub fn of(predictor: &Predictor) -> Self {
        let config = &predictor.sam2.config;
        let told: &Told = &config.told;
        let is_second = config.memory.has_pointer_age;
        let limit = told.max_cond_frames_in_attn;
        Self {
            memory_mib: 1024,
            fill_hole_area: told.fill_hole_area.unwrap_or(8),
            non_overlap_masks: told.non_overlap_masks.unwrap_or(false),
            add_all_frames_to_correct_as_cond: told
                .add_all_frames_to_correct_as_cond
                .unwrap_or(false),
            max_cond_frames_in_attn: limit.and_then(|limit| usize::try_from(limit).ok()),
            memory_temporal_stride_for_eval: told.memory_temporal_stride_for_eval.unwrap_or(1),
            max_obj_ptrs_in_encoder: told.max_obj_ptrs_in_encoder.unwrap_or(16),
            binarize_mask_from_pts_for_mem_enc: told
                .binarize_mask_from_pts_for_mem_enc
                .unwrap_or(true),
            sigmoid_scale_for_mem_enc: told.sigmoid_scale_for_mem_enc.unwrap_or(20.0),
            sigmoid_bias_for_mem_enc: told.sigmoid_bias_for_mem_enc.unwrap_or(-10.0),
            multimask_min_pt_num: told.multimask_min_pt_num.unwrap_or(0),
            multimask_max_pt_num: told.multimask_max_pt_num.unwrap_or(1),
            multimask_output_for_tracking: told.multimask_output_for_tracking.unwrap_or(true),
            use_multimask_token_for_obj_ptr: told.use_multimask_token_for_obj_ptr.unwrap_or(true),
            add_tpos_enc_to_obj_ptrs: told.add_tpos_enc_to_obj_ptrs.unwrap_or(is_second),
            use_signed_tpos_enc_to_obj_ptrs: told
                .use_signed_tpos_enc_to_obj_ptrs
                .unwrap_or(is_second),
            only_obj_ptrs_in_the_past_for_eval: told
                .only_obj_ptrs_in_the_past_for_eval
                .unwrap_or(true),
        }
    }

    /// The same, but for what `options` say otherwise; what is null there is not said.
    ///
    /// # Errors
    /// Invalid, for a value that is none.
    pub(crate) fn with(self, options: &Params) -> Result<Self> {
        let wrong = |error: serde_json::Error| Error::invalid(format!("options: {error}"));
        let mut all = serde_json::to_value(self).map_err(wrong)?;
        for (key, value) in all.as_object_mut().into_iter().flatten() {
            match options.get(key) {
                None | Some(Value::Null) => {}
                // As the official project writes "no limit".
                Some(said) if said.as_i64() == Some(-1) => *value = Value::Null,
                Some(said) => *value = said.clone(),
            }
        }
        serde_json::from_value(all).map_err(wrong)
    }

    /// # Errors
    /// Invalid, for numbers with which no frame can be seen.
    pub(super) fn check(&self) -> Result<()> {
        let wrong = |key: &str, number: usize, least: usize| {
            let message = format!("{key} is {number}, but has to be at least {least}");
            Err(Error::invalid(message))
        };
        if self.memory_temporal_stride_for_eval < 1 {
            return wrong(
                "memory_temporal_stride_for_eval",
                self.memory_temporal_stride_for_eval,
                1,
            );
        }
        match self.max_cond_frames_in_attn {
            Some(limit) if limit < 2 => wrong("max_cond_frames_in_attn", limit, 2),
            _ => Ok(()),
        }
    }

    /// How many frames can be seen from one, of memories of `memories` frames.
    pub(super) fn seen(&self, memories: i64) -> usize {
        let back = memories.unsigned_abs() as usize * self.memory_temporal_stride_for_eval + 1;
        back.max(self.max_obj_ptrs_in_encoder)
    }
}
