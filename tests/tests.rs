//! Tests of the whole: one module per concern.

// A test fails by panicking; clippy knows that of test functions, not of what they call.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

// The sentences of crates/README.md, held to.
mod architecture;
// Rust sources as tokens, for the sentences that speak of code.
mod source;
