//! SAM 2 as a som plugin: the official checkpoints, without Python.
//!
//! From the network to the regions: `network` is the model, `predictor` runs images and prompts
//! through it, `segmenter` says what a call asks of it, `video` follows objects from frame to frame, and
//! `tracker` says what a frame asks of that. All else is every learned segmenter's, in `som-torch`.
#![allow(clippy::cast_possible_wrap, reason = "libtorch counts in i64")]

mod network;
mod params;
mod predictor;
mod segmenter;
mod tracker;
mod video;

#[cfg(test)]
mod golden;

use som_plugin::guest::{SegmenterDef, SegmenterType, TrackerDef, TrackerType};
use som_torch::Learned;

pub use crate::{
    predictor::{EncodedImage, Predictor},
    segmenter::Sam2Segmenter,
    tracker::Sam2Tracker,
    video::{ObjectPrompt, Place, Session, Tracked, VideoSettings},
};

som_plugin::export!(segmenters: [SAM2], trackers: [SAM2_VIDEO]);

/// The segmenter `sam2`.
pub static SAM2: SegmenterDef = SegmenterDef {
    id: <Predictor as Learned>::ID,
    version: env!("CARGO_PKG_VERSION"),
    about: "SAM 2 and 2.1 (Meta AI, 2024): everything, or what points, boxes and masks ask for",
    schema: include_str!("schema.json"),
    segmenter: SegmenterType::of::<Sam2Segmenter>(),
};

/// The tracker `sam2`.
pub static SAM2_VIDEO: TrackerDef = TrackerDef {
    id: <Predictor as Learned>::ID,
    version: env!("CARGO_PKG_VERSION"),
    about: "SAM 2 and 2.1 (Meta AI, 2024): what points, boxes and masks point at, through a video",
    schema: include_str!("tracker.json"),
    tracker: TrackerType::of::<Sam2Tracker>(),
};
