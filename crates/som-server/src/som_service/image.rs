//! The image of a request, in whichever form it came → pixels.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use image::RgbImage;
use som_core::{Error, Result, Size, decode::decode};
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
pub(super) struct Picture {
    /// Upright.
    pub(super) pixels: Arc<RgbImage>,
    /// The digest under which it is kept.
    digest: Option<Digest>,
    /// How long decoding took.
    pub(super) took: Duration,
}

impl Picture {
    fn new(pixels: Arc<RgbImage>, digest: Option<Digest>) -> Self {
        Self {
            pixels,
            digest,
            took: Duration::ZERO,
        }
    }

    /// Its size in pixels.
    pub(super) fn size(&self) -> Size {
        Size::new(self.pixels.width(), self.pixels.height())
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
    pub(super) async fn picture(
        &self,
        image: Option<pb::Image>,
        work: &Work<'_>,
    ) -> Result<Picture> {
        let content = image.and_then(|image| image.content);
        match content.ok_or_else(|| Error::invalid("image is not set"))? {
            Content::Encoded(image) => self.decode(image, work).await,
            Content::Raw(image) => {
                let limit = self.engine.settings().limits.image_pixels;
                let read = move || wire_image::from_wire(image, limit);
                let pixels = self.engine.compute(read).await?;
                Ok(Picture::new(Arc::new(pixels), None))
            }
            Content::Sha256(digest) => {
                let (digest, pixels) = self.kept.find(&work.call.owner, &digest)?;
                Ok(Picture::new(pixels, Some(digest)))
            }
        }
    }

    async fn decode(&self, image: pb::EncodedImage, work: &Work<'_>) -> Result<Picture> {
        let limits = self.engine.settings().limits.clone();
        if image.data.len() as u64 > limits.image_bytes {
            return Err(Error::exhausted(format!(
                "the file is longer than {} bytes (raise limits.image_bytes)",
                limits.image_bytes
            )));
        }
        let (kept, owner) = (self.kept.clone(), work.call.owner.clone());
        let decode = move || {
            let started = Instant::now();
            let digest = image.keep.then(|| kept::digest(&image.data));
            if let Some(pixels) = digest.and_then(|digest| kept.get(&owner, digest)) {
                return Ok(Picture::new(pixels, digest));
            }
            let pixels = Arc::new(decode(&image.data, limits.image_pixels)?);
            Ok(Picture {
                digest: digest.filter(|&digest| kept.put(&owner, digest, pixels.clone())),
                pixels,
                took: started.elapsed(),
            })
        };
        let picture = self.engine.compute(decode).await?;
        work.call.metrics.stage("decode", picture.took);
        Ok(picture)
    }
}
