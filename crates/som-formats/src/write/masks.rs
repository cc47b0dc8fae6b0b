//! A PNG for each region.

use image::{ExtendedColorType, ImageEncoder as _, codecs::png::PngEncoder};
use som_core::{Error, Mask, Result};

/// A gray image of the mask's size: 255 inside, 0 outside.
///
/// # Errors
/// Internal, if it cannot be encoded.
pub fn png(mask: &Mask) -> Result<Vec<u8>> {
    let size = mask.size();
    let mut pixels = vec![0; size.pixels() as usize];
    mask.paint(size.bbox(), &mut pixels, 255_u8);
    encoded(&pixels, size.width, size.height)
}

/// The same, of the pixels in the mask's box alone.
pub(super) fn cropped_png(mask: &Mask) -> Result<Vec<u8>> {
    let bbox = mask.bbox();
    let mut pixels = vec![0; bbox.area() as usize];
    mask.paint(bbox, &mut pixels, 255_u8);
    encoded(&pixels, bbox.width, bbox.height)
}

fn encoded(pixels: &[u8], width: u32, height: u32) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(pixels, width, height, ExtendedColorType::L8)
        .map_err(|error| Error::internal("the mask could not be encoded").caused_by(error))?;
    Ok(bytes)
}
