//! What every segmenter over libtorch shares.
//!
//! From the file to the regions: a [`Checkpoint`] is read without Python, a [`Loader`] hands its
//! tensors to blocks and reports every one that does not fit ([`nn`] has the small ones, [`backbone`],
//! [`attention`] and [`decoder`] what is made of them), [`Compute`] says where and how precisely they run, [`resize`] makes the network's input as the training did, and
//! [`logits`] and [`cache`] turn its output into masks. [`memory`] and [`threads`] tell beforehand
//! what there is no room for.
//!
//! Networks return [`TorchResult`]; at the boundary to the rest of som, [`torch_error`] makes it
//! one of som's own errors.

pub mod attention;
pub mod backbone;
pub mod cache;
pub mod checkpoint;
mod cuda;
pub mod decoder;
pub mod device;
mod error;
pub mod loader;
pub mod logits;
pub mod memory;
pub mod nn;
pub mod resize;
pub mod threads;

pub use crate::{
    checkpoint::Checkpoint,
    device::{Compute, Precision},
    error::{TorchResult, torch_error},
    loader::{Loader, Scope},
};
