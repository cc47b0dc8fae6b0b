//! The orchestrator: settings, the registry of segmenters, mark styles and trackers, the workers that run
//! them, and the large multimodal models that are asked.

pub mod ask;
pub mod compare;
mod engine;
pub mod granularity;
mod image;
mod installed;
pub mod memory;
mod probe;
mod refine;
pub mod registry;
mod remote;
mod request;
mod segment;
pub mod settings;
pub mod track;
pub mod weights;
mod worker;

pub use self::{
    engine::Engine,
    image::SharedImage,
    probe::Probe,
    request::{
        GivenRegions, MarkRequest, Marking, Refinement, RegionSource, SegmentRequest, Segmented,
        SegmenterChoice,
    },
};
