//! How tokens look at others.
//!
//! All take the tokens of one image, `[tokens, channels]`.

mod deformable;
mod multi_head;

pub use self::{
    deformable::{DeformableAttention, DeformableValues, Levels},
    multi_head::MultiHeadAttention,
};
