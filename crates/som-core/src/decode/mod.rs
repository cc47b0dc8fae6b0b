//! bytes → image: the formats that som reads.

mod jpeg;

use std::io::Cursor;

use crate::{Error, Result, Size};
use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbImage, RgbaImage,
    metadata::Orientation,
};

/// The most pixels of an image unless settings say otherwise.
pub const DEFAULT_MAX_PIXELS: u64 = 100_000_000;

/// Decodes PNG, JPEG, WebP, BMP, GIF or TIFF, whatever the file is called. Of several frames the
/// first counts.
///
/// The result is what a viewer shows: upright, as the EXIF orientation says; reduced to 8 bits a
/// channel; transparent parts on white. Colour profiles are not applied.
///
/// # Errors
/// Invalid, if the bytes are no image, or one that is damaged or cut off; unsupported, for a kind
/// that som does not read; exhausted, if it has more than `max_pixels` or is larger than
/// [`Size::check`] allows. That is checked before memory is taken.
pub fn decode(bytes: &[u8], max_pixels: u64) -> Result<RgbImage> {
    let format = match image::guess_format(bytes) {
        Ok(format) if format.reading_enabled() => format,
        _ => return Err(unknown(bytes)),
    };
    let name = name(format);
    let limit = |size: Size| check(size, max_pixels).map_err(|error| error.at(name));
    let (mut image, orientation) = match format {
        ImageFormat::Jpeg => jpeg::decode(bytes, limit),
        _ => decode_other(bytes, format, limit, max_pixels),
    }
    .map_err(|failure| match failure {
        Failure::Refused(error) => error,
        Failure::Unsupported(why) => Error::unsupported(format!(
            "{name}: {why} (save it as an ordinary PNG or JPEG)"
        )),
        Failure::Damaged(why) => Error::invalid(format!("{name}: damaged or cut off: {why}")),
    })?;
    image.apply_orientation(orientation);
    Ok(if image.color().has_alpha() {
        on_white(&image.into_rgba8())
    } else {
        image.into_rgb8()
    })
}

/// Why a decoder gave up.
enum Failure {
    Refused(Error),
    Unsupported(String),
    Damaged(String),
}

fn decode_other(
    bytes: &[u8],
    format: ImageFormat,
    limit: impl Fn(Size) -> Result<()>,
    max_pixels: u64,
) -> Result<(DynamicImage, Orientation), Failure> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = image::Limits::no_limits();
    // 16 bytes a pixel, four floats, is the most a pixel takes; and something to work with.
    limits.max_alloc = Some(max_pixels.saturating_mul(16).saturating_add(64 << 20));
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(failure)?;
    let (width, height) = decoder.dimensions();
    limit(Size::new(width, height)).map_err(Failure::Refused)?;
    // An unreadable orientation is none.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).map_err(failure)?;
    Ok((image, orientation))
}

fn failure(error: ImageError) -> Failure {
    match error {
        ImageError::Unsupported(error) => Failure::Unsupported(error.to_string()),
        ImageError::Limits(error) => Failure::Refused(Error::exhausted(format!(
            "the image takes too much memory: {error} (raise limits.image_pixels)"
        ))),
        error => Failure::Damaged(error.to_string()),
    }
}

/// Checks the size of an image that comes from outside.
///
/// # Errors
/// Invalid, if it has no pixels; exhausted, if it has more than `max_pixels` or is larger than
/// [`Size::check`] allows.
pub fn check(size: Size, max_pixels: u64) -> Result<()> {
    if size.pixels() == 0 {
        return Err(Error::invalid(format!("the image has no pixels ({size})")));
    }
    if size.pixels() > max_pixels {
        return Err(Error::exhausted(format!(
            "the image has {size} pixels, but at most {max_pixels} are allowed \
             (raise limits.image_pixels)"
        )));
    }
    size.check()
}

/// What a viewer shows where an image lets its background through.
fn on_white(image: &RgbaImage) -> RgbImage {
    let (width, height) = image.dimensions();
    let mut flat = RgbImage::new(width, height);
    for (pixel, &image::Rgba([r, g, b, alpha])) in flat.pixels_mut().zip(image.pixels()) {
        let alpha = u32::from(alpha);
        let blend = |channel| {
            let sum = u32::from(channel) * alpha + 255 * (255 - alpha);
            ((sum + 127) / 255) as u8
        };
        pixel.0 = [r, g, b].map(blend);
    }
    flat
}

const fn name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Png => "PNG image",
        ImageFormat::Jpeg => "JPEG image",
        ImageFormat::WebP => "WebP image",
        ImageFormat::Bmp => "BMP image",
        ImageFormat::Gif => "GIF image",
        ImageFormat::Tiff => "TIFF image",
        _ => "image",
    }
}

/// The refusal of bytes that are none of the formats, naming what they look like.
fn unknown(bytes: &[u8]) -> Error {
    const READ: &str = "PNG, JPEG, WebP, BMP, GIF or TIFF";
    if bytes.is_empty() {
        return Error::invalid("the image is empty: there are 0 bytes");
    }
    let looks = match bytes {
        [_, _, _, _, b'f', b't', b'y', b'p', b'a', b'v', b'i', ..] => "an AVIF image",
        [_, _, _, _, b'f', b't', b'y', b'p', b'h' | b'm', ..] => "a HEIC image or a video",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "a video",
        [0xff, 0x0a, ..] | [0, 0, 0, 0x0c, b'J', b'X', b'L', ..] => "a JPEG XL image",
        [0, 0, 0, 0x0c, b'j', b'P', ..] => "a JPEG 2000 image",
        [b'8', b'B', b'P', b'S', ..] => "a Photoshop document",
        [b'%', b'P', b'D', b'F', ..] => "a PDF document",
        [b'P', b'K', ..] => "an archive or office document",
        text if text.trim_ascii_start().starts_with(b"<") => "an SVG, HTML or XML text",
        _ => return Error::invalid(format!("the bytes are no image that som reads: {READ}")),
    };
    Error::unsupported(format!("this looks like {looks} (convert it to {READ})"))
}
