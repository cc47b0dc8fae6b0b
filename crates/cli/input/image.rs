//! An image of the inputs: its bytes and their digest, and its pixels where somebody needs them.

use std::time::{Duration, Instant};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use som_core::{
    Result, Size,
    decode::{DecodeOptions, ImageNote, decode_with},
};
use som_engine::{SharedImage, settings::LimitSettings};

use super::Input;

/// An image as it was read. Clones share its bytes.
#[derive(Clone, Debug)]
pub(crate) struct InputImage {
    /// As the user names it.
    pub(crate) name: String,
    /// Encoded.
    pub(crate) bytes: Bytes,
    /// SHA-256 of its bytes, in hexadecimal.
    pub(crate) sha256: String,
}

/// Its pixels. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Decoded {
    /// Upright.
    pub(crate) pixels: SharedImage,
    /// How long decoding took.
    pub(crate) took: Duration,
    /// What was odd about the file.
    pub(crate) notes: Vec<ImageNote>,
}

impl InputImage {
    /// Reads an image. Blocks.
    ///
    /// # Errors
    /// As [`Input::read`].
    pub(crate) fn read(input: &Input, limits: &LimitSettings) -> Result<Self> {
        let bytes = input.read(limits.image_bytes)?;
        Ok(Self {
            name: input.to_string(),
            sha256: digest(&bytes),
            bytes: bytes.into(),
        })
    }

    /// Its pixels. Blocks.
    ///
    /// # Errors
    /// As [`decode_with`].
    pub(crate) fn decode(&self, options: &DecodeOptions) -> Result<Decoded> {
        let _span = tracing::info_span!("decode", image = %self.name).entered();
        let start = Instant::now();
        let decoded = decode_with(&self.bytes, options)?;
        let took = start.elapsed();
        let size = Size::new(decoded.pixels.width(), decoded.pixels.height());
        tracing::debug!(%size, ?took, "decoded");
        for note in &decoded.notes {
            tracing::info!(%note, "the image is odd");
        }
        Ok(Decoded {
            pixels: SharedImage::from(decoded.pixels).with_tags(decoded.tags),
            took,
            notes: decoded.notes,
        })
    }
}

fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
