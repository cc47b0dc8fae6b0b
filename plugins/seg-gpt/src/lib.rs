//! SegGPT as a som plugin: what examples show is found in another image, without Python.
//!
//! From the examples to the regions: `prompt` makes the network's input of examples, `network` is the
//! model, which paints the image as the examples are painted, `regions` reads the regions off that, and
//! `segmenter` and `tracker` are what the host sees. All else is every learned segmenter's, in `som-torch`.
#![allow(clippy::cast_possible_wrap, reason = "libtorch counts in i64")]

mod network;
mod params;
mod prompt;
mod regions;
mod segmenter;
mod tracker;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;

use som_plugin::guest::{SegmenterDef, SegmenterType, TrackerDef, TrackerType};
use som_torch::{Instance, Learned as _};

pub use crate::{segmenter::SegGpt, tracker::SegGptTracker};

som_plugin::export!(segmenters: [SEG_GPT], trackers: [SEG_GPT_VIDEO]);

/// One instance. Instances with the same options share weights and encoded images.
pub type SegGptSegmenter = Instance<SegGpt>;

/// The segmenter `seg-gpt`.
pub static SEG_GPT: SegmenterDef = SegmenterDef {
    id: SegGpt::ID,
    version: env!("CARGO_PKG_VERSION"),
    about: "SegGPT (BAAI, 2023): what is marked in example pictures, found in the image",
    schema: include_str!("schema.json"),
    segmenter: SegmenterType::of::<SegGptSegmenter>(),
};

/// The tracker `seg-gpt`.
pub static SEG_GPT_VIDEO: TrackerDef = TrackerDef {
    id: SegGpt::ID,
    version: env!("CARGO_PKG_VERSION"),
    about: "SegGPT (BAAI, 2023): what masks mark in some frames, found in the others",
    schema: include_str!("tracker.json"),
    tracker: TrackerType::of::<SegGptTracker>(),
};
