//! Values of more than 8 bits → shades: which value is black, which one white.

use image::DynamicImage;

use super::note::{ImageNote, ImageNoteKind};

/// The white of 16 bits.
const WHITE: f64 = 65_535.0;
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
    let range = Range::of(values, layout, |value| f64::from(value))?;
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

/// Numbers that do not say which of them is white, such as floats, as bytes; `kind` names them.
pub(super) fn bytes<T: Copy>(
    values: &[T],
    layout: Channels,
    number: impl Fn(T) -> f64,
    kind: NumberKind,
    stretch: bool,
) -> (Vec<u8>, Vec<ImageNote>) {
    let Some(range) = Range::of(values, layout, &number) else {
        return (vec![0; values.len()], Vec::new());
    };
    let mut notes = Vec::new();
    let mut chosen = |text| notes.push(ImageNote::new(ImageNoteKind::WhiteChosen, text));
    let white = range.white(kind);
    let shades = match white {
        Some(white) => {
            chosen(format!("{kind}: {} is white", shown(white)));
            let (shades, note) = Shades::of(range, white, stretch);
            notes.extend(note);
            shades
        }
        None => {
            chosen(format!("{kind}: {range} are shown from black to white"));
            Shades {
                black: range.least,
                white: range.greatest,
            }
        }
    };
    let opacity = Shades {
        black: 0.0,
        white: white.unwrap_or(range.greatest),
    };
    let mut bytes = Vec::with_capacity(values.len());
    for pixel in values.chunks_exact(layout.all) {
        for (channel, &value) in pixel.iter().enumerate() {
            let shades = if channel < layout.colors {
                &shades
            } else {
                &opacity
            };
            bytes.push((shades.share(number(value)) * 255.0).round() as u8);
        }
    }
    (bytes, notes)
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

/// What numbers are called.
#[derive(Clone, Copy)]
pub(super) enum NumberKind {
    /// Floats of so many bits.
    Float(u8),
    /// Whole numbers of so many bits.
    Integer(u8),
}

impl std::fmt::Display for NumberKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Float(bits) => write!(f, "{bits}-bit floats"),
            Self::Integer(bits) => write!(f, "{bits}-bit whole numbers"),
        }
    }
}

/// The values that are there.
#[derive(Clone, Copy)]
struct Range {
    least: f64,
    greatest: f64,
}

impl Range {
    /// That of all colours; `None` if none of them is a finite number.
    fn of<T: Copy>(values: &[T], layout: Channels, number: impl Fn(T) -> f64) -> Option<Self> {
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

    /// The white of these numbers: the first usual one that none of them exceeds.
    fn white(self, kind: NumberKind) -> Option<f64> {
        // Resampling and noise go a little beyond what they are about.
        if matches!(kind, NumberKind::Float(_)) && self.least >= -0.1 && self.greatest <= 1.1 {
            return Some(1.0);
        }
        let whites = [255.0, WHITE, f64::from(u32::MAX)];
        let mut whites = whites.into_iter().filter(|_| self.least >= 0.0);
        whites.find(|&white| self.greatest <= white)
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "values from {} to {}",
            shown(self.least),
            shown(self.greatest)
        )
    }
}

/// Which value is black, and which one white.
struct Shades {
    black: f64,
    white: f64,
}

impl Shades {
    /// Those for values in `range`, where the file's white is `white`; and what is to be said.
    fn of(range: Range, white: f64, stretch: bool) -> (Self, Option<ImageNote>) {
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
    fn share(&self, value: f64) -> f64 {
        let share = (value - self.black) / (self.white - self.black);
        if share.is_nan() {
            0.0
        } else {
            share.clamp(0.0, 1.0)
        }
    }
}

/// A number as people write it: 3,760, or 0.0625.
fn shown(number: f64) -> String {
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

    #[test]
    fn numbers_find_their_white() {
        let told = |values: &[f64], kind| {
            let (bytes, notes) = bytes(values, Channels::GREY, |value| value, kind, false);
            let notes: Vec<String> = notes.into_iter().map(|note| note.text).collect();
            (bytes, notes.join("; "))
        };
        let float = NumberKind::Float(32);
        assert_eq!(
            told(&[0.0, 0.5, 1.0, f64::NAN], float),
            (vec![0, 128, 255, 0], "32-bit floats: 1 is white".to_owned())
        );
        assert_eq!(
            told(&[0.0, 255.0], float),
            (vec![0, 255], "32-bit floats: 255 is white".to_owned())
        );
        assert_eq!(
            told(&[-3.25, 0.0, 812.0], float),
            (
                vec![0, 1, 255],
                "32-bit floats: values from -3.25 to 812 are shown from black to white".to_owned()
            )
        );
        let (shades, note) = told(&[0.0, 4095.0], NumberKind::Integer(32));
        assert_eq!(shades, [0, 16]);
        assert!(note.starts_with("32-bit whole numbers: 65,535 is white; values up to 4,095"));
        assert_eq!(told(&[f64::NAN, f64::INFINITY], float).0, [0, 0]);
        assert_eq!(told(&[-5.0, -5.0], float).0, [0, 0]);
    }
}
