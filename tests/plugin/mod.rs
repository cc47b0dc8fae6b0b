//! Plugins from outside: libraries that are loaded.

// Builds the libraries that the others load.
mod build;
// Examples do what they say, and export one symbol.
mod examples;
// What a plugin can do wrong, and what the host says to it.
mod faults;
// Libraries that cannot be loaded, and why.
mod load;
// Panics of a library in Rust become errors.
mod panics;
