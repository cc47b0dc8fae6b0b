//! The image of a request, in whichever form it came → pixels.
//!
//! Raw pixels stay in the message that brought them, and a kept image is shared: no stage that only
//! reads copies an image. These copies remain: tonic gathers the frames of a message into one
//! buffer, each page is a copy that is drawn on, and tonic writes the pages into the frames of the
//! answer.

use std::{
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use som_core::{
    Error, Result, Size,
    decode::{self, Background, ImageNote, decode_with},
};
use som_engine::{
    SharedImage,
    memory::{DECODE_BYTES, PIXEL_BYTES},
};
use som_proto::{
    image as wire_image,
    pb::v1::{self as pb, image::Content},
    region,
};

use super::Som;
use crate::{
    call::Work,
    kept::{self, Digest, KeptImage},
};

/// The image to work on.
pub(super) struct RequestImage {
    /// Upright.
    pub(super) pixels: SharedImage,
    /// The digest under which it is kept.
    digest: Option<Digest>,
    /// How long decoding took; `None` if there was nothing to decode.
    pub(super) took: Option<Duration>,
    /// What was odd about its file.
    notes: Arc<[ImageNote]>,
}

impl RequestImage {
    /// One that there was nothing to decode of.
    fn at_hand(KeptImage { pixels, notes, .. }: KeptImage, digest: Option<Digest>) -> Self {
        Self {
            pixels,
            digest,
            took: None,
            notes,
        }
    }

    /// Its size in pixels.
    pub(super) fn size(&self) -> Size {
        self.pixels.size()
    }

    /// What the client is told about it.
    pub(super) fn info(&self) -> pb::ImageInfo {
        pb::ImageInfo {
            size: Some(region::size_to_wire(self.size())),
            sha256: self
                .digest
                .map_or_else(Default::default, |digest| digest.to_vec().into()),
            notes: self.notes.iter().map(wire_image::note_to_wire).collect(),
        }
    }
}

impl Som {
    /// The image of a request.
    ///
    /// # Errors
    /// Invalid or Unsupported for what is no image, Exhausted for one beyond the limits, NotFound
    /// for a digest that is not kept.
    pub(super) async fn request_image(
        &self,
        image: Option<pb::Image>,
        work: &Work<'_>,
    ) -> Result<RequestImage> {
        let content = image.and_then(|image| image.content);
        match content.ok_or_else(|| Error::invalid("image is not set"))? {
            Content::Encoded(image) => self.decode(image, work).await,
            Content::Raw(image) => {
                let limit = self.engine.settings().limits.image_pixels;
                let (size, pixels) = wire_image::from_wire(image, limit)?;
                let image = KeptImage {
                    pixels: SharedImage::new(size, pixels)?,
                    notes: Arc::default(),
                };
                Ok(RequestImage::at_hand(image, None))
            }
            Content::Sha256(digest) => {
                let (digest, image) = self.kept.find(work.call.owner_name(), &digest)?;
                Ok(RequestImage::at_hand(image, Some(digest)))
            }
        }
    }

    async fn decode(&self, image: pb::EncodedImage, work: &Work<'_>) -> Result<RequestImage> {
        let settings = self.engine.settings();
        let limit = settings.limits.image_bytes;
        if image.data.len() as u64 > limit {
            return Err(Error::exhausted(format!(
                "the file is longer than {limit} bytes (raise limits.image_bytes)"
            )));
        }
        let mut options = settings.decoding();
        if let Some(stretch) = image.stretch {
            options.stretch = stretch;
        }
        if !image.background.is_empty() {
            let background = image.background.parse::<Background>();
            options.background = background.map_err(|error| error.at("image.background"))?;
        }
        // A digest names a file as the settings have it read.
        let is_kept = image.keep && options == settings.decoding();
        let (memory, held) = (self.engine.memory().clone(), work.held.clone());
        let (kept, owner) = (self.kept.clone(), work.call.owner_name().clone());
        let decode = move || {
            let _span = tracing::info_span!("decode").entered();
            let started = Instant::now();
            let digest = is_kept.then(|| kept::digest(&image.data));
            let known = digest.and_then(|digest| kept.get(&owner, digest));
            if let Some(image) = known {
                return Ok(RequestImage::at_hand(image, digest));
            }
            // What cannot be told yet is told by the decoder.
            let pixels = decode::size(&image.data).map_or(0, Size::pixels);
            let pixels = Some(pixels).filter(|&pixels| pixels <= options.max_pixels);
            let pixels = pixels.unwrap_or_default();
            let _room = memory.hold("decoding", pixels.saturating_mul(DECODE_BYTES))?;
            held.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .add("the image", pixels.saturating_mul(PIXEL_BYTES))?;
            let decoded = decode_with(&image.data, &options)?;
            for note in &decoded.notes {
                tracing::info!(%note, "the image is odd");
            }
            let image = KeptImage {
                pixels: SharedImage::from(decoded.pixels).with_tags(decoded.tags),
                notes: decoded.notes.into(),
            };
            Ok(RequestImage {
                digest: digest.filter(|&digest| kept.put(&owner, digest, image.clone())),
                pixels: image.pixels,
                took: Some(started.elapsed()),
                notes: image.notes,
            })
        };
        let image = self.engine.compute(decode).await?;
        if let Some(took) = image.took {
            work.call.metrics.stage("decode", took);
        }
        Ok(image)
    }
}
