//! What every segmenter over libtorch shares.
//!
//! From the file to the regions: a [`Checkpoint`] is read without Python, a [`Loader`] hands its
//! tensors to the blocks of [`nn`] and reports every one that does not fit, [`Compute`] says where
//! and how precisely they run, [`resize`] makes the network's input as the training did, and
//! [`logits`] and [`cache`] turn its output into masks. [`memory`] and [`threads`] tell beforehand
//! what there is no room for.
//!
//! Networks return [`TorchResult`]; at the boundary to the rest of som, [`torch_error`] makes it
//! one of som's own errors.

pub mod cache;
pub mod checkpoint;
pub mod classes;
mod cuda;
pub mod device;
mod error;
pub mod loader;
pub mod logits;
pub mod memory;
pub mod nn;
pub mod resample;
pub mod resize;
pub mod segments;
pub mod text;
pub mod threads;

pub use crate::{
    checkpoint::Checkpoint,
    device::{Compute, Precision},
    error::{TorchResult, torch_error},
    loader::{Loader, Scope},
};
