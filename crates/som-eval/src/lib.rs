//! How good Set-of-Mark answers are, told in the numbers that the field publishes.
//!
//! > data set → samples → results of a run → scores
//!
//! [`data`] reads data sets from folders as people have them, [`results`] what a run found,
//! [`score`] holds the one against the other with the [`metrics`] as they were published.

// In the order of the data flow:
mod error;
mod geometry;
mod sample;
pub mod data;
pub mod metrics;
pub mod results;
pub mod score;

pub use crate::{
    error::{Error, Result},
    geometry::{Rect, Shape},
    sample::{Phrase, Protocol, Question, Sample, Segment, Segments, Target, Truth, Video},
};
