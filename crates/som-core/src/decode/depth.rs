//! Values of more than 8 bits → shades: which value is black, which one white.

use std::fmt;

use image::DynamicImage;

use super::note::{ImageNote, ImageNoteKind};

/// The white of 16 bits.
pub(super) const WHITE: f64 = 65_535.0;
/// An image that uses a smaller share of its values than one in so many looks like one shade.
const NARROW: f64 = 16.0;

/// Stretches an image of 16 bits a channel, if that is wanted, and says if it uses few of its
/// values. Other images stay as they are.
pub(super) fn settle(image: &mut DynamicImage, stretch: bool) -> Option<ImageNote> {
    let (values, layout): (&mut [u16], _) = match image {
        DynamicImage::ImageLuma16(image) => (image, Channels::GREY),
        DynamicImage::ImageLumaA16(image) => (image, Channels::GREY_ALPHA),
        DynamicImage::ImageRgb16(image) => (image, Channels::RGB),
        DynamicImage::ImageRgba16(image) => (image, Channels::RGBA),
        _ => return None,
    };
    let range = Range::of(values, layout, f64::from)?;
    let (shades, note) = Shades::of(range, WHITE, stretch);
    if stretch {
        for pixel in values.chunks_exact_mut(layout.all) {
            for value in &mut pixel[..layout.colors] {
                *value = (shades.share(f64::from(*value)) * WHITE).round() as u16;
            }
        }
    }
    note
}

/// How the values of a pixel follow one another.
#[derive(Clone, Copy)]
pub(super) struct Channels {
    /// Values of a pixel.
    pub(super) all: usize,
    /// How many of them are colours; one that is left is the opacity.
    pub(super) colors: usize,
}

impl Channels {
    pub(super) const GREY: Self = Self { all: 1, colors: 1 };
    pub(super) const GREY_ALPHA: Self = Self { all: 2, colors: 1 };
    pub(super) const RGB: Self = Self { all: 3, colors: 3 };
    pub(super) const RGBA: Self = Self { all: 4, colors: 3 };
}

/// The values that are there.
#[derive(Clone, Copy)]
pub(super) struct Range {
    pub(super) least: f64,
    pub(super) greatest: f64,
}

impl Range {
    /// That of all colours; `None` if none of them is a finite number.
    pub(super) fn of<T: Copy>(
        values: &[T],
        layout: Channels,
        number: impl Fn(T) -> f64,
    ) -> Option<Self> {
        let (mut least, mut greatest) = (f64::INFINITY, f64::NEG_INFINITY);
        for pixel in values.chunks_exact(layout.all) {
            // What is behind a pixel that is not seen does not count.
            if pixel[layout.colors..]
                .iter()
                .any(|&alpha| number(alpha) <= 0.0)
            {
                continue;
            }
            for value in pixel[..layout.colors].iter().map(|&value| number(value)) {
                if value.is_finite() {
                    (least, greatest) = (least.min(value), greatest.max(value));
                }
            }
        }
        (least <= greatest).then_some(Self { least, greatest })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "values from {} to {}",
            shown(self.least),
            shown(self.greatest)
        )
    }
}

/// Which value is black, and which one white.
pub(super) struct Shades {
    pub(super) black: f64,
    pub(super) white: f64,
}

impl Shades {
    /// Those for values in `range`, where the file's white is `white`; and what is to be said.
    pub(super) fn of(range: Range, white: f64, stretch: bool) -> (Self, Option<ImageNote>) {
        let has_shades = range.least < range.greatest;
        if stretch && has_shades {
            let text = format!("{range} of {} are stretched", shown(white));
            let shades = Self {
                black: range.least,
                white: range.greatest,
            };
            let note = ImageNote::new(ImageNoteKind::Stretched, text);
            return (shades, Some(note));
        }
        let is_narrow = has_shades && (range.greatest - range.least) * NARROW < white;
        let note = is_narrow.then(|| {
            let values = match range.greatest * NARROW < white {
                true => format!("values up to {}", shown(range.greatest)),
                false => range.to_string(),
            };
            let text = format!(
                "{values} of {} are used, so that nearly one shade is seen (images.stretch \
                 stretches them)",
                shown(white)
            );
            ImageNote::new(ImageNoteKind::NarrowRange, text)
        });
        let shades = Self { black: 0.0, white };
        (shades, note)
    }

    /// How bright a value is: from 0, black, to 1, white. What is no number is black.
    pub(super) fn share(&self, value: f64) -> f64 {
        let share = (value - self.black) / (self.white - self.black);
        if share.is_nan() {
            0.0
        } else {
            share.clamp(0.0, 1.0)
        }
    }
}

/// A number as people write it: 3,760, or 0.0625.
pub(super) fn shown(number: f64) -> String {
    // Whole numbers up to here are exact.
    if number.fract() != 0.0 || number.abs() >= 1e15 {
        let short = format!("{number:.4}");
        return match number.abs() {
            0.001..1e15 => short.trim_end_matches('0').to_owned(),
            _ => format!("{number:e}"),
        };
    }
    let digits = format!("{:.0}", number.abs());
    let mut text = String::from(if number < 0.0 { "-" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use image::{ImageBuffer, Luma, LumaA};

    use super::*;

    fn grey(values: &[u16]) -> DynamicImage {
        let width = values.len() as u32;
        DynamicImage::ImageLuma16(
            ImageBuffer::<Luma<u16>, _>::from_raw(width, 1, values.to_vec()).unwrap(),
        )
    }

    fn note(values: &[u16]) -> Option<String> {
        settle(&mut grey(values), false).map(|note| note.text)
    }

    #[test]
    fn few_of_the_values_are_told() {
        let told = "values up to 3,760 of 65,535 are used, so that nearly one shade is seen \
                    (images.stretch stretches them)";
        assert_eq!(note(&[0, 16, 3760]).unwrap(), told);
        let told = note(&[60_000, 63_000]).unwrap();
        assert!(told.starts_with("values from 60,000 to 63,000 of 65,535"));
        for usual in [&[0, 4096][..], &[0, 0], &[65_535], &[0, 65_535]] {
            assert_eq!(note(usual), None, "{usual:?}");
        }
    }

    #[test]
    fn stretched_values_go_from_black_to_white() {
        let mut image = grey(&[100, 1100, 2100]);
        let note = settle(&mut image, true).unwrap();
        assert_eq!(note.kind, ImageNoteKind::Stretched);
        assert_eq!(
            note.text,
            "values from 100 to 2,100 of 65,535 are stretched"
        );
        assert_eq!(image.into_luma16().into_raw(), [0, 32_768, 65_535]);
        // One shade stays what it is.
        let mut image = grey(&[100, 100]);
        assert_eq!(settle(&mut image, true), None);
        assert_eq!(image.into_luma16().into_raw(), [100, 100]);
        // What is not seen does not count, and opacity is not stretched.
        let image =
            ImageBuffer::<LumaA<u16>, _>::from_raw(3, 1, vec![10, 300, 20, 65_535, 60_000, 0]);
        let mut image = DynamicImage::ImageLumaA16(image.unwrap());
        settle(&mut image, true).unwrap();
        let values = image.into_luma_alpha16().into_raw();
        assert_eq!(values[..4], [0, 300, 65_535, 65_535]);
        assert_eq!(values[5], 0);
    }
}
