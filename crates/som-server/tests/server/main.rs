//! The server over real connections, with segmenters that do as they are told.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

mod som; // Segment and Mark: images, regions, pictures
mod granularity; // who answers to which granularity, and why
mod kept; // images that are sent once and named by digest
mod bounds; // what a call may bring, and all calls together
mod statuses; // whose fault it is
mod crowds; // more clients than there is room for
mod storm; // requests at random
mod refusals; // requests that are wrong, malformed, too large, too many or too slow
mod ask; // Ask and Compare: stages, rows, failures
mod stream; // MarkStream: order, failures, back-pressure, ends
mod track; // Track: sessions, order, failures, ends
mod models; // what models cost, who pays, and keys that are refused
mod gate; // tokens, limits, deadlines, request ids, metrics
mod operation; // health, reflection, metrics, settings read again
mod connections; // addresses, handshakes, drain
mod tls; // certificates, right and wrong
mod remote; // a segmenter behind another server: balance, retries
mod liars; // endpoints that are not what they say
mod upgrades; // endpoints that change while they are used
