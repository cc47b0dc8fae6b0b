//! Boxes and points in answers, in the dialects of the models that give them.
//!
//! | dialect | written as | in |
//! |---|---|---|
//! | Qwen-VL, Qwen2-VL | `<box>(x1,y1),(x2,y2)</box>`, `<\|box_start\|>(x1,y1),(x2,y2)<\|box_end\|>` | 0 to 1000 |
//! | Qwen2.5-VL | JSON `"bbox_2d": [x1, y1, x2, y2]`, `"point_2d": [x, y]` | pixels as seen |
//! | Qwen3-VL | the same | 0 to 1000 |
//! | InternVL | `<box>[[x1, y1, x2, y2]]</box>` | 0 to 1000 |
//! | Gemini | JSON `"box_2d": [y1, x1, y2, x2]`, `"point": [y, x]` | 0 to 1000 |
//! | PaliGemma | `<loc0123>` four times: y1, x1, y2, x2 | 0 to 1024 |
//! | Florence-2 | `<loc_123>` four times: x1, y1, x2, y2 | 0 to 1000 |
//! | Molmo | `<point x="12.5" y="40">cup</point>`, `<points x1="…" y1="…" …>` | 0 to 100 |
//! | others | JSON `"bbox"`, or `the box is [x1, y1, x2, y2]` | 0 to 1, pixels, or 0 to 1000 |
//!
//! Where the way of writing leaves the unit open, [`SceneImage::coordinates`] settles it; without
//! that, the unit counts in which the regions fit better.
//!
//! Sources: the model cards and papers of these models (Qwen2-VL, arXiv 2409.12191; InternVL 1.5,
//! arXiv 2404.16821; PaliGemma, arXiv 2407.07726; Florence-2, arXiv 2311.06242; Molmo,
//! arXiv 2409.17146) and Google's *Image understanding* guide of the Gemini API.

mod tagged;
mod written;

pub(super) use self::{
    tagged::tag,
    written::{json, plain},
};
use super::{Shape, snap::bbox_of};
use crate::{
    Point,
    scene::{Coordinates, SceneImage},
};

/// Numbers that say where something is, and the ways in which they may be meant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers<'a> {
    /// Two for a point, four for a box.
    numbers: &'a [f64],
    orders: &'static [Order],
    pub(super) units: &'static [Unit],
}

/// What each number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Left, top, right, bottom.
    Xyxy,
    /// Top, left, bottom, right.
    Yxyx,
    /// Left, top, width, height.
    Xywh,
    /// A point: column, row.
    Xy,
    /// A point: row, column.
    Yx,
}

/// What the numbers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Pixels of the image as the LMM sees it.
    Pixel,
    /// Parts of so many along each side.
    Parts(u16),
}

impl Numbers<'_> {
    /// True for a point, false for a box.
    pub(super) fn is_point(&self) -> bool {
        self.numbers.len() == 2
    }

    /// The units that may be meant on `image`.
    pub(super) fn units_on(&self, image: &SceneImage) -> &'static [Unit] {
        let known: &[Unit] = match image.coordinates {
            None => self.units,
            Some(Coordinates::Pixels) => &[Unit::Pixel],
            Some(Coordinates::Thousandths) => &[Unit::Parts(1000)],
        };
        // How they are written, and numbers that are too large or too small, count more.
        if known.iter().all(|unit| self.units.contains(unit)) {
            known
        } else {
            self.units
        }
    }

    /// The boxes or points that may be meant, as far as they lie in `image`.
    pub(super) fn shapes(&self, unit: Unit, image: &SceneImage) -> Vec<Shape> {
        let shapes = self.orders.iter();
        shapes
            .filter_map(|&order| self.shape(order, unit, image))
            .collect()
    }

    fn shape(&self, order: Order, unit: Unit, image: &SceneImage) -> Option<Shape> {
        let corners = match (order, self.numbers) {
            (Order::Xyxy, &[x1, y1, x2, y2]) | (Order::Yxyx, &[y1, x1, y2, x2]) => [x1, y1, x2, y2],
            (Order::Xywh, &[x, y, width, height]) => [x, y, x + width, y + height],
            (Order::Xy, &[x, y]) | (Order::Yx, &[y, x]) => [x, y, x, y],
            _ => return None,
        };
        let (across, down) = match unit {
            Unit::Pixel => (image.seen.width, image.seen.height),
            Unit::Parts(parts) => (parts.into(), parts.into()),
        };
        let x = |x: f64| x / f64::from(across.max(1)) * f64::from(image.size.width);
        let y = |y: f64| y / f64::from(down.max(1)) * f64::from(image.size.height);
        let [x1, y1, x2, y2] = corners;
        let [x1, y1, x2, y2] = [x(x1), y(y1), x(x2), y(y2)];
        if x2 < x1 || y2 < y1 {
            return None;
        }
        if self.is_point() {
            // The pixel that the point lies in, not the nearest corner of one.
            let bbox = bbox_of([x1.floor(), y1.floor(), x2.floor(), y2.floor()], image.size)?;
            return Some(Shape::Point(Point::new(bbox.x, bbox.y)));
        }
        bbox_of([x1, y1, x2, y2], image.size).map(Shape::Box)
    }
}

/// Units of numbers whose dialect does not say.
fn plausible_units(numbers: &[f64]) -> &'static [Unit] {
    const PIXEL: Unit = Unit::Pixel;
    const THOUSANDTH: Unit = Unit::Parts(1000);
    if numbers.iter().all(|&number| number <= 1.0) {
        &[Unit::Parts(1)]
    } else if numbers.iter().all(|&number| number <= 1000.0) {
        &[PIXEL, THOUSANDTH]
    } else {
        &[PIXEL]
    }
}

/// The decimal numbers at the start of `text`, up to `most`, and the length they take; `between`
/// tells what may stand before and between them.
fn numbers_at(text: &str, most: usize, between: fn(char) -> bool) -> (Vec<f64>, usize) {
    let mut numbers = Vec::new();
    let mut end = 0;
    while numbers.len() < most {
        let start = text.len() - text[end..].trim_start_matches(between).len();
        let rest = &text[start..];
        let length = rest
            .bytes()
            .take_while(|&byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
            .count();
        // A full stop behind the last number is not part of it.
        let written = rest[..length].trim_end_matches('.');
        let number = written.parse().ok();
        let Some(number) = number.filter(|number: &f64| number.is_finite()) else {
            break;
        };
        numbers.push(number);
        end = start + written.len();
    }
    (numbers, end)
}

fn is_space_or_comma(c: char) -> bool {
    c.is_whitespace() || c == ','
}

fn is_space_or_bracket(c: char) -> bool {
    is_space_or_comma(c) || matches!(c, '(' | ')' | '[' | ']')
}
