//! The server over real connections, with segmenters that do as they are told.

mod support;

mod remote; // a segmenter behind another server: balance, retries, refusals
