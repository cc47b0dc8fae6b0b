//! How tokens look at others.
//!
//! All take the tokens of one image, `[tokens, channels]`.

mod deformable;
mod fusion;
mod multi_head;

pub use self::{
    deformable::{DeformableAttention, DeformableValues, Levels},
    fusion::Fusion,
    multi_head::MultiHeadAttention,
};
