//! Segment Anything as a som plugin: the official checkpoints, without Python.
//!
//! From the network to the regions: `network` is the model, `predictor` runs images and
//! prompts through it, `automatic` (by way of `crops` and `search`) and `interactive` (by
//! way of `prompt`) decide which prompts to ask and which masks to keep, and `segmenter` is
//! what the host sees.
#![allow(clippy::cast_possible_wrap, reason = "libtorch counts in i64")]

mod params;
mod crops;
mod network;
mod predictor;
mod search;
mod automatic;
mod prompt;
mod interactive;
mod segmenter;

use som_plugin::guest::{SegmenterDef, SegmenterType};

pub use crate::segmenter::SamSegmenter;

som_plugin::export!(segmenters: [SAM]);

/// The segmenter `sam`.
pub static SAM: SegmenterDef = SegmenterDef {
    id: "sam",
    version: env!("CARGO_PKG_VERSION"),
    about: "Segment Anything (Meta AI, 2023): everything, or what points, boxes and masks ask for",
    schema: include_str!("schema.json"),
    segmenter: SegmenterType::of::<SamSegmenter>(),
};
