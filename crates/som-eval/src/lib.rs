//! How good Set-of-Mark answers are, told in the numbers that the field publishes.
//!
//! > data set → samples → results of a run → scores → report
//!
//! [`data`] reads data sets from folders as people have them, [`run`](mod@run) asks about their samples and
//! writes what was found as [`results`], [`score`] holds the one against the other with the
//! [`metrics`] as they were published. [`report`] tells what came of runs, [`compare`](mod@compare) whether one is
//! better than another.

// In the order of the data flow:
mod error;
mod geometry;
mod sample;
pub mod data;
pub mod metrics;
mod random;
pub mod results;
pub mod run;
pub mod score;
pub mod report;
pub mod compare;
pub mod marks;
pub mod paper;

pub use crate::{
    error::{Error, Result},
    geometry::{Rect, Shape},
    sample::{Phrase, Protocol, Question, Sample, Segment, Segments, Target, Truth, Video},
};
