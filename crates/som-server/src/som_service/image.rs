//! The image of a request, in whichever form it came → pixels.
//!
//! Raw pixels stay in the message that brought them, and a kept image is shared: no stage that only
//! reads copies an image. These copies remain: tonic gathers the frames of a message into one
//! buffer, each page is a copy that is drawn on, and tonic writes the pages into the frames of the
//! answer.

use std::time::{Duration, Instant};

use som_core::{Error, Result, Size, decode::decode};
use som_engine::SharedImage;
use som_proto::{
    image as wire_image,
    pb::v1::{self as pb, image::Content},
    region,
};

use super::Som;
use crate::{
    call::Work,
    kept::{self, Digest},
};

/// The image to work on.
pub(super) struct RequestImage {
    /// Upright.
    pub(super) pixels: SharedImage,
    /// The digest under which it is kept.
    digest: Option<Digest>,
    /// How long decoding took; `None` if there was nothing to decode.
    pub(super) took: Option<Duration>,
}

impl RequestImage {
    fn new(pixels: SharedImage, digest: Option<Digest>) -> Self {
        Self {
            pixels,
            digest,
            took: None,
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
                Ok(RequestImage::new(SharedImage::new(size, pixels)?, None))
            }
            Content::Sha256(digest) => {
                let (digest, pixels) = self.kept.find(&work.call.owner, &digest)?;
                Ok(RequestImage::new(pixels, Some(digest)))
            }
        }
    }

    async fn decode(&self, image: pb::EncodedImage, work: &Work<'_>) -> Result<RequestImage> {
        let limits = self.engine.settings().limits.clone();
        if image.data.len() as u64 > limits.image_bytes {
            return Err(Error::exhausted(format!(
                "the file is longer than {} bytes (raise limits.image_bytes)",
                limits.image_bytes
            )));
        }
        let (kept, owner) = (self.kept.clone(), work.call.owner.clone());
        let decode = move || {
            let _span = tracing::info_span!("decode").entered();
            let started = Instant::now();
            let digest = image.keep.then(|| kept::digest(&image.data));
            if let Some(pixels) = digest.and_then(|digest| kept.get(&owner, digest)) {
                return Ok(RequestImage::new(pixels, digest));
            }
            let pixels = SharedImage::from(decode(&image.data, limits.image_pixels)?);
            Ok(RequestImage {
                digest: digest.filter(|&digest| kept.put(&owner, digest, pixels.clone())),
                pixels,
                took: Some(started.elapsed()),
            })
        };
        let image = self.engine.compute(decode).await?;
        if let Some(took) = image.took {
            work.call.metrics.stage("decode", took);
        }
        Ok(image)
    }
}
