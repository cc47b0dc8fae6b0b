//! Data sets read, samples asked, metrics against worked examples, runs scored and told.

// A test fails by panicking; clippy knows that of test functions, not of what they call.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod asset;
mod worked;
mod panoptic;
mod data;
mod faults;
mod score;
mod losses;
mod schemas;
mod bench;
mod run;
mod track;
mod report;
