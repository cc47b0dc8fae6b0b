//! OpenSeeD as a som plugin: regions of any classes that have names, without Python.
//!
//! From the network to the regions: `network` is the model, `vocabulary` says what the class
//! names of a call mean to it, `tasks` make regions of what the network says about them, and
//! `segmenter` is what the host sees.
#![allow(clippy::cast_possible_wrap, reason = "libtorch counts in i64")]

mod params;
mod network;
mod vocabulary;
mod tasks;
mod segmenter;
#[cfg(test)]
mod golden;

use som_plugin::guest::{SegmenterDef, SegmenterType};
use som_torch::{Instance, Learned as _};

pub use crate::segmenter::OpenSeed;

som_plugin::export!(segmenters: [OPEN_SEED]);

/// One instance. Instances with the same options share weights, encoded images and vocabularies.
pub type OpenSeedSegmenter = Instance<OpenSeed>;

/// The segmenter `open-seed`.
pub static OPEN_SEED: SegmenterDef = SegmenterDef {
    id: OpenSeed::ID,
    version: env!("CARGO_PKG_VERSION"),
    about: "OpenSeeD (IDEA Research, 2023): panoptic, instance and semantic regions of any named classes",
    schema: include_str!("schema.json"),
    segmenter: SegmenterType::of::<OpenSeedSegmenter>(),
};
