//! Images that are handed on without a copy.

use image::RgbImage;
use prost::bytes::Bytes;
use som_core::{Error, Image, Result, Size, decode::Tags};

/// An image, decoded and upright. Clones share its pixels, which may lie in the message that
/// brought them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedImage {
    size: Size,
    pixels: Bytes,
    tags: Tags,
}

impl SharedImage {
    /// An image of `size` with these pixels: R G B interleaved, rows packed, top-left first.
    ///
    /// # Errors
    /// Invalid, if they do not fill the size exactly.
    pub fn new(size: Size, pixels: Bytes) -> Result<Self> {
        match size.pixels().checked_mul(3) {
            Some(needed) if needed == pixels.len() as u64 => Ok(Self {
                size,
                pixels,
                tags: Tags::default(),
            }),
            _ => Err(Error::invalid(format!(
                "{} bytes of pixels do not fill an image of {size}",
                pixels.len()
            ))),
        }
    }

    /// The same pixels, in this colour space and as close together.
    #[must_use]
    pub fn with_tags(self, tags: Tags) -> Self {
        Self { tags, ..self }
    }

    /// Its colour profile and density; those of sRGB, where nothing else is known.
    pub fn tags(&self) -> &Tags {
        &self.tags
    }

    /// Its size in pixels.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Bytes of pixels.
    pub fn bytes(&self) -> usize {
        self.pixels.len()
    }

    /// As the stages see it.
    ///
    /// # Errors
    /// Internal, if the pixels do not fill the size, which was checked before.
    pub fn as_image(&self) -> Result<Image<'_>> {
        Image::from_raw(self.size.width, self.size.height, &self.pixels[..])
            .ok_or_else(|| Error::internal("an image is smaller than its size says"))
    }
}

impl From<RgbImage> for SharedImage {
    /// Takes the pixels over.
    fn from(image: RgbImage) -> Self {
        Self {
            size: Size::new(image.width(), image.height()),
            pixels: image.into_raw().into(),
            tags: Tags::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use som_core::ErrorKind;

    use super::*;

    #[test]
    fn pixels_are_shared_and_fill_the_size() {
        let pixels = Bytes::from(vec![7; 24]);
        let image = SharedImage::new(Size::new(4, 2), pixels.clone()).unwrap();
        let borrowed = image.as_image().unwrap();
        assert_eq!(borrowed.as_raw().as_ptr(), pixels.as_ptr(), "no copy");
        assert_eq!(image.clone().pixels.as_ptr(), pixels.as_ptr(), "no copy");
        for size in [
            Size::new(4, 3),
            Size::new(0, 2),
            Size::new(u32::MAX, u32::MAX),
        ] {
            let error = SharedImage::new(size, pixels.clone()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn a_decoded_image_is_taken_over() {
        let image = RgbImage::from_fn(4, 2, |x, y| image::Rgb([x as u8, y as u8, 9]));
        let (pixels, at) = (image.as_raw().clone(), image.as_raw().as_ptr());
        let shared = SharedImage::from(image);
        assert_eq!(shared.pixels, pixels);
        assert_eq!(shared.pixels.as_ptr(), at, "no copy");
    }
}
