//! What the pictures are drawn with: shapes and writing, and what is true of them.

use ab_glyph::{Font, FontRef, PxScale, ScaleFont};
use image::{Rgb, RgbImage};
use som_core::{BBox, Mask, MaskBuilder, Size};

pub(crate) type Ink = [u8; 3];

/// A picture, and the things on it.
pub(crate) struct Easel {
    pub(crate) picture: RgbImage,
    /// What somebody would point at: name and pixels.
    pub(crate) things: Vec<(String, Mask)>,
    random: u32,
}

impl Easel {
    pub(crate) fn new(width: u32, height: u32, ground: Ink) -> Self {
        Self {
            picture: RgbImage::from_pixel(width, height, Rgb(ground)),
            things: Vec::new(),
            random: 1,
        }
    }

    pub(crate) fn size(&self) -> Size {
        Size::new(self.picture.width(), self.picture.height())
    }

    /// A number below `end`, the same in every run.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        self.random = self
            .random
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        ((u64::from(self.random) * u64::from(end)) >> 32) as u32
    }

    /// Paints what `cover` covers, in [0, 1], within `bbox`; what is covered by half is the mask.
    pub(crate) fn paint(&mut self, bbox: BBox, ink: Ink, cover: impl Fn(f32, f32) -> f32) -> Mask {
        let mut mask = MaskBuilder::new(self.size());
        let (right, bottom) = (
            (bbox.right() as u32).min(self.picture.width()),
            (bbox.bottom() as u32).min(self.picture.height()),
        );
        for y in bbox.y..bottom {
            for x in bbox.x..right {
                let amount = cover(x as f32 + 0.5, y as f32 + 0.5).clamp(0.0, 1.0);
                let pixel = self.picture.get_pixel_mut(x, y);
                for (channel, ink) in pixel.0.iter_mut().zip(ink) {
                    let mixed = f32::from(*channel) * (1.0 - amount) + f32::from(ink) * amount;
                    *channel = mixed.round() as u8;
                }
                if amount >= 0.5 {
                    mask.push(y, x, x + 1);
                }
            }
        }
        mask.finish()
    }

    pub(crate) fn rect(&mut self, bbox: [u32; 4], ink: Ink) -> Mask {
        let [x, y, width, height] = bbox;
        self.paint(BBox::new(x, y, width, height), ink, |_, _| 1.0)
    }

    pub(crate) fn frame(&mut self, [x, y, width, height]: [u32; 4], thick: u32, ink: Ink) {
        self.rect([x, y, width, thick], ink);
        self.rect([x, y + height - thick, width, thick], ink);
        self.rect([x, y, thick, height], ink);
        self.rect([x + width - thick, y, thick, height], ink);
    }

    /// With soft edges.
    pub(crate) fn disc(&mut self, (x, y): (f32, f32), radius: f32, ink: Ink) -> Mask {
        let bbox = around((x - radius, y - radius), (x + radius, y + radius));
        self.paint(bbox, ink, |px, py| {
            radius - f32::hypot(px - x, py - y) + 0.5
        })
    }

    /// A line so many pixels thick, with soft edges.
    pub(crate) fn line(&mut self, from: (f32, f32), to: (f32, f32), thick: f32, ink: Ink) -> Mask {
        let low = (from.0.min(to.0) - thick, from.1.min(to.1) - thick);
        let high = (from.0.max(to.0) + thick, from.1.max(to.1) + thick);
        let along = (to.0 - from.0, to.1 - from.1);
        let length = (along.0 * along.0 + along.1 * along.1).max(1e-3);
        self.paint(around(low, high), ink, |x, y| {
            let (dx, dy) = (x - from.0, y - from.1);
            let part = ((dx * along.0 + dy * along.1) / length).clamp(0.0, 1.0);
            let away = f32::hypot(dx - part * along.0, dy - part * along.1);
            thick / 2.0 - away + 0.5
        })
    }

    /// A polygon, without soft edges.
    pub(crate) fn polygon(&mut self, corners: &[(f32, f32)], ink: Ink) -> Mask {
        let fold = |pick: fn(&(f32, f32)) -> f32, join: fn(f32, f32) -> f32, start: f32| {
            corners.iter().map(pick).fold(start, join)
        };
        let low = (
            fold(|c| c.0, f32::min, f32::MAX),
            fold(|c| c.1, f32::min, f32::MAX),
        );
        let high = (fold(|c| c.0, f32::max, 0.0), fold(|c| c.1, f32::max, 0.0));
        self.paint(around(low, high), ink, |x, y| {
            let sides = corners.iter().zip(corners.iter().cycle().skip(1));
            let crossed = sides.filter(|(a, b)| {
                (a.1 <= y) != (b.1 <= y) && x < a.0 + (y - a.1) / (b.1 - a.1) * (b.0 - a.0)
            });
            (crossed.count() % 2) as f32
        })
    }

    /// Writes `text` with its upper left corner there, and gives the box around the ink.
    pub(crate) fn write(&mut self, (x, y): (u32, u32), size: f32, text: &str, ink: Ink) -> BBox {
        let font = FontRef::try_from_slice(include_bytes!("../../fonts/DejaVuSans-Bold.ttf"));
        let font = font.expect("the font of the labels");
        let scaled = font.as_scaled(PxScale::from(size));
        let mut pen = x as f32;
        let mut bbox = BBox::default();
        for letter in text.chars() {
            let mut glyph = scaled.scaled_glyph(letter);
            glyph.position = ab_glyph::point(pen, y as f32 + scaled.ascent());
            pen += scaled.h_advance(glyph.id);
            let Some(outline) = font.outline_glyph(glyph) else {
                continue;
            };
            let bounds = outline.px_bounds();
            outline.draw(|dx, dy, amount| {
                let (px, py) = (bounds.min.x as u32 + dx, bounds.min.y as u32 + dy);
                if amount > 0.02 && px < self.picture.width() && py < self.picture.height() {
                    self.paint(BBox::new(px, py, 1, 1), ink, |_, _| amount);
                    bbox = bbox.union(BBox::new(px, py, 1, 1));
                }
            });
        }
        bbox
    }

    pub(crate) fn thing(&mut self, name: &str, mask: Mask) {
        self.things.push((name.to_owned(), mask));
    }

    /// A thing that is all of a box.
    pub(crate) fn boxed(&mut self, name: &str, bbox: BBox) {
        let mask = Mask::rect(self.size(), bbox);
        self.thing(name, mask);
    }

    /// Adds noise of up to so much to every channel.
    pub(crate) fn noise(&mut self, most: u32) {
        let mut picture = std::mem::take(&mut self.picture);
        for channel in picture.iter_mut() {
            let noise = i32::try_from(self.below(2 * most + 1)).unwrap_or(0)
                - i32::try_from(most).unwrap_or(0);
            *channel = (i32::from(*channel) + noise).clamp(0, 255) as u8;
        }
        self.picture = picture;
    }

    /// Smooths so many times with the means of 3x3 pixels, as a lens does.
    pub(crate) fn blur(&mut self, times: u32) {
        for _ in 0..times {
            self.picture = image::imageops::blur(&self.picture, 0.8);
        }
    }
}

fn around(low: (f32, f32), high: (f32, f32)) -> BBox {
    let (x, y) = ((low.0 - 1.0).max(0.0) as u32, (low.1 - 1.0).max(0.0) as u32);
    let far = |value: f32, from: u32| ((value + 2.0).max(0.0) as u32).saturating_sub(from);
    BBox::new(x, y, far(high.0, x), far(high.1, y))
}
