//! Metrics as they were published, each with its source. All take truth first, then what was found.

pub mod boxes;
pub mod masks;
pub mod phrases;
pub mod naming;
pub mod panoptic;
pub mod video;
pub mod cutting;
pub mod clicks;
mod interval;
mod ratio;
mod spread;

pub use self::{
    interval::{DRAWS, Difference, Interval, bootstrap, mcnemar, paired},
    ratio::Ratio,
    spread::Spread,
};
