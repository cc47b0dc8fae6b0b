//! The orchestrator: settings, the registry of segmenters and mark styles, and the workers that
//! run them.

mod engine;
mod image;
pub mod registry;
mod remote;
pub mod settings;
mod worker;

pub use self::{
    engine::{
        Engine, LayerRequest, MarkRequest, Marking, RegionSource, SegmentRequest, Segmentation,
    },
    image::SharedImage,
};
