//! Mask DINO as a som plugin: the official checkpoints, without Python.
//!
//! From the network to the regions: `network` is the model, `predictor` runs images through it,
//! `regions` makes of its answers what a task asks for, and `segmenter` says what a call asks. All
//! else is every learned segmenter's, in `som-torch`.
#![allow(clippy::cast_possible_wrap, reason = "libtorch counts in i64")]

mod network;
mod params;
mod predictor;
mod regions;
mod segmenter;

use som_plugin::guest::{SegmenterDef, SegmenterType};
use som_torch::Learned;

pub use crate::{predictor::Predictor, segmenter::MaskDinoSegmenter};

som_plugin::export!(segmenters: [MASK_DINO]);

/// The segmenter `mask-dino`.
pub static MASK_DINO: SegmenterDef = SegmenterDef {
    id: <Predictor as Learned>::ID,
    version: env!("CARGO_PKG_VERSION"),
    about: "Mask DINO (IDEA Research, 2022): things and stuff of known classes, by name",
    schema: include_str!("schema.json"),
    segmenter: SegmenterType::of::<MaskDinoSegmenter>(),
};
