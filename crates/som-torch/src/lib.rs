//! What every segmenter over libtorch shares.
//!
//! From the file to the regions: a plugin implements [`Learned`] for its network, and an
//! [`Instance`] of it is the segmenter. A [`Checkpoint`] is read without Python, a [`Loader`] hands
//! its tensors to blocks and reports every one that does not fit ([`nn`] has the small blocks,
//! [`backbone`], [`attention`], [`decoder`] and [`text`] what is made of them), [`Compute`] says where
//! and how precisely they run, [`resize`] and [`input`] make the network's input as the training
//! did, and [`masks`] turns its output into masks. [`memory`] and [`threads`] tell beforehand what
//! there is no room for, [`numbers`] what came out damaged, [`stages`] where the time goes.
//!
//! Networks that answer prompts share more: [`generate`] asks them about a grid of points,
//! [`interactive`] about what hints point at, and what they find are [`Candidate`]s.
//!
//! Networks return [`TorchResult`]; at the boundary to the rest of som, [`torch_error`] makes it
//! one of som's own errors.
#![allow(clippy::cast_possible_wrap, reason = "libtorch counts in i64")]

pub mod attention;
pub mod backbone;
pub mod cache;
mod candidate;
pub mod checkpoint;
pub mod classes;
mod cuda;
pub mod decoder;
pub mod device;
mod error;
pub mod generate;
pub mod input;
pub mod interactive;
pub mod loader;
pub mod masks;
pub mod memory;
pub mod nn;
pub mod numbers;
pub mod resample;
pub mod resize;
pub mod segmenter;
pub mod segments;
pub mod stages;
pub mod text;
pub mod threads;

pub use crate::{
    candidate::Candidate,
    checkpoint::Checkpoint,
    device::{Compute, Precision},
    error::{TorchResult, torch_error},
    loader::{Loader, Scope},
    segmenter::{Encoded, Instance, Learned, Source},
};
