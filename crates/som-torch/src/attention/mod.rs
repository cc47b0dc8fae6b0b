//! How tokens look at others.
//!
//! All take the tokens of one image, `[tokens, channels]`, or [`RelativeAttention`] its map of them,
//! `[rows, columns, channels]`.

mod deformable;
mod fusion;
mod multi_head;
mod relative;

pub use self::{
    deformable::{DeformableAttention, DeformableValues, Levels},
    fusion::Fusion,
    multi_head::MultiHeadAttention,
    relative::RelativeAttention,
};
