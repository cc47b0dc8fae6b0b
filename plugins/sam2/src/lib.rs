//! SAM 2 as a som plugin: the official checkpoints, without Python.
//!
//! From the network to the regions: `network` is the model, `predictor` runs images and prompts
//! through it, `segmenter` says what a call asks of it, and `video` follows objects from frame to
//! frame. All else is every learned segmenter's,
//! in `som-torch`.
#![allow(clippy::cast_possible_wrap, reason = "libtorch counts in i64")]

mod network;
mod params;
mod predictor;
mod segmenter;
mod video;

#[cfg(test)]
mod golden;

use som_plugin::guest::{SegmenterDef, SegmenterType};
use som_torch::Learned;

pub use crate::{
    predictor::{EncodedImage, Predictor},
    segmenter::Sam2Segmenter,
    video::{ObjectPrompt, Place, Session, Tracked, VideoSettings},
};

som_plugin::export!(segmenters: [SAM2]);

/// The segmenter `sam2`.
pub static SAM2: SegmenterDef = SegmenterDef {
    id: <Predictor as Learned>::ID,
    version: env!("CARGO_PKG_VERSION"),
    about: "SAM 2 and 2.1 (Meta AI, 2024): everything, or what points, boxes and masks ask for",
    schema: include_str!("schema.json"),
    segmenter: SegmenterType::of::<Sam2Segmenter>(),
};
