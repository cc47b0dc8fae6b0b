//! Large multimodal models over HTTP, against servers of our own that answer as told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

/// The server that answers as told, and how to ask through it.
mod fake;
/// The interfaces of providers, as the tests speak them.
mod wire;

/// What is sent: words and images in order, options, addresses, headers.
mod requests;
/// What comes back, in pieces and whole.
mod answers;
/// What goes wrong, and what is tried again.
mod failures;
/// What a server refuses, and does without.
mod concessions;
/// Keys are shown nowhere.
mod secrets;
/// Tables of the settings.
mod tables;
/// Answers on file.
mod cassette;
/// Servers that others wrote.
mod servers;
