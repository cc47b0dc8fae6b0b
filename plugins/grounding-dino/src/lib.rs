//! Grounding DINO as a som plugin: boxes of whatever a text names, without Python.
//!
//! From the network to the regions: `network` is the model, `asked` says which text a call is about,
//! `regions` makes regions of what the network finds, and `segmenter` is what the host sees. All else is
//! every learned segmenter's, in `som-torch`.
#![allow(clippy::cast_possible_wrap, reason = "libtorch counts in i64")]

mod params;
mod network;
mod asked;
mod regions;
mod segmenter;
#[cfg(test)]
mod golden;

use som_plugin::guest::{SegmenterDef, SegmenterType};
use som_torch::{Instance, Learned as _};

pub use crate::segmenter::GroundingDino;

som_plugin::export!(segmenters: [GROUNDING_DINO]);

/// One instance. Instances with the same options share weights and encoded images.
pub type GroundingDinoSegmenter = Instance<GroundingDino>;

/// The segmenter `grounding-dino`.
pub static GROUNDING_DINO: SegmenterDef = SegmenterDef {
    id: GroundingDino::ID,
    version: env!("CARGO_PKG_VERSION"),
    about: "Grounding DINO (IDEA Research, 2023): the boxes of whatever a text names, each with its phrase",
    schema: include_str!("schema.json"),
    segmenter: SegmenterType::of::<GroundingDinoSegmenter>(),
};
