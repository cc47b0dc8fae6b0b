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
mod parts;
pub mod pb;
pub mod region;
pub mod segment;
pub mod status;
pub mod text;
pub mod track;

/// Bytes of a message on the wire, without compression.
pub fn size_of(message: &impl prost::Message) -> usize {
    message.encoded_len()
}
