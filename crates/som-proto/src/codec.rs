//! How messages become bytes: protobuf, with three differences to `tonic-prost`.
//!
//! A message is encoded into memory of its exact size (a growing buffer would copy a large image
//! several times), and a malformed one is the peer's mistake, `INVALID_ARGUMENT`, not a bug here.
//! One that would take far more memory than it has bytes is not decoded.

use std::marker::PhantomData;

use prost::{Message, Name, bytes::Buf as _};
use tonic::{
    Status,
    codec::{self, DecodeBuf, EncodeBuf},
};

use crate::parts;

/// Encodes `T` and decodes `U`.
#[derive(Debug)]
pub struct Codec<T, U>(PhantomData<(T, U)>);

/// Encodes `T`.
#[derive(Debug)]
pub struct Encoder<T>(PhantomData<T>);

/// Decodes `U`.
#[derive(Debug)]
pub struct Decoder<U>(PhantomData<U>);

impl<T, U> Default for Codec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> codec::Codec for Codec<T, U>
where
    T: Message + 'static,
    U: Message + Default + Name + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = Encoder<T>;
    type Decoder = Decoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        Encoder(PhantomData)
    }

    fn decoder(&mut self) -> Self::Decoder {
        Decoder(PhantomData)
    }
}

impl<T: Message> codec::Encoder for Encoder<T> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, message: T, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.reserve(message.encoded_len());
        message
            .encode(buffer)
            .map_err(|error| Status::internal(error.to_string()))
    }
}

impl<U: Message + Default + Name> codec::Decoder for Decoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        // What is to be decoded lies in one piece.
        parts::check(&U::full_name(), buffer.chunk())?;
        U::decode(buffer)
            .map(Some)
            .map_err(|error| Status::invalid_argument(format!("malformed message: {error}")))
    }
}
