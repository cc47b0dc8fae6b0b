//! The image of a sample: pixels that its annotations fit.

use std::{fs::File, io::Read as _, path::Path};

use sha2::{Digest as _, Sha256};
use som_core::{Error, Result, Size, decode::decode_with};
use som_engine::{SharedImage, settings::Settings};

/// An image, and what it is known by. Clones share its pixels.
#[derive(Clone)]
pub(super) struct Picture {
    pub(super) pixels: SharedImage,
    /// SHA-256 of its file, in hexadecimal.
    pub(super) sha256: String,
}

impl Picture {
    /// Reads the image at `path`, whose annotations are for `size` where that is known. Blocks.
    ///
    /// # Errors
    /// NotFound or Unavailable, if it cannot be read; what decoding reports; Invalid, if it is of
    /// another size.
    pub(super) fn read(path: &Path, size: Option<Size>, settings: &Settings) -> Result<Self> {
        let at = |error: Error| error.at(path.display());
        let limit = settings.limits.image_bytes;
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| {
            let mut file = file.take(limit.saturating_add(1));
            file.read_to_end(&mut bytes)
        });
        read.map_err(|error| {
            at(match error.kind() {
                std::io::ErrorKind::NotFound => Error::not_found(
                    "there is no such image (say where the images are with --images)",
                ),
                _ => Error::unavailable("cannot be read").caused_by(error),
            })
        })?;
        if bytes.len() as u64 > limit {
            return Err(at(Error::exhausted(format!(
                "has more than {limit} bytes (see limits.image_bytes)"
            ))));
        }
        let decoded = decode_with(&bytes, &settings.decoding()).map_err(at)?;
        let pixels = SharedImage::from(decoded.pixels);
        let found = pixels.size();
        match size.filter(|size| *size != found) {
            None => Ok(Self {
                sha256: hex(&Sha256::digest(&bytes)),
                pixels,
            }),
            Some(size) if Size::new(size.height, size.width) == found => {
                Err(at(Error::invalid(format!(
                    "is {found} as it is seen, but its annotations are for {size} (they are turned \
                     otherwise than its EXIF orientation says)"
                ))))
            }
            Some(size) => Err(at(Error::invalid(format!(
                "is {found}, but its annotations are for {size} (is it the right image?)"
            )))),
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
