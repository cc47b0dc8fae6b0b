//! Marks: regions with a speakable text and a place for it.

use std::{fmt, ops::Deref, slice, str::FromStr, sync::OnceLock};

use serde::{Deserialize, Serialize};

use crate::{BBox, Error, Image, Mask, Point, Region, Result};

/// A region with the label and the place that mark allocation chose for it: what a
/// [`MarkStyle`](crate::MarkStyle) draws.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// The marked region.
    pub region: Region,
    /// "7", "C"; empty for a stack without a labelling layer.
    pub text: String,
    /// The label's box, inside the image, clear of other labels; empty if there is no text.
    pub label_box: BBox,
    /// A pixel of the region; outside the label's box: a leader line leads to it.
    pub anchor: Point,
    /// Contrasts with what lies beneath.
    pub color: Color,
}

impl Mark {
    /// The text with the region's class name beside it, "7 cup": what a style writes where names are
    /// asked for and the label's box has room for it. `None` without a text or a name.
    pub fn caption(&self) -> Option<String> {
        caption(&self.text, self.region.label.as_deref()?)
    }

    /// The leader line that ties a label to a region it lies off: from the middle of the label's
    /// box, beneath it, to the anchor.
    pub const fn leader(&self) -> Option<[Point; 2]> {
        if self.label_box.is_empty() || self.label_box.contains(self.anchor) {
            None
        } else {
            Some([self.label_box.center(), self.anchor])
        }
    }
}

/// What [`Mark::caption`] says of a mark with this text and class name.
pub(crate) fn caption(text: &str, name: &str) -> Option<String> {
    let name = name.trim();
    (!text.is_empty() && !name.is_empty()).then(|| format!("{text} {name}"))
}

/// The marks of one page in the order of their numbers, as every layer of ink gets them.
///
/// What one layer has to prepare of them is kept for the next.
#[derive(Debug, Default)]
pub struct Marks<'a> {
    marks: Vec<&'a Mark>,
    crops: OnceLock<Vec<Option<Vec<u8>>>>,
}

impl Marks<'_> {
    /// Each mark's [`Mask::crop`](crate::Mask::crop).
    pub fn crops(&self) -> &[Option<Vec<u8>>] {
        self.crops.get_or_init(|| {
            let masks = self.marks.iter().map(|mark| &mark.region.mask);
            masks.map(crate::Mask::crop).collect()
        })
    }
}

impl<'a> FromIterator<&'a Mark> for Marks<'a> {
    fn from_iter<I: IntoIterator<Item = &'a Mark>>(marks: I) -> Self {
        Self {
            marks: marks.into_iter().collect(),
            crops: OnceLock::new(),
        }
    }
}

impl<'a> Deref for Marks<'a> {
    type Target = [&'a Mark];

    fn deref(&self) -> &Self::Target {
        &self.marks
    }
}

impl<'m, 'a> IntoIterator for &'m Marks<'a> {
    type Item = &'m &'a Mark;
    type IntoIter = slice::Iter<'m, &'a Mark>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// An sRGB colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Color(pub [u8; 3]);

impl Color {
    /// Black.
    pub const BLACK: Color = Color([0, 0, 0]);
    /// White.
    pub const WHITE: Color = Color([255, 255, 255]);

    /// The mean of the pixels of `image` under `mask`; `None` if there are none.
    pub fn mean(image: &Image<'_>, mask: &Mask) -> Option<Self> {
        let (width, height) = image.dimensions();
        let (mut sum, mut count) = ([0_u64; 3], 0_u64);
        for (y, row) in mask.rows().take_while(|&(y, _)| y < height) {
            for span in row {
                let at = |x: u32| 3 * (y as usize * width as usize + x.min(width) as usize);
                for pixel in image.as_raw()[at(span.start)..at(span.end)].chunks_exact(3) {
                    count += 1;
                    for (sum, &channel) in sum.iter_mut().zip(pixel) {
                        *sum += u64::from(channel);
                    }
                }
            }
        }
        // A mean of bytes is a byte.
        (count > 0).then(|| Self(sum.map(|sum| ((sum + count / 2) / count) as u8)))
    }

    /// From 0x00RRGGBB.
    pub const fn from_u32(rgb: u32) -> Self {
        let [_, r, g, b] = rgb.to_be_bytes();
        Self([r, g, b])
    }

    /// As 0x00RRGGBB.
    pub const fn to_u32(self) -> u32 {
        let [r, g, b] = self.0;
        u32::from_be_bytes([0, r, g, b])
    }

    /// Linear light in [0, 1]: the sRGB curve undone.
    pub fn linear(self) -> [f32; 3] {
        self.0.map(|channel| {
            let channel = f32::from(channel) / 255.0;
            if channel <= 0.04045 {
                channel / 12.92
            } else {
                ((channel + 0.055) / 1.055).powf(2.4)
            }
        })
    }

    /// Relative luminance in [0, 1] (WCAG 2.2).
    pub(crate) fn luminance(self) -> f32 {
        let [r, g, b] = self.linear();
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// Contrast ratio in [1, 21] (WCAG 2.2).
    pub fn contrast(self, other: Color) -> f32 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// The colour of text on a plate of this colour: black or white, whichever contrasts more.
    /// Its contrast is never below 4.58.
    pub fn ink(self) -> Color {
        if self.contrast(Color::BLACK) >= self.contrast(Color::WHITE) {
            Color::BLACK
        } else {
            Color::WHITE
        }
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:06x}", self.to_u32())
    }
}

impl Serialize for Color {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Color {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        text.strip_prefix('#')
            .filter(|hex| hex.len() == 6 && hex.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|hex| u32::from_str_radix(hex, 16).ok())
            .map(Self::from_u32)
            .ok_or_else(|| Error::invalid(format!("{text:?} is not a colour like #1f77b4")))
    }
}

impl<'de> Deserialize<'de> for Color {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
