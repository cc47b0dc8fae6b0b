//! SEEM as a som plugin: regions of any classes that have names, or what strokes and words ask for,
//! without Python.
//!
//! From the network to the regions: `network` is the model, `vocabulary` says what the class names of
//! a call mean to it; `panoptic` finds everything, `hints` say what is wanted and `asked` finds that;
//! `segmenter` is what the host sees. All else is every learned segmenter's, in `som-torch`.
#![allow(clippy::cast_possible_wrap, reason = "libtorch counts in i64")]

mod params;
mod network;
mod vocabulary;
mod maps;
mod panoptic;
mod hints;
mod asked;
mod segmenter;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;

use som_plugin::guest::{SegmenterDef, SegmenterType};
use som_torch::{Instance, Learned as _};

pub use crate::segmenter::Seem;

som_plugin::export!(segmenters: [SEEM]);

/// One instance. Instances with the same options share weights, encoded images and vocabularies.
pub type SeemSegmenter = Instance<Seem>;

/// The segmenter `seem`.
pub static SEEM: SegmenterDef = SegmenterDef {
    id: Seem::ID,
    version: env!("CARGO_PKG_VERSION"),
    about: "SEEM (2023): panoptic regions of any named classes, or what points, boxes, strokes and words ask for",
    schema: include_str!("schema.json"),
    segmenter: SegmenterType::of::<SeemSegmenter>(),
};
