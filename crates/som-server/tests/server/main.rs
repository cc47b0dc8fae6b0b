//! The server over real connections, with segmenters that do as they are told.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

mod som; // Segment and Mark: images, regions, pictures
mod granularity; // who answers to which granularity, and why
mod kept; // images that are sent once and named by digest
mod refusals; // requests that are wrong, malformed, too large, too many or too slow
mod ask; // Ask and Compare: stages, rows, failures
mod stream; // MarkStream: order, failures, back-pressure, ends
mod gate; // tokens, limits, deadlines, request ids, metrics
mod connections; // addresses, handshakes, drain
mod tls; // certificates, right and wrong
mod remote; // a segmenter behind another server: balance, retries
mod liars; // endpoints that are not what they say
