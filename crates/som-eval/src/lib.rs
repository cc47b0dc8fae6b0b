//! How good Set-of-Mark answers are, told in the numbers that the field publishes.
//!
//! [`data`] reads data sets from folders as people have them, [`metrics`] measure as was published.

// In the order of the data flow:
mod error;
mod geometry;
mod sample;
pub mod data;
pub mod metrics;

pub use crate::{
    error::{Error, Result},
    geometry::{Rect, Shape},
    sample::{Phrase, Protocol, Question, Sample, Segment, Segments, Target, Truth, Video},
};
