//! Text in the embedded font, DejaVu Sans Bold 2.37 (see `fonts/LICENSE`).

use std::collections::HashMap;

use ab_glyph::{Font, FontRef, PxScale};
use som_core::{Error, Result};

use crate::ink::{Coverage, coverage};

/// Height of digits and capitals per font size in this font.
const CAPITAL_SHARE: f32 = 1493.0 / 2048.0;

/// Height in whole pixels of digits and capitals at `font_size`.
pub(crate) fn capital_height(font_size: f32) -> u32 {
    (font_size * CAPITAL_SHARE).ceil().max(1.0) as u32
}

/// Glyphs rasterised once per size, on whole pixels so that stems stay crisp.
pub(crate) struct Typesetter {
    font: FontRef<'static>,
    glyphs: HashMap<(char, u32), Glyph>,
}

/// A glyph's ink, row by row, with its place relative to the pen on the baseline.
pub(crate) struct Glyph {
    pub(crate) left: i32,
    pub(crate) top: i32,
    pub(crate) width: u32,
    pub(crate) ink: Vec<Coverage>,
    /// Pixels from this pen position to the next.
    pub(crate) advance: u32,
}

impl Typesetter {
    pub(crate) fn new() -> Result<Self> {
        let font = FontRef::try_from_slice(include_bytes!("../fonts/DejaVuSans-Bold.ttf"))
            .map_err(|error| Error::internal(format!("embedded font: {error}")))?;
        Ok(Self {
            font,
            glyphs: HashMap::new(),
        })
    }

    /// The glyph of `letter` with capitals of `height` pixels.
    pub(crate) fn glyph(&mut self, letter: char, height: u32) -> &Glyph {
        let font = &self.font;
        self.glyphs
            .entry((letter, height))
            .or_insert_with(|| rasterise(font, letter, height))
    }

    /// True if the font has every letter of `text`.
    pub(crate) fn can_write(&self, text: &str) -> bool {
        text.chars().all(|letter| self.font.glyph_id(letter).0 != 0)
    }

    /// Width of `text` in pixels.
    pub(crate) fn width(&self, text: &str, height: u32) -> u32 {
        text.chars()
            .map(|letter| advance(&self.font, letter, height))
            .sum()
    }
}

fn scale(font: &FontRef<'_>, height: u32) -> PxScale {
    let em = height as f32 / CAPITAL_SHARE;
    PxScale::from(em * font.height_unscaled() / font.units_per_em().unwrap_or(2048.0))
}

fn advance(font: &FontRef<'_>, letter: char, height: u32) -> u32 {
    let em = height as f32 / CAPITAL_SHARE;
    let unscaled = font.h_advance_unscaled(font.glyph_id(letter));
    (unscaled * em / font.units_per_em().unwrap_or(2048.0)).round() as u32
}

fn rasterise(font: &FontRef<'_>, letter: char, height: u32) -> Glyph {
    let glyph = font.glyph_id(letter).with_scale(scale(font, height));
    let advance = advance(font, letter, height);
    let Some(outline) = font.outline_glyph(glyph) else {
        return Glyph {
            left: 0,
            top: 0,
            width: 0,
            ink: Vec::new(),
            advance,
        };
    };
    let bounds = outline.px_bounds();
    let width = bounds.width() as u32;
    let mut ink = vec![0; width as usize * bounds.height() as usize];
    outline.draw(|x, y, amount| {
        if let Some(pixel) = ink.get_mut((y * width + x) as usize) {
            *pixel = coverage(amount.clamp(0.0, 1.0));
        }
    });
    Glyph {
        left: bounds.min.x as i32,
        top: bounds.min.y as i32,
        width,
        ink,
        advance,
    }
}
