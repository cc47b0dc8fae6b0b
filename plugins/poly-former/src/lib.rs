//! PolyFormer as a som plugin: the region that an expression refers to, without Python.
//!
//! From the words to the regions: `asked` says which expressions a call is about, `network` is the model,
//! which writes down the corners of a box and of polygons, `regions` makes regions of those by way of
//! `polygon`, and `segmenter` is what the host sees. All else is every learned segmenter's, in `som-torch`.
#![allow(clippy::cast_possible_wrap, reason = "libtorch counts in i64")]

mod asked;
mod network;
mod polygon;
mod regions;
mod segmenter;
#[cfg(test)]
mod golden;

use som_plugin::guest::{SegmenterDef, SegmenterType};
use som_torch::{Instance, Learned as _};

pub use crate::segmenter::PolyFormer;

som_plugin::export!(segmenters: [POLY_FORMER]);

/// One instance. Instances with the same options share weights and encoded images.
pub type PolyFormerSegmenter = Instance<PolyFormer>;

/// The segmenter `poly-former`.
pub static POLY_FORMER: SegmenterDef = SegmenterDef {
    id: PolyFormer::ID,
    version: env!("CARGO_PKG_VERSION"),
    about: "PolyFormer (Amazon, 2023): the one region that an expression refers to, as polygons, with its box",
    schema: include_str!("schema.json"),
    segmenter: SegmenterType::of::<PolyFormerSegmenter>(),
};
