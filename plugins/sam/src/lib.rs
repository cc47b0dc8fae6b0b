//! Segment Anything as a som plugin: the official checkpoints, without Python.
//!
//! From the network to the regions: `network` is the model, `predictor` runs images and prompts
//! through it, and `segmenter` says what a call asks of it. All else is every learned segmenter's,
//! in `som-torch`.
#![allow(clippy::cast_possible_wrap, reason = "libtorch counts in i64")]

mod network;
mod params;
mod predictor;
mod segmenter;

use som_plugin::guest::{SegmenterDef, SegmenterType};
use som_torch::Learned;

pub use crate::{
    predictor::{DecodedPrompts, EncodedImage, Predictor},
    segmenter::SamSegmenter,
};

som_plugin::export!(segmenters: [SAM]);

/// The segmenter `sam`.
pub static SAM: SegmenterDef = SegmenterDef {
    id: <Predictor as Learned>::ID,
    version: env!("CARGO_PKG_VERSION"),
    about: "Segment Anything (Meta AI, 2023): everything, or what points, boxes and masks ask for",
    schema: include_str!("schema.json"),
    segmenter: SegmenterType::of::<SamSegmenter>(),
};
