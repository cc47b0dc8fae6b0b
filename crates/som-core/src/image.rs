//! The image: 8-bit sRGB pixels, rows packed, top-left first.

use image::{ImageBuffer, Rgb};

/// A borrowed image: zero copy from any plugin or decoder, and every `image`/`imageproc`
/// algorithm reads it.
pub type Image<'a> = ImageBuffer<Rgb<u8>, &'a [u8]>;

/// As [`Image`], but to draw on.
pub type Canvas<'a> = ImageBuffer<Rgb<u8>, &'a mut [u8]>;
