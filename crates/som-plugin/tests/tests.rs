//! Tests of the boundary within one process: one module per concern.
//!
//! No module but `header` starts a process or opens a library, so Miri can run the rest:
//! `cargo miri test --package som-plugin`.

// A test fails by panicking; clippy knows that of test functions, not of what they call.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// The other side of the boundary is played by hand.
#![allow(unsafe_code)]
// The plugins here are only ever embedded, so there is no feature `export`.
#![allow(unexpected_cfgs)]

// The header: its layouts against the mirror, and as six language standards read it.
#[cfg(not(miri))]
mod header;
// A segmenter in Rust, through the boundary and back.
mod segmenter;
// Mark styles in Rust, through the boundary and back.
mod mark_style;
// Trackers in Rust, through the boundary and back.
mod tracker;
// Panics become errors, and the host goes on.
mod panics;
// Structs of other versions of the header.
mod versions;
