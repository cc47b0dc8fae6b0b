//! The plate of a label: a rounded box in the mark's colour with a thin rim, and its text.

use std::collections::HashMap;

use som_core::{BBox, Canvas, Color, Size};

use crate::{
    ink::{Coverage, coverage, over, run},
    text::{Typesetter, capital_height},
};

/// Padding above and below the text, per height of its capitals.
const PADDING: f32 = 0.32;

/// The box that `text` needs at `font_size`, plate included.
pub(crate) fn measure(typesetter: &Typesetter, text: &str, font_size: f32) -> Size {
    let capital = capital_height(font_size);
    let height = plate_height(capital);
    let width = typesetter.width(text, capital) + 2 * padding(capital);
    Size::new(width.max(height), height)
}

fn padding(capital: u32) -> u32 {
    (capital as f32 * PADDING).round().max(3.0) as u32
}

fn plate_height(capital: u32) -> u32 {
    capital + 2 * padding(capital)
}

/// The height of capitals on a plate of `height`.
fn capital_that_fits(height: u32) -> u32 {
    let mut capitals = (1..=height).rev();
    capitals
        .find(|&capital| plate_height(capital) <= height)
        .unwrap_or(1)
}

/// Draws plates and texts; keeps what repeats from one to the next.
pub(crate) struct Platemaker {
    typesetter: Typesetter,
    /// How round the corners are: 0 square, 1 a half circle.
    roundness: f32,
    shapes: HashMap<Size, Shape>,
}

impl Platemaker {
    pub(crate) fn new(typesetter: Typesetter, roundness: f32) -> Self {
        Self {
            typesetter,
            roundness,
            shapes: HashMap::new(),
        }
    }

    /// True if `text` has its letters in the font and fits into a plate that fills `bbox`, as
    /// [`measure`] says, without being made smaller.
    pub(crate) fn has_room(&self, bbox: BBox, text: &str) -> bool {
        let capital = capital_that_fits(bbox.height);
        let width = self.typesetter.width(text, capital) + 2 * padding(capital);
        width <= bbox.width && self.typesetter.can_write(text)
    }

    /// Draws the plate that fills `bbox`, in `color`, with `text` on it.
    pub(crate) fn draw(&mut self, canvas: &mut Canvas<'_>, bbox: BBox, text: &str, color: Color) {
        let image = Size::new(canvas.width(), canvas.height());
        if bbox.is_empty() || !image.bbox().encloses(bbox) {
            return;
        }
        let size = Size::new(bbox.width, bbox.height);
        let shape = self
            .shapes
            .entry(size)
            .or_insert_with(|| Shape::new(size, self.roundness));
        let ink = color.ink();
        for (row, y) in shape.pixels.chunks_exact(bbox.width as usize).zip(bbox.y..) {
            let pixels = run(canvas, y, bbox.x, bbox.x + bbox.width);
            for (pixel, &(rim, fill)) in pixels.chunks_exact_mut(3).zip(row) {
                if fill == Coverage::MAX {
                    pixel.copy_from_slice(&color.0);
                } else {
                    over(pixel, ink, rim);
                    over(pixel, color, fill);
                }
            }
        }
        self.write(canvas, bbox, text, ink);
    }

    fn write(&mut self, canvas: &mut Canvas<'_>, bbox: BBox, text: &str, ink: Color) {
        let mut capital = capital_that_fits(bbox.height);
        while capital > 1 && self.typesetter.width(text, capital) + 2 > bbox.width {
            capital -= 1;
        }
        let width = self.typesetter.width(text, capital);
        let mut pen = i64::from(bbox.x) + (i64::from(bbox.width) - i64::from(width)).div_euclid(2);
        let baseline = i64::from(bbox.y) + i64::from((bbox.height + capital) / 2);
        for letter in text.chars() {
            let glyph = self.typesetter.glyph(letter, capital);
            let (left, top) = (pen + i64::from(glyph.left), baseline + i64::from(glyph.top));
            for (row, y) in glyph
                .ink
                .chunks_exact(glyph.width.max(1) as usize)
                .zip(top..)
            {
                // Letters that do not fit are cut off at the plate's edge.
                if y < i64::from(bbox.y) || y >= bbox.bottom().cast_signed() {
                    continue;
                }
                for (&amount, x) in row.iter().zip(left..) {
                    if amount > 0 && x >= i64::from(bbox.x) && x < bbox.right().cast_signed() {
                        over(run(canvas, y as u32, x as u32, x as u32 + 1), ink, amount);
                    }
                }
            }
            pen += i64::from(glyph.advance);
        }
    }
}

/// Coverage of the rim (with what is below) and of the plate, pixel by pixel.
struct Shape {
    pixels: Vec<(Coverage, Coverage)>,
}

impl Shape {
    /// Thickness of the rim in pixels.
    const RIM: f32 = 1.0;

    fn new(size: Size, roundness: f32) -> Self {
        let half = (size.width as f32 / 2.0, size.height as f32 / 2.0);
        let radius = half.0.min(half.1) * roundness;
        let pixels = (0..size.height)
            .flat_map(|y| (0..size.width).map(move |x| (x as f32 + 0.5, y as f32 + 0.5)))
            .map(|(x, y)| {
                // Distance to the rounded box, negative inside.
                let dx = (x - half.0).abs() - (half.0 - radius);
                let dy = (y - half.1).abs() - (half.1 - radius);
                let corner = (dx.max(0.0).powi(2) + dy.max(0.0).powi(2)).sqrt();
                let outside = corner + dx.max(dy).min(0.0) - radius;
                let rim = (0.5 - outside).clamp(0.0, 1.0);
                let fill = (0.5 - outside - Self::RIM).clamp(0.0, 1.0);
                (coverage(rim * 0.85), coverage(fill))
            })
            .collect();
        Self { pixels }
    }
}
