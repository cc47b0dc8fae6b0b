//! TIFF, with what the `image` crate leaves out: palettes, opacity beside grey, luma and chroma,
//! shades of 2 and 4 bits, floats and other numbers.

use std::{borrow::Cow, io::Cursor};

use ::tiff::{
    ColorType, TiffError,
    decoder::{Decoder, DecodingResult, Limits},
    tags::Tag,
};
use image::{DynamicImage, ImageBuffer, ImageFormat, metadata::Orientation};

use super::{
    Failure, Limit, Stored, as_it_stands,
    depth::Channels,
    ifd::{Entry, Turn},
    note::ImageNote,
    numbers::{self, NumberKind},
};

/// The tag that says what a sample means, and two of its values (TIFF 6.0, section 8).
const PHOTOMETRIC: u16 = 262;
const PALETTE: u32 = 3;
const BLACK_IS_ZERO: u16 = 1;

/// The image as it is stored; `stretch` as in [`DecodeOptions`](super::DecodeOptions).
pub(super) fn decode(bytes: &[u8], limit: &Limit, stretch: bool) -> Result<Stored, Failure> {
    let mut stored = match as_it_stands(bytes, ImageFormat::Tiff, limit) {
        Err(Failure::Unsupported(_)) => return by_samples(bytes, limit, stretch),
        other => other?,
    };
    let size = (stored.image.width(), stored.image.height());
    let floats = |values: &[f32], layout| {
        numbers::bytes(values, layout, f64::from, NumberKind::Float(32), stretch)
    };
    let (layout, (bytes, notes)) = match &stored.image {
        DynamicImage::ImageRgb32F(image) => (Channels::RGB, floats(image, Channels::RGB)),
        DynamicImage::ImageRgba32F(image) => (Channels::RGBA, floats(image, Channels::RGBA)),
        _ => return Ok(stored),
    };
    stored.image = of_bytes(size, layout, bytes)?;
    stored.notes.extend(notes);
    Ok(stored)
}

/// The image from its samples, whatever they mean.
fn by_samples(bytes: &[u8], limit: &Limit, stretch: bool) -> Result<Stored, Failure> {
    let (bytes, has_palette) = without_palette(bytes);
    let mut decoder = Decoder::new(Cursor::new(&*bytes))?;
    let size = decoder.dimensions()?;
    limit.check(size)?;
    decoder = decoder.with_limits(limits(limit));
    let color = decoder.colortype()?;
    let mut samples = DecodingResult::U8(Vec::new());
    let layout = decoder.read_image_to_buffer(&mut samples)?;
    if layout.planes > 1 {
        return Err(Failure::Unsupported(
            "each of its channels lies on its own".to_owned(),
        ));
    }
    let mut notes = Vec::new();
    let image = if has_palette {
        let palette = Palette(decoder.get_tag_u16_vec(Tag::ColorMap)?);
        palette.colors(size, color.bit_depth(), &samples)?
    } else {
        match (color, samples) {
            (ColorType::Gray(bits @ (2 | 4)), DecodingResult::U8(packed)) => {
                let white = (1_u16 << bits) - 1;
                let shade = |value| (u16::from(value) * 255 / white) as u8;
                let values = unpacked(size.0, bits, &packed);
                of_bytes(
                    size,
                    Channels::GREY,
                    values.into_iter().map(shade).collect(),
                )?
            }
            (ColorType::YCbCr(8), DecodingResult::U8(mut values)) => {
                values.as_chunks_mut().0.iter_mut().for_each(to_rgb);
                of_bytes(size, Channels::RGB, values)?
            }
            (color, samples) => {
                let layout = channels(color)?;
                let (image, told) = of_samples(size, layout, samples, stretch)?;
                notes = told;
                image
            }
        }
    };
    Ok(Stored {
        image,
        turn: Turn::of(&bytes).unwrap_or(Turn::plain(Orientation::NoTransforms)),
        notes,
    })
}

/// The file, saying of indices into a palette that they are shades, as the decoder knows only those;
/// and whether there is a palette.
fn without_palette(bytes: &[u8]) -> (Cow<'_, [u8]>, bool) {
    let meaning = Entry::find(bytes, PHOTOMETRIC).filter(|entry| entry.value == PALETTE);
    let Some(entry) = meaning else {
        return (bytes.into(), false);
    };
    let mut changed = bytes.to_vec();
    let number = match entry.is_big_endian {
        true => BLACK_IS_ZERO.to_be_bytes(),
        false => BLACK_IS_ZERO.to_le_bytes(),
    };
    match changed.get_mut(entry.at..entry.at + number.len()) {
        // The type by the rules; others no writer uses.
        Some(place) if entry.kind == 3 => place.copy_from_slice(&number),
        _ => return (bytes.into(), false),
    }
    (changed.into(), true)
}

fn limits(limit: &Limit) -> Limits {
    let bytes = usize::try_from(limit.bytes()).unwrap_or(usize::MAX);
    let mut limits = Limits::default();
    limits.decoding_buffer_size = bytes;
    limits.intermediate_buffer_size = bytes;
    limits.ifd_value_size = bytes;
    limits
}

/// What a pixel is made of.
fn channels(color: ColorType) -> Result<Channels, Failure> {
    let unsupported = |what: String| Err(Failure::Unsupported(format!("{what} are not read")));
    match color {
        ColorType::Gray(_) => Ok(Channels::GREY),
        ColorType::GrayA(_) | ColorType::Multiband { num_samples: 2, .. } => {
            Ok(Channels::GREY_ALPHA)
        }
        ColorType::RGB(_) => Ok(Channels::RGB),
        ColorType::RGBA(_) => Ok(Channels::RGBA),
        ColorType::Multiband { num_samples, .. } => {
            unsupported(format!("pixels of {num_samples} bands"))
        }
        ColorType::Lab(_) => unsupported("L*a*b* colours".to_owned()),
        ColorType::CMYK(bits) | ColorType::CMYKA(bits) => {
            unsupported(format!("CMYK colours of {bits} bits or with opacity"))
        }
        ColorType::YCbCr(bits) => unsupported(format!("luma and chroma of {bits} bits")),
        _ => unsupported("such colours".to_owned()),
    }
}

fn of_samples(
    size: (u32, u32),
    layout: Channels,
    samples: DecodingResult,
    stretch: bool,
) -> Result<(DynamicImage, Vec<ImageNote>), Failure> {
    use DecodingResult as Samples;
    use NumberKind::{Float, Integer};
    let (bytes, notes) = match samples {
        Samples::U8(bytes) => (bytes, Vec::new()),
        // As it stands: these are stretched with those of other formats.
        Samples::U16(values) => return Ok((of_words(size, layout, values)?, Vec::new())),
        Samples::U32(values) => numbers::bytes(&values, layout, f64::from, Integer(32), stretch),
        // What 64 bits hold beyond the 53 of a float is not to be seen in 256 shades.
        Samples::U64(values) => {
            numbers::bytes(&values, layout, |value| value as f64, Integer(64), stretch)
        }
        Samples::I8(values) => numbers::bytes(&values, layout, f64::from, Integer(8), stretch),
        Samples::I16(values) => numbers::bytes(&values, layout, f64::from, Integer(16), stretch),
        Samples::I32(values) => numbers::bytes(&values, layout, f64::from, Integer(32), stretch),
        Samples::I64(values) => {
            numbers::bytes(&values, layout, |value| value as f64, Integer(64), stretch)
        }
        Samples::F16(values) => numbers::bytes(&values, layout, f64::from, Float(16), stretch),
        Samples::F32(values) => numbers::bytes(&values, layout, f64::from, Float(32), stretch),
        Samples::F64(values) => numbers::bytes(&values, layout, |value| value, Float(64), stretch),
    };
    Ok((of_bytes(size, layout, bytes)?, notes))
}

/// The colours that indices stand for: all reds, all greens, all blues, 16 bits each.
struct Palette(Vec<u16>);

impl Palette {
    fn colors(
        &self,
        size: (u32, u32),
        bits: u8,
        samples: &DecodingResult,
    ) -> Result<DynamicImage, Failure> {
        let count = self.0.len() / 3;
        // Some writers put 8 bits there (libtiff looks for them in the same way).
        let shift = if self.0.iter().all(|&value| value < 256) {
            0
        } else {
            8
        };
        let color = |index: usize| {
            let channel = |plane: usize| {
                let value = self.0.get(plane * count + index).copied();
                // What the palette does not have is black.
                value.filter(|_| index < count).unwrap_or_default() >> shift
            };
            [0, 1, 2].map(|plane| channel(plane).min(255) as u8)
        };
        let colors: Vec<u8> = match samples {
            DecodingResult::U8(packed) if bits < 8 => {
                let indices = unpacked(size.0, bits, packed).into_iter();
                indices.flat_map(|index| color(index.into())).collect()
            }
            DecodingResult::U8(indices) => indices
                .iter()
                .flat_map(|&index| color(index.into()))
                .collect(),
            DecodingResult::U16(indices) => indices
                .iter()
                .flat_map(|&index| color(index.into()))
                .collect(),
            _ => {
                return Err(Failure::Unsupported(format!(
                    "palettes of {bits} bits are not read"
                )));
            }
        };
        of_bytes(size, Channels::RGB, colors)
    }
}

/// Values of `bits` bits, fewer than 8, from rows that each begin with a byte.
fn unpacked(width: u32, bits: u8, packed: &[u8]) -> Vec<u8> {
    let width = width as usize;
    let row_bytes = (width * usize::from(bits)).div_ceil(8).max(1);
    let a_byte = usize::from(8 / bits);
    let mask = (1_u8 << bits) - 1;
    let value = |row: &[u8], x: usize| {
        let shift = 8 - usize::from(bits) * (x % a_byte + 1);
        row[x / a_byte] >> shift & mask
    };
    let rows = packed.chunks_exact(row_bytes);
    rows.flat_map(|row| (0..width).map(move |x| value(row, x)))
        .collect()
}

/// From luma and chroma (JFIF, which is what TIFF's defaults come to).
fn to_rgb(pixel: &mut [u8; 3]) {
    let [luma, blue, red] = pixel.map(f32::from);
    let (blue, red) = (blue - 128.0, red - 128.0);
    *pixel = [
        luma + 1.402 * red,
        luma - 0.344_136 * blue - 0.714_136 * red,
        luma + 1.772 * blue,
    ]
    .map(|channel| channel.round() as u8);
}

fn of_bytes(
    (width, height): (u32, u32),
    layout: Channels,
    bytes: Vec<u8>,
) -> Result<DynamicImage, Failure> {
    let image = match layout.all {
        1 => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageLuma8),
        2 => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageLumaA8),
        3 => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageRgb8),
        _ => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageRgba8),
    };
    image.ok_or_else(too_few)
}

fn of_words(
    (width, height): (u32, u32),
    layout: Channels,
    words: Vec<u16>,
) -> Result<DynamicImage, Failure> {
    let image = match layout.all {
        1 => ImageBuffer::from_raw(width, height, words).map(DynamicImage::ImageLuma16),
        2 => ImageBuffer::from_raw(width, height, words).map(DynamicImage::ImageLumaA16),
        3 => ImageBuffer::from_raw(width, height, words).map(DynamicImage::ImageRgb16),
        _ => ImageBuffer::from_raw(width, height, words).map(DynamicImage::ImageRgba16),
    };
    image.ok_or_else(too_few)
}

fn too_few() -> Failure {
    Failure::Damaged("there are too few pixels".to_owned())
}

impl From<TiffError> for Failure {
    fn from(error: TiffError) -> Self {
        match error {
            TiffError::UnsupportedError(error) => Self::Unsupported(error.to_string()),
            TiffError::LimitsExceeded => Self::too_much_memory(&error),
            error => Self::Damaged(error.to_string()),
        }
    }
}
