//! From a network's logits to masks at the size of the image.

mod logits;
mod upsampling;

pub use self::{
    logits::MaskLogits,
    upsampling::{Thresholded, Upsampling},
};

/// Logits above this are the mask.
pub const MASK_THRESHOLD: f32 = 0.0;
