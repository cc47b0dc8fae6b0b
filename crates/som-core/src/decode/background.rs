//! What shows where an image lets its background through.

use std::{fmt, str::FromStr};

use image::{RgbImage, Rgba, RgbaImage};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::note::{ImageNote, ImageNoteKind};
use crate::{Color, Error, Result};

/// What light drawings stand out from, and black ones as well.
const DARK: Color = Color([0x40; 3]);
/// The brightness from which on a pixel is hard to see on white: WCAG's contrast of greys from here
/// on is below 1.5.
const LIGHT: u32 = 212;

/// A colour for all images, or one that suits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Background {
    /// White, as viewers show it; dark grey under a light drawing, which would vanish on white.
    #[default]
    Auto,
    /// This colour.
    Color(Color),
}

impl FromStr for Background {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "auto" => Ok(Self::Auto),
            "white" => Ok(Self::Color(Color::WHITE)),
            "black" => Ok(Self::Color(Color::BLACK)),
            color => color.parse().map(Self::Color).map_err(|_| {
                Error::invalid(format!(
                    "{color:?} is no background (write auto, white, black, or a colour like #1f77b4)"
                ))
            }),
        }
    }
}

impl fmt::Display for Background {
    /// As [`FromStr`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Color(color) => color.fmt(f),
        }
    }
}

impl Serialize for Background {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Background {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The image on its background, and a note if nobody said which.
pub(super) fn flatten(image: &RgbaImage, background: Background) -> (RgbImage, Option<ImageNote>) {
    match background {
        Background::Color(color) => (on(image, color), None),
        Background::Auto if is_light_drawing(image) => {
            let text = format!("a light drawing on nothing: shown on {DARK} in place of white");
            let note = ImageNote::new(ImageNoteKind::Background, text);
            (on(image, DARK), Some(note))
        }
        Background::Auto => {
            let note = image.pixels().any(|pixel| pixel[3] < u8::MAX).then(|| {
                let text = "transparent parts are shown on white (images.background chooses)";
                ImageNote::new(ImageNoteKind::Transparency, text)
            });
            (on(image, Color::WHITE), note)
        }
    }
}

/// True if next to nothing would be seen on white: what there is, is light, and a good part of the
/// image is background.
fn is_light_drawing(image: &RgbaImage) -> bool {
    let (mut all, mut seen, mut light) = (0_u64, 0_u64, 0_u64);
    for &Rgba([r, g, b, alpha]) in image.pixels() {
        all += 255;
        seen += u64::from(alpha);
        // Rec. 709's weights, in ten thousandths.
        let brightness = 2126 * u32::from(r) + 7152 * u32::from(g) + 722 * u32::from(b);
        if brightness >= LIGHT * 10_000 {
            light += u64::from(alpha);
        }
    }
    let is_light = seen > 0 && 16 * light >= 15 * seen;
    is_light && 16 * (all - seen) >= all
}

/// The image on a colour.
fn on(image: &RgbaImage, Color(background): Color) -> RgbImage {
    let (width, height) = image.dimensions();
    let mut flat = RgbImage::new(width, height);
    for (pixel, &Rgba([r, g, b, alpha])) in flat.pixels_mut().zip(image.pixels()) {
        let alpha = u32::from(alpha);
        let blend = |channel: u8, behind: u8| {
            let sum = u32::from(channel) * alpha + u32::from(behind) * (255 - alpha);
            ((sum + 127) / 255) as u8
        };
        let [red, green, blue] = background;
        pixel.0 = [blend(r, red), blend(g, green), blend(b, blue)];
    }
    flat
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Left half transparent, right half `pixel`.
    fn half(pixel: [u8; 4]) -> RgbaImage {
        RgbaImage::from_fn(8, 4, |x, _| Rgba(if x < 4 { [0; 4] } else { pixel }))
    }

    fn behind(image: &RgbaImage, background: Background) -> ([u8; 3], bool) {
        let (image, note) = flatten(image, background);
        let is_dark = note.is_some_and(|note| note.kind == ImageNoteKind::Background);
        (image.get_pixel(0, 0).0, is_dark)
    }

    #[test]
    fn light_drawings_stand_out() {
        let auto = |pixel| behind(&half(pixel), Background::Auto);
        assert_eq!(auto([255, 255, 255, 255]), (DARK.0, true));
        assert_eq!(auto([255, 250, 220, 90]), (DARK.0, true));
        for pixel in [[0, 0, 0, 255], [200, 200, 200, 255], [255, 0, 0, 255]] {
            assert_eq!(auto(pixel), (Color::WHITE.0, false), "{pixel:?}");
        }
        // Nothing at all, and a light picture with a hole.
        assert_eq!(auto([255, 255, 255, 0]), (Color::WHITE.0, false));
        let mut page = RgbaImage::from_pixel(8, 8, Rgba([255; 4]));
        page.put_pixel(0, 0, Rgba([0; 4]));
        assert_eq!(behind(&page, Background::Auto), ([255; 3], false));
        // One dark pixel in eight is enough to be seen.
        let mut seen = half([255; 4]);
        seen.put_pixel(7, 0, Rgba([0, 0, 0, 255]));
        seen.put_pixel(7, 1, Rgba([0, 0, 0, 255]));
        assert_eq!(behind(&seen, Background::Auto), ([255; 3], false));
    }

    #[test]
    fn what_is_transparent_is_told() {
        let told = |pixel, background| {
            let (_, note) = flatten(&RgbaImage::from_pixel(2, 2, Rgba(pixel)), background);
            note.map(|note| note.kind)
        };
        let transparent = Some(ImageNoteKind::Transparency);
        assert_eq!(told([9, 9, 9, 254], Background::Auto), transparent);
        assert_eq!(told([9, 9, 9, 255], Background::Auto), None);
        let chosen = Background::Color(Color::WHITE);
        assert_eq!(told([9, 9, 9, 0], chosen), None);
    }

    #[test]
    fn a_colour_goes_before_what_suits() {
        let white = half([255; 4]);
        let color = Background::Color(Color([1, 2, 3]));
        assert_eq!(behind(&white, color), ([1, 2, 3], false));
        let on_white = Background::Color(Color::WHITE);
        assert_eq!(behind(&white, on_white), ([255; 3], false));
    }

    #[test]
    fn backgrounds_are_read_as_written() {
        for text in ["auto", "#010203"] {
            let background: Background = text.parse().unwrap();
            let json = serde_json::to_value(background).unwrap();
            assert_eq!(json, text);
            assert_eq!(
                serde_json::from_value::<Background>(json).unwrap(),
                background
            );
        }
        assert_eq!(
            "white".parse::<Background>().unwrap(),
            Background::Color(Color::WHITE)
        );
        let error = "#12345".parse::<Background>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"#12345\" is no background (write auto, white, black, or a colour like #1f77b4)"
        );
    }
}
