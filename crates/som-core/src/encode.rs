//! marked image → bytes: the formats that som writes.

use std::path::Path;

use image::{
    ExtendedColorType, ImageEncoder, RgbImage,
    codecs::{
        png::{CompressionType, FilterType, PngEncoder},
        webp::WebPEncoder,
    },
};

use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    decode::{Density, Tags},
};

/// Quality of JPEG files, of 100. High, so that text keeps its edges.
const JPEG_QUALITY: u8 = 92;

/// An image format that som writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Lossless, compressed for speed.
    Png,
    /// Lossy, with all of its colour resolution: the usual halving smears thin coloured text.
    Jpeg,
    /// WebP without loss.
    WebP,
}

impl Encoding {
    /// The format that goes with the ending of a file's name.
    ///
    /// # Errors
    /// Invalid for any other ending.
    pub fn of_path(path: &Path) -> Result<Self> {
        let ending = path
            .extension()
            .and_then(|ending| ending.to_str())
            .unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "png" => Ok(Self::Png),
            "jpg" | "jpeg" => Ok(Self::Jpeg),
            "webp" => Ok(Self::WebP),
            _ => Err(Error::invalid(format!(
                "{}: a marked image is written as .png, .jpg or .webp",
                path.display()
            ))),
        }
    }

    /// The format's name in HTTP, such as `image/png`.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
        }
    }

    /// Most pixels a side that the format can hold.
    const fn longest_side(self) -> u32 {
        match self {
            Self::Png => i32::MAX as u32,
            Self::Jpeg => 65_535,
            Self::WebP => 16_384,
        }
    }
}

/// `image`, which is in sRGB, in a file format.
///
/// # Errors
/// Unsupported, if a side is longer than the format can hold.
pub fn encode(image: &RgbImage, encoding: Encoding) -> Result<Vec<u8>> {
    encode_with(image, encoding, &Tags::default())
}

/// `image` in a file format, with its colour profile and, where the format has a place for it, its
/// density.
///
/// # Errors
/// As [`encode`].
pub fn encode_with(image: &RgbImage, encoding: Encoding, tags: &Tags) -> Result<Vec<u8>> {
    let (width, height) = image.dimensions();
    let longest = encoding.longest_side();
    if width.max(height) > longest {
        return Err(Error::unsupported(format!(
            "{encoding:?} holds at most {longest} pixels a side, but the image has {width}x{height} (write a .png)"
        )));
    }
    let mut bytes = Vec::new();
    let pixels = image.as_raw();
    let encoded = match encoding {
        Encoding::Png => {
            let (fast, adaptive) = (CompressionType::Fast, FilterType::Adaptive);
            let encoder = PngEncoder::new_with_quality(&mut bytes, fast, adaptive);
            write(encoder, image, tags).map(|()| {
                if let Some(density) = tags.density {
                    put_density(&mut bytes, density);
                }
            })
        }
        Encoding::WebP => write(WebPEncoder::new_lossless(&mut bytes), image, tags),
        Encoding::Jpeg => {
            let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, JPEG_QUALITY);
            encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_1_1);
            if let Some(density) = tags.density {
                let (across, down) = density.per_inch();
                encoder.set_density(jpeg_encoder::PixelDensity {
                    density: (across.round() as u16, down.round() as u16),
                    unit: jpeg_encoder::PixelDensityUnit::Inches,
                });
            }
            let profile = tags.profile.as_deref();
            let profiled = profile.map_or(Ok(()), |profile| encoder.add_icc_profile(profile));
            // Both sides were checked to fit.
            let (width, height) = (width as u16, height as u16);
            let color = jpeg_encoder::ColorType::Rgb;
            let encoded = profiled.and_then(|()| encoder.encode(pixels, width, height, color));
            encoded.map_err(|error| error.to_string())
        }
    };
    encoded.map_err(|error| Error::internal(format!("the image could not be encoded: {error}")))?;
    Ok(bytes)
}

fn write(mut encoder: impl ImageEncoder, image: &RgbImage, tags: &Tags) -> Result<(), String> {
    if let Some(profile) = &tags.profile {
        let set = encoder.set_icc_profile(profile.to_vec());
        set.map_err(|error| error.to_string())?;
    }
    let (width, height) = image.dimensions();
    let written = encoder.write_image(image.as_raw(), width, height, ExtendedColorType::Rgb8);
    written.map_err(|error| error.to_string())
}

/// Puts the chunk `pHYs` (PNG, third edition, section 11.3.4.3) behind the header of a PNG.
fn put_density(png: &mut Vec<u8>, Density { across, down }: Density) {
    /// Signature and header.
    const HEADER: usize = 33;
    let mut chunk = b"pHYs".to_vec();
    chunk.extend(across.to_be_bytes());
    chunk.extend(down.to_be_bytes());
    // On a metre.
    chunk.push(1);
    let mut part = (chunk.len() as u32 - 4).to_be_bytes().to_vec();
    part.extend(&chunk);
    part.extend(crc32fast::hash(&chunk).to_be_bytes());
    png.splice(HEADER..HEADER, part);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ErrorKind,
        decode::{DecodeOptions, decode_with},
    };

    fn gradient() -> RgbImage {
        RgbImage::from_fn(40, 30, |x, y| image::Rgb([x as u8 * 6, y as u8 * 8, 200]))
    }

    #[test]
    fn lossless_formats_keep_every_pixel() {
        for encoding in [Encoding::Png, Encoding::WebP] {
            let bytes = encode(&gradient(), encoding).unwrap();
            assert_eq!(
                image::load_from_memory(&bytes).unwrap().into_rgb8(),
                gradient()
            );
        }
    }

    #[test]
    fn profile_and_density_go_with_the_pixels() {
        let profile = moxcms::ColorProfile::new_display_p3().encode().unwrap();
        let tags = Tags {
            profile: Some(profile.into()),
            density: Some(Density {
                across: 11_811,
                down: 5_906,
            }),
        };
        for encoding in [Encoding::Png, Encoding::Jpeg, Encoding::WebP] {
            let bytes = encode_with(&gradient(), encoding, &tags).unwrap();
            let back = decode_with(&bytes, &DecodeOptions::default()).unwrap();
            assert_eq!(back.tags.profile, tags.profile, "{encoding:?}");
            let density = back.tags.density.map(Density::per_inch);
            let rounded = density.map(|(across, down)| (across.round(), down.round()));
            // WebP has no place for it.
            let expected = (encoding != Encoding::WebP).then_some((300.0, 150.0));
            assert_eq!(rounded, expected, "{encoding:?}");
            let plain = encode(&gradient(), encoding).unwrap();
            let plain = decode_with(&plain, &DecodeOptions::default()).unwrap();
            assert_eq!(plain.tags.profile, None);
        }
    }

    #[test]
    fn jpeg_keeps_the_resolution_of_colours() {
        let bytes = encode(&gradient(), Encoding::Jpeg).unwrap();
        // The frame header: FF C0, length, precision, height, width, then 3 components, each with
        // its id, its sampling factors and its table.
        let frame = bytes
            .windows(2)
            .position(|marker| marker == [0xff, 0xc0])
            .unwrap();
        let factors = [0, 1, 2].map(|component| bytes[frame + 11 + 3 * component]);
        assert_eq!(factors, [0x11; 3]);
        let decoded = image::load_from_memory(&bytes).unwrap().into_rgb8();
        let error = |(a, b): (&u8, &u8)| u64::from(a.abs_diff(*b));
        let total: u64 = decoded
            .as_raw()
            .iter()
            .zip(gradient().as_raw())
            .map(error)
            .sum();
        assert!(
            total < 2 * 40 * 30 * 3,
            "mean error {}",
            total as f64 / 3600.0
        );
    }

    #[test]
    fn the_ending_names_the_format() {
        assert_eq!(
            Encoding::of_path(Path::new("a/b.PNG")).unwrap(),
            Encoding::Png
        );
        assert_eq!(
            Encoding::of_path(Path::new("b.jpeg")).unwrap(),
            Encoding::Jpeg
        );
        assert_eq!(
            Encoding::of_path(Path::new("b.webp")).unwrap(),
            Encoding::WebP
        );
        for other in ["b", "b.gif", ".png"] {
            assert_eq!(
                Encoding::of_path(Path::new(other)).unwrap_err().kind(),
                ErrorKind::Invalid
            );
        }
    }

    #[test]
    fn a_side_too_long_for_the_format_is_refused() {
        let error = encode(&RgbImage::new(70_000, 1), Encoding::Jpeg).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(encode(&RgbImage::new(70_000, 1), Encoding::Png).is_ok());
    }
}
