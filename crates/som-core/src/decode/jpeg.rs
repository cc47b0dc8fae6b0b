//! JPEG, past the `image` crate: that one shows grey where a file is damaged or cut off.

use image::{DynamicImage, RgbImage, metadata::Orientation};
use zune_jpeg::{
    JpegDecoder,
    errors::DecodeErrors,
    zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions},
};

use super::Failure;
use crate::{Result, Size};

/// The image as it is stored, and how to turn it upright.
pub(super) fn decode(
    bytes: &[u8],
    limit: impl Fn(Size) -> Result<()>,
) -> Result<(DynamicImage, Orientation), Failure> {
    let failure = |error| match error {
        DecodeErrors::Unsupported(kind) => Failure::Unsupported(format!("{kind:?}")),
        error => Failure::Damaged(error.to_string()),
    };
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        // The format's own limit; ours comes once the size is known.
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(failure)?;
    let (width, height) = decoder
        .info()
        .map(|info| (u32::from(info.width), u32::from(info.height)))
        .unwrap_or_default();
    limit(Size::new(width, height)).map_err(Failure::Refused)?;
    if !is_complete(bytes) {
        return Err(Failure::Damaged(
            "the end of the image is missing".to_owned(),
        ));
    }
    let orientation = decoder
        .exif()
        .and_then(|exif| Orientation::from_exif_chunk(exif));
    let pixels = decoder.decode().map_err(failure)?;
    let image = RgbImage::from_raw(width, height, pixels)
        .ok_or_else(|| Failure::Damaged("there are too few pixels".to_owned()))?;
    Ok((
        image.into(),
        orientation.unwrap_or(Orientation::NoTransforms),
    ))
}

/// True if the end of the image is marked; the decoder would make the last pixels up. Whatever
/// follows, such as a phone's film of the moment, does not matter.
fn is_complete(bytes: &[u8]) -> bool {
    const END: u8 = 0xd9;
    const SCAN: u8 = 0xda;
    const ALONE: [u8; 2] = [0x01, 0xd8];
    let mut rest = bytes;
    while let Some((marker, after)) = next_marker(rest) {
        match marker {
            END => return true,
            _ if ALONE.contains(&marker) => rest = after,
            _ => {
                let Some(&length) = after.first_chunk() else {
                    return false;
                };
                let length = usize::from(u16::from_be_bytes(length));
                let Some(data) = after.get(length..) else {
                    return false;
                };
                rest = if marker == SCAN {
                    skip_scan(data)
                } else {
                    data
                };
            }
        }
    }
    false
}

/// The next marker and what comes after it.
fn next_marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let start = bytes.iter().position(|&byte| byte == 0xff)?;
    let code = start + bytes[start..].iter().position(|&byte| byte != 0xff)?;
    Some((bytes[code], &bytes[code + 1..]))
}

/// What comes after the compressed data: from the first marker on that is neither an escaped
/// 0xff nor a restart.
fn skip_scan(data: &[u8]) -> &[u8] {
    let is_end = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff);
    let end = data.windows(2).position(is_end).unwrap_or(data.len());
    &data[end..]
}
