//! What a file says of its pixels beyond them: in which colour space they are, and how close together.

use std::{io::Cursor, ops::Deref, sync::Arc};

use image::{
    ImageBuffer, ImageDecoder as _, ImageFormat, ImageReader, Rgb, RgbImage, metadata::Orientation,
};
use moxcms::{ColorProfile, Layout, TransformOptions};

use super::ifd::rational;

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
    /// What a file says, whose pixels are turned like this.
    pub(super) fn of(bytes: &[u8], format: ImageFormat, turn: Orientation) -> Self {
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
        Self {
            profile: profile(bytes, format),
            density: density.map(|Density { across, down }| match is_on_its_side {
                true => Density {
                    across: down,
                    down: across,
                },
                false => Density { across, down },
            }),
        }
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

/// The profile of a file; `None` for one of other colours than RGB, which the pixels have no more.
fn profile(bytes: &[u8], format: ImageFormat) -> Option<Arc<[u8]>> {
    /// Where a profile says what its colours are (ICC.1:2022, 7.2.8).
    const COLORS: std::ops::Range<usize> = 16..20;
    let reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut decoder = reader.into_decoder().ok()?;
    let profile = decoder.icc_profile().ok()??;
    let is_rgb = profile.get(COLORS).is_some_and(|colors| colors == b"RGB ");
    let is_kept = is_rgb && profile.len() <= MAX_PROFILE;
    is_kept.then(|| profile.into())
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
            let upright = Tags::of(bytes, format, Orientation::NoTransforms);
            assert_eq!(upright.density, at_300, "{format:?}");
            let turned = Tags::of(bytes, format, Orientation::Rotate90)
                .density
                .unwrap();
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
