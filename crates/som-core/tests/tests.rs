//! Tests of som-core through its public face, a module a concern.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::needless_pass_by_value
)]

/// What a plugin says of itself, there and back.
mod catalog;
/// Masks: pixels, sets, encodings, outlines.
mod mask;
/// Parameters against their JSON Schema: defaults, refusals, text of a command line.
#[cfg(feature = "schema")]
mod schema;
/// Non-maximum suppression.
mod nms;
/// Mark allocation: known answers, and every promise over random regions.
mod allocate;
/// Regions as JSON.
mod region;
/// Image files: every kind, damaged ones, bombs.
mod decode;
/// What models see of images, and what providers refuse.
mod lmm;
/// Grounding under arbitrary text.
mod ground;
/// A corpus of answers, by kind.
mod answers;
/// Prompts: templates, interleaved texts, words and images in order.
mod prompt;
/// Tasks: answers become regions.
#[cfg(feature = "schema")]
mod task;

/// Python and its libraries, where they are.
mod python;
