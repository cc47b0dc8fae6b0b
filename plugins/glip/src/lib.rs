//! GLIP as a som plugin: boxes of what the phrases of a text name, without Python.
//!
//! From the network to the regions: `network` is the model, `asked` says which text a call is about and
//! `nouns` what can be looked for in it, `regions` makes regions of what the network finds, and
//! `segmenter` is what the host sees. All else is every learned segmenter's, in `som-torch`.
#![allow(clippy::cast_possible_wrap, reason = "libtorch counts in i64")]

mod params;
mod network;
mod nouns;
mod asked;
mod regions;
mod segmenter;
#[cfg(test)]
mod golden;

use som_plugin::guest::{SegmenterDef, SegmenterType};
use som_torch::{Instance, Learned as _};

pub use crate::segmenter::Glip;

som_plugin::export!(segmenters: [GLIP]);

/// One instance. Instances with the same options share weights and encoded images.
pub type GlipSegmenter = Instance<Glip>;

/// The segmenter `glip`.
pub static GLIP: SegmenterDef = SegmenterDef {
    id: Glip::ID,
    version: env!("CARGO_PKG_VERSION"),
    about: "GLIP (Microsoft, 2021): the boxes of what the phrases of a caption name, or of named classes",
    schema: include_str!("schema.json"),
    segmenter: SegmenterType::of::<GlipSegmenter>(),
};
