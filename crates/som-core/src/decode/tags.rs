//! What a file says of its pixels beyond them: in which colour space they are, and how close together.

use std::{io::Cursor, ops::Deref, sync::Arc};

use image::{
    ImageBuffer, ImageDecoder as _, ImageFormat, ImageReader, Rgb, RgbImage, metadata::Orientation,
};
use moxcms::{ColorProfile, Layout, TransformOptions};

use super::{
    ifd::rational,
    note::{ImageNote, ImageNoteKind},
};

/// The longest colour profile that is kept, in bytes; those of printers have about two million.
const MAX_PROFILE: usize = 4 << 20;
/// An inch in metres.
const INCH: f64 = 0.0254;
/// A profile that changes no channel by more than this is taken for sRGB's.
const SRGB_SLACK: u8 = 3;

/// Colour profile and density: what goes from a file into its marked image. Clones share the profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// An ICC profile of RGB colours; `None` for sRGB.
    pub profile: Option<Arc<[u8]>>,
    /// Pixels on a metre, if the file says so.
    pub density: Option<Density>,
}

/// How many pixels lie on a metre.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Density {
    /// From left to right.
    pub across: u32,
    /// From top to bottom.
    pub down: u32,
}

impl Tags {
    /// What a file says, whose pixels are turned like this; and what of it is of no use.
    pub(super) fn of(
        bytes: &[u8],
        format: ImageFormat,
        turn: Orientation,
    ) -> (Self, Option<ImageNote>) {
        let density = match format {
            ImageFormat::Png => of_png(bytes),
            ImageFormat::Jpeg => of_jfif(bytes),
            ImageFormat::Tiff => of_tiff(bytes),
            _ => None,
        };
        let is_on_its_side = matches!(
            turn,
            Orientation::Rotate90
                | Orientation::Rotate270
                | Orientation::Rotate90FlipH
                | Orientation::Rotate270FlipH
        );
        let (profile, note) = match profile(bytes, format).map(usable).transpose() {
            Ok(profile) => (profile, None),
            Err(why) => (None, Some(left_out(&why))),
        };
        let tags = Self {
            profile,
            density: density.map(|Density { across, down }| match is_on_its_side {
                true => Density {
                    across: down,
                    down: across,
                },
                false => Density { across, down },
            }),
        };
        (tags, note)
    }

    /// An image of this profile in sRGB, in which models take all images to be; `None` if it is that
    /// already, or the profile is of no use.
    pub fn to_srgb<Pixels: Deref<Target = [u8]>>(
        &self,
        image: &ImageBuffer<Rgb<u8>, Pixels>,
    ) -> Option<RgbImage> {
        let profile = ColorProfile::new_from_slice(self.profile.as_deref()?).ok()?;
        let options = TransformOptions::default();
        let srgb = ColorProfile::new_srgb();
        let transform = profile.create_transform_8bit(Layout::Rgb, &srgb, Layout::Rgb, options);
        let transform = transform.ok()?;
        // Corners and middles of the cube of colours.
        let probes: Vec<u8> = (0..27_u32)
            .flat_map(|index| [index % 3, index / 3 % 3, index / 9].map(|step| (step * 127) as u8))
            .collect();
        let mut seen = vec![0; probes.len()];
        transform.transform(&probes, &mut seen).ok()?;
        let mut pairs = probes.iter().zip(&seen);
        if pairs.all(|(probe, seen)| probe.abs_diff(*seen) <= SRGB_SLACK) {
            return None;
        }
        let mut converted = vec![0; image.as_raw().len()];
        transform.transform(image.as_raw(), &mut converted).ok()?;
        RgbImage::from_raw(image.width(), image.height(), converted)
    }
}

impl Density {
    /// Pixels on an inch.
    pub fn per_inch(self) -> (f64, f64) {
        (f64::from(self.across) * INCH, f64::from(self.down) * INCH)
    }

    /// From pixels on a length of so many metres; `None` for what no picture has.
    fn of(across: f64, down: f64, metres: f64) -> Option<Self> {
        let whole = |pixels: f64| {
            let on_a_metre = (pixels / metres).round();
            (1.0..=1e7)
                .contains(&on_a_metre)
                .then_some(on_a_metre as u32)
        };
        Some(Self {
            across: whole(across)?,
            down: whole(down)?,
        })
    }
}

/// The profile in a file.
fn profile(bytes: &[u8], format: ImageFormat) -> Option<Vec<u8>> {
    let reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut decoder = reader.into_decoder().ok()?;
    decoder.icc_profile().ok()?
}

/// A profile that goes with the pixels, which are RGB.
///
/// # Errors
/// Why it does not.
fn usable(profile: Vec<u8>) -> Result<Arc<[u8]>, String> {
    /// Where a profile says what its colours are (ICC.1:2022, 7.2.8).
    const COLORS: std::ops::Range<usize> = 16..20;
    let colors = match profile.get(COLORS) {
        Some(b"RGB ") if profile.len() <= MAX_PROFILE => return Ok(profile.into()),
        Some(b"RGB ") => {
            let long = profile.len();
            return Err(format!(
                "has {long} bytes, and at most {MAX_PROFILE} are kept"
            ));
        }
        Some(b"GRAY") => "gray",
        Some(b"CMYK") => "CMYK",
        Some(b"Lab ") => "Lab",
        _ => return Err("does not say of which colours it is".to_owned()),
    };
    Err(format!("is one of {colors}, and the pixels are RGB now"))
}

/// That a profile is left out, and why.
fn left_out(why: &str) -> ImageNote {
    let text = format!("the colour profile is left out: it {why}");
    ImageNote::new(ImageNoteKind::ProfileLeftOut, text)
}

/// The chunk `pHYs` (PNG, third edition, section 11.3.4.3), which stands before the pixels.
fn of_png(bytes: &[u8]) -> Option<Density> {
    let mut at = 8_usize;
    loop {
        let length = u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?) as usize;
        match bytes.get(at + 4..at + 8)? {
            b"pHYs" => {
                let content = bytes.get(at + 8..at + 17)?;
                let side = |at: usize| content[at..].first_chunk().copied().map(u32::from_be_bytes);
                let is_metre = content[8] == 1;
                let (across, down) = (side(0)?, side(4)?);
                return Density::of(across.into(), down.into(), 1.0).filter(|_| is_metre);
            }
            b"IDAT" => return None,
            _ => at = at.checked_add(length)?.checked_add(12)?,
        }
    }
}

/// The first segment of a JPEG (JFIF 1.02, page 5).
fn of_jfif(bytes: &[u8]) -> Option<Density> {
    let segment = bytes.strip_prefix(b"\xff\xd8\xff\xe0")?.get(2..)?;
    let content = segment.strip_prefix(b"JFIF\0")?.get(2..7)?;
    let side = |at: usize| f64::from(u16::from_be_bytes([content[at], content[at + 1]]));
    let metres = match content[0] {
        1 => INCH,
        2 => 0.01,
        _ => return None,
    };
    Density::of(side(1), side(3), metres)
}

/// The tags `XResolution`, `YResolution` and `ResolutionUnit` (TIFF 6.0, section 8).
fn of_tiff(bytes: &[u8]) -> Option<Density> {
    let metres = match super::ifd::Entry::find(bytes, 296).map_or(2, |entry| entry.value) {
        2 => INCH,
        3 => 0.01,
        _ => return None,
    };
    Density::of(rational(bytes, 282)?, rational(bytes, 283)?, metres)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn display_p3() -> Tags {
        Tags {
            profile: Some(ColorProfile::new_display_p3().encode().unwrap().into()),
            density: None,
        }
    }

    #[test]
    fn densities_are_read_as_each_format_writes_them() {
        let at_300 = Some(Density {
            across: 11_811,
            down: 5_906,
        });
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        png.extend([0; 17]);
        png.extend(b"\0\0\0\x09pHYs\0\0\x2e\x23\0\0\x17\x12\x01");
        let jfif = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x02\x01\x01\x2c\0\x96\0\0";
        let mut tiff = b"II*\0\x08\0\0\0\x02\0".to_vec();
        for (tag, at) in [(282_u16, 38_u32), (283, 46)] {
            tiff.extend(tag.to_le_bytes());
            tiff.extend([5, 0, 1, 0, 0, 0]);
            tiff.extend(at.to_le_bytes());
        }
        tiff.extend([0; 4]);
        for number in [300_u32, 1, 300, 2] {
            tiff.extend(number.to_le_bytes());
        }
        for (bytes, format) in [
            (&png[..], ImageFormat::Png),
            (&jfif[..], ImageFormat::Jpeg),
            (&tiff[..], ImageFormat::Tiff),
        ] {
            let density = |turn| Tags::of(bytes, format, turn).0.density;
            assert_eq!(density(Orientation::NoTransforms), at_300, "{format:?}");
            let turned = density(Orientation::Rotate90).unwrap();
            assert_eq!((turned.across, turned.down), (5_906, 11_811), "{format:?}");
            for end in 0..bytes.len() {
                Tags::of(&bytes[..end], format, Orientation::NoTransforms);
            }
        }
    }

    #[test]
    fn wide_colours_become_srgb() {
        let image = RgbImage::from_pixel(2, 2, Rgb([0, 255, 0]));
        // The green of Display P3 lies beyond that of sRGB; a milder one comes to more of it.
        let seen = display_p3().to_srgb(&image).unwrap();
        assert_eq!(seen.get_pixel(0, 0), &Rgb([0, 255, 0]));
        let image = RgbImage::from_pixel(2, 2, Rgb([100, 180, 100]));
        let Rgb([red, green, blue]) = *display_p3().to_srgb(&image).unwrap().get_pixel(1, 1);
        assert!(
            red < 90 && green > 178 && blue < 100,
            "{red} {green} {blue}"
        );
        // Grey is grey.
        let image = RgbImage::from_pixel(2, 2, Rgb([128; 3]));
        let Rgb(grey) = *display_p3().to_srgb(&image).unwrap().get_pixel(0, 0);
        assert!(
            grey.iter().all(|channel| channel.abs_diff(128) <= 1),
            "{grey:?}"
        );
    }

    /// Gray and CMYK become RGB, which their profiles do not describe.
    #[test]
    fn profiles_of_other_colours_are_left_out_with_a_word() {
        use image::{ExtendedColorType, ImageEncoder as _, codecs::png::PngEncoder};
        let of = |colors: &[u8; 4], length: usize| {
            let mut profile = ColorProfile::new_display_p3().encode().unwrap();
            profile[16..20].copy_from_slice(colors);
            profile.resize(length.max(profile.len()), 0);
            profile
        };
        let text = |profile: Vec<u8>| {
            let mut png = Vec::new();
            let mut encoder = PngEncoder::new(&mut png);
            encoder.set_icc_profile(profile).unwrap();
            encoder
                .write_image(&[7], 1, 1, ExtendedColorType::L8)
                .unwrap();
            let (tags, note) = Tags::of(&png, ImageFormat::Png, Orientation::NoTransforms);
            assert_eq!(tags.profile.is_none(), note.is_some());
            note.map(|note| note.text)
        };
        assert_eq!(text(of(b"RGB ", 0)), None);
        for (colors, length, why) in [
            (b"GRAY", 0, "is one of gray, and the pixels are RGB now"),
            (b"CMYK", 0, "is one of CMYK, and the pixels are RGB now"),
            (b"????", 0, "does not say of which colours it is"),
            (
                b"RGB ",
                MAX_PROFILE + 1,
                "has 4194305 bytes, and at most 4194304 are kept",
            ),
        ] {
            let told = format!("the colour profile is left out: it {why}");
            assert_eq!(text(of(colors, length)), Some(told));
        }
        let mut jpeg = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut jpeg, 90);
        encoder.add_icc_profile(&of(b"CMYK", 0)).unwrap();
        let ink = jpeg_encoder::ColorType::Cmyk;
        encoder.encode(&[9, 9, 9, 9], 1, 1, ink).unwrap();
        let decoded = crate::decode::decode_with(&jpeg, &crate::decode::DecodeOptions::default());
        let kinds: Vec<_> = decoded
            .unwrap()
            .notes
            .into_iter()
            .map(|note| note.kind)
            .collect();
        assert_eq!(kinds, [ImageNoteKind::ProfileLeftOut]);
    }

    #[test]
    fn srgb_and_nonsense_stay_as_they_are() {
        let image = RgbImage::from_pixel(2, 2, Rgb([100, 180, 100]));
        let srgb: Arc<[u8]> = ColorProfile::new_srgb().encode().unwrap().into();
        for profile in [None, Some(srgb), Some(vec![7; 200].into())] {
            let tags = Tags {
                profile,
                density: None,
            };
            assert_eq!(tags.to_srgb(&image), None);
        }
    }
}
