//! bytes → image: the formats that som reads, and what it says of files that are odd.

mod background;
mod depth;
mod format;
mod frames;
mod ifd;
mod jpeg;
mod note;
mod numbers;
mod png;
mod tags;
mod tiff;

use std::{borrow::Cow, io::Cursor};

use crate::{Error, Result, Size};
use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbImage,
    metadata::Orientation,
};

pub use self::{
    background::Background,
    note::{ImageNote, ImageNoteKind},
    tags::{Density, Tags},
};

/// The most pixels of an image unless settings say otherwise.
pub const DEFAULT_MAX_PIXELS: u64 = 100_000_000;

/// How a file becomes pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodeOptions {
    /// The most pixels an image may have.
    pub max_pixels: u64,
    /// Whether values of more than 8 bits are stretched, so that the darkest one in the file is
    /// black and the brightest one white. Otherwise black and white are those of the format.
    pub stretch: bool,
    /// What shows where an image lets its background through.
    pub background: Background,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self {
            max_pixels: DEFAULT_MAX_PIXELS,
            stretch: false,
            background: Background::Auto,
        }
    }
}

/// A file's pixels, and what was odd about it.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodedImage {
    /// What a viewer shows: upright, 8 bits a channel, without transparency.
    pub pixels: RgbImage,
    /// What a person should know of the file; mostly nothing.
    pub notes: Vec<ImageNote>,
    /// Their colour profile and density.
    pub tags: Tags,
}

/// The pixels of a file, as [`decode_with`] reads it with the usual options; notes are left out.
///
/// # Errors
/// As [`decode_with`].
pub fn decode(bytes: &[u8], max_pixels: u64) -> Result<RgbImage> {
    let options = DecodeOptions {
        max_pixels,
        ..DecodeOptions::default()
    };
    decode_with(bytes, &options).map(|image| image.pixels)
}

/// The size that a file tells, before it is turned upright; `None` if that takes more than its first
/// bytes.
pub fn size(bytes: &[u8]) -> Option<Size> {
    let reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .ok()?;
    let (width, height) = reader.into_dimensions().ok()?;
    Some(Size::new(width, height))
}

/// Decodes PNG, JPEG, WebP, BMP, GIF or TIFF, whatever the file is called. Of several frames the
/// first counts.
///
/// The result is what a viewer shows: upright, as the EXIF orientation says; reduced to 8 bits a
/// channel; transparent parts on a background; but in the colours of its own profile, which is told
/// ([`Tags`]). A file that breaks the rules of its format and has all of its pixels nevertheless is
/// read, and a note tells of it.
///
/// # Errors
/// Invalid, if the bytes are no image, or one that is damaged or cut off; unsupported, for a kind
/// that som does not read; exhausted, if it has more than `max_pixels` or is larger than
/// [`Size::check`] allows. That is checked before memory is taken.
pub fn decode_with(bytes: &[u8], options: &DecodeOptions) -> Result<DecodedImage> {
    let format = match image::guess_format(bytes) {
        Ok(format) if format.reading_enabled() => format,
        _ => return Err(format::unknown(bytes)),
    };
    let limit = Limit {
        max_pixels: options.max_pixels,
    };
    let stored = match format {
        ImageFormat::Jpeg => jpeg::decode(bytes, &limit),
        ImageFormat::Png => png::decode(bytes, &limit),
        ImageFormat::Tiff => tiff::decode(bytes, &limit, options.stretch),
        _ => as_it_stands(bytes, format, &limit),
    };
    let mut stored = stored.map_err(|failure| failure.of(format::name(format)))?;
    stored.notes.extend(stored.turn.note());
    let (tags, left_out) = Tags::of(bytes, format, stored.turn.orientation);
    stored.notes.extend(left_out);
    stored.image.apply_orientation(stored.turn.orientation);
    let Stored {
        mut image,
        mut notes,
        ..
    } = stored;
    notes.extend(depth::settle(&mut image, options.stretch));
    let pixels = if image.color().has_alpha() {
        let (pixels, note) = background::flatten(&image.into_rgba8(), options.background);
        notes.extend(note);
        pixels
    } else {
        image.into_rgb8()
    };
    notes.extend(frames::further(bytes, format));
    Ok(DecodedImage {
        pixels,
        notes,
        tags,
    })
}

/// An image as its file holds it.
struct Stored {
    image: DynamicImage,
    /// How it is turned upright.
    turn: ifd::Turn,
    notes: Vec<ImageNote>,
}

/// Why a decoder gave up.
enum Failure {
    Refused(Error),
    Unsupported(String),
    Damaged(String),
}

impl Failure {
    /// As the error of an image that is called `name`.
    fn of(self, name: &str) -> Error {
        match self {
            Self::Refused(error) => error.at(name),
            Self::Unsupported(why) => Error::unsupported(format!(
                "{name}: {why} (save it as an ordinary PNG or JPEG)"
            )),
            Self::Damaged(why) => Error::invalid(format!("{name}: damaged or cut off: {why}")),
        }
    }

    fn too_much_memory(why: &dyn std::fmt::Display) -> Self {
        Self::Refused(Error::exhausted(format!(
            "the image takes too much memory: {why} (raise limits.image_pixels)"
        )))
    }
}

impl From<ImageError> for Failure {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Unsupported(error) => Self::Unsupported(error.to_string()),
            ImageError::Limits(error) => Self::too_much_memory(&error),
            error => Self::Damaged(error.to_string()),
        }
    }
}

/// What an image may take.
struct Limit {
    max_pixels: u64,
}

impl Limit {
    fn check(&self, (width, height): (u32, u32)) -> Result<(), Failure> {
        check(Size::new(width, height), self.max_pixels).map_err(Failure::Refused)
    }

    /// Bytes of memory: 16 a pixel, four floats, is the most a pixel takes; and something to work
    /// with.
    fn bytes(&self) -> u64 {
        self.max_pixels.saturating_mul(16).saturating_add(64 << 20)
    }
}

/// Decodes a file whose format is kept to.
fn as_it_stands(bytes: &[u8], format: ImageFormat, limit: &Limit) -> Result<Stored, Failure> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(limit.bytes());
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    limit.check(decoder.dimensions())?;
    // A TIFF file says itself what EXIF data say of others. An unreadable orientation is none.
    let exif = match format {
        ImageFormat::Tiff => Some(Cow::Borrowed(bytes)),
        _ => decoder.exif_metadata().unwrap_or_default().map(Cow::Owned),
    };
    let turn = exif.and_then(|exif| ifd::Turn::of(&exif));
    let turn = turn.unwrap_or_else(|| {
        let orientation = decoder.orientation();
        ifd::Turn::plain(orientation.unwrap_or(Orientation::NoTransforms))
    });
    Ok(Stored {
        image: DynamicImage::from_decoder(decoder)?,
        turn,
        notes: Vec::new(),
    })
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
