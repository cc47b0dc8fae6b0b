//! Plugins from outside: libraries that are loaded.

// Builds the libraries that the others load.
pub(crate) mod build;
// The conformance suite: who passes it, and which check finds which fault.
mod check;
// Examples do what they say, and export one symbol.
mod examples;
// What a plugin can do wrong, and what the host says to it.
mod faults;
// Libraries that are installed together with the program.
mod installed;
// Libraries that cannot be loaded, and why.
mod load;
// Plugins to start from build and pass.
mod new;
// Panics of a library in Rust become errors.
mod panics;

pub(crate) use build::rust_library;
