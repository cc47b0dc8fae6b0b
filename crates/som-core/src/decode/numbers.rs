//! Numbers → shades, where a file does not say which of them is white: floats, whole numbers of 32
//! and 64 bits, and those with a sign.

use std::fmt;

use super::{
    depth::{Channels, Range, Shades, WHITE, shown},
    note::{ImageNote, ImageNoteKind},
};

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
    let white = white_of(range, kind);
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

/// What numbers are called.
#[derive(Clone, Copy)]
pub(super) enum NumberKind {
    /// Floats of so many bits.
    Float(u8),
    /// Whole numbers of so many bits.
    Integer(u8),
}

impl fmt::Display for NumberKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Float(bits) => write!(f, "{bits}-bit floats"),
            Self::Integer(bits) => write!(f, "{bits}-bit whole numbers"),
        }
    }
}

/// The white of these numbers: the first usual one that none of them exceeds.
fn white_of(range: Range, kind: NumberKind) -> Option<f64> {
    // Resampling and noise go a little beyond what they are about.
    if matches!(kind, NumberKind::Float(_)) && range.least >= -0.1 && range.greatest <= 1.1 {
        return Some(1.0);
    }
    let whites = [255.0, WHITE, f64::from(u32::MAX)];
    let mut whites = whites.into_iter().filter(|_| range.least >= 0.0);
    whites.find(|&white| range.greatest <= white)
}

#[cfg(test)]
mod tests {
    use super::*;

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
