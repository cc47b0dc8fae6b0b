//! The gRPC contract of som: the generated types and services ([`pb`]), and their conversions to
//! the nouns of `som-core`.
//!
//! A conversion to the wire cannot fail. One from the wire checks everything a peer can get wrong
//! and names the field that is.

pub mod ask;
pub mod codec;
pub mod descriptor;
pub mod granularity;
pub mod image;
pub mod mark;
pub mod params;
pub mod pb;
pub mod region;
pub mod segment;
pub mod status;
