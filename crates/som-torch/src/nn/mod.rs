//! Blocks that networks are made of.
//!
//! All work on tensors whose last axis is the channels: an image is `[…, height, width, channels]`.
//! So a norm over channels and a 1x1 convolution need no copies, and a convolution whose stride is
//! its size is one matrix product. Cloning a block shares its weights.

mod conv;
mod deformable;
mod feed_forward;
mod linear;
mod mlp;
mod norm;
mod position;
pub(crate) mod sampling;
mod window;
mod winograd;

pub use self::{
    conv::{Conv, Conv3x3, DepthwiseConv, PatchConv, UpConv},
    deformable::DeformableConv,
    feed_forward::FeedForward,
    linear::Linear,
    mlp::Mlp,
    norm::{GroupNorm, LayerNorm},
    position::{sine_code_of, sine_positions, sine_positions_of},
    window::Windows,
};
pub use crate::loader::Weight;
