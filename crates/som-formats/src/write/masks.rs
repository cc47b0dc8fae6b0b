//! A PNG for each region.

use image::{ExtendedColorType, ImageEncoder as _, codecs::png::PngEncoder};
use som_core::{Error, Mask, Result, Size};

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

/// A gray image of `size` whose pixels hold the numbers of masks, 0 where there is none, as DAVIS and other
/// data sets have them. Of several masks the smallest one shows.
///
/// # Errors
/// Internal, if it cannot be encoded.
pub fn map(size: Size, mut numbered: Vec<(u8, &Mask)>) -> Result<Vec<u8>> {
    numbered.sort_by_key(|(_, mask)| std::cmp::Reverse(mask.area()));
    let mut pixels = vec![0; size.pixels() as usize];
    for (number, mask) in numbered {
        mask.paint(size.bbox(), &mut pixels, number);
    }
    encoded(&pixels, size.width, size.height)
}

/// As [`png`], of the pixels in the mask's box alone.
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
