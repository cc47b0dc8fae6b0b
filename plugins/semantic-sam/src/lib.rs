//! Semantic-SAM as a som plugin: the official checkpoints, without Python.
//!
//! From the network to the regions: `network` is the model, `encoded` is what it makes of an image
//! before anything is asked, `automatic` and `interactive` (by way of `hints` and `selection`) ask
//! it for everything or for what hints say, `levels` says which masks of a point are wanted, `found`
//! makes regions of masks, and `segmenter` is what a call asks for. All else is every learned segmenter's, in `som-torch`.
#![allow(clippy::cast_possible_wrap, reason = "libtorch counts in i64")]

mod automatic;
mod encoded;
mod found;
mod hints;
mod interactive;
mod levels;
mod network;
mod params;
mod segmenter;
mod selection;

use som_plugin::guest::{SegmenterDef, SegmenterType};
use som_torch::Learned;

pub use crate::{encoded::EncodedImage, network::SemanticSam, segmenter::SemanticSamSegmenter};

som_plugin::export!(segmenters: [SEMANTIC_SAM]);

/// The segmenter `semantic-sam`.
pub static SEMANTIC_SAM: SegmenterDef = SegmenterDef {
    id: <SemanticSam as Learned>::ID,
    version: env!("CARGO_PKG_VERSION"),
    about: "Semantic-SAM (2023): everything at six levels of detail, or what points, boxes and strokes ask for",
    schema: include_str!("schema.json"),
    segmenter: SegmenterType::of::<SemanticSamSegmenter>(),
};
