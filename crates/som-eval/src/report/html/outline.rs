//! Masks and boxes as outlines over an image: SVG.

use std::fmt::Write as _;

use som_core::{Mask, Size};

use crate::{Rect, Shape};

/// How far an outline may be from the mask's, in pixels.
const TOLERANCE: f64 = 1.0;

/// A mask, if it is sound.
pub(super) fn shape(shape: &Shape, size: Size, class: &str) -> String {
    shape
        .mask(size)
        .map_or_else(|_| String::new(), |found| mask(&found, class))
}

fn mask(mask: &Mask, class: &str) -> String {
    let mut path = String::new();
    for polygon in mask.polygons() {
        for ring in polygon.simplified(TOLERANCE).rings() {
            for (index, point) in ring.iter().enumerate() {
                let command = if index == 0 { 'M' } else { 'L' };
                let _ = write!(path, "{command}{} {}", point.x, point.y);
            }
            path.push('Z');
        }
    }
    format!("<path class=\"{class}\" d=\"{path}\"/>")
}

/// A box.
pub(super) fn rect(rect: Rect, class: &str) -> String {
    format!(
        "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
        rect.x, rect.y, rect.width, rect.height
    )
}

/// A point.
pub(super) fn point([x, y]: [f64; 2], class: &str) -> String {
    format!("<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>")
}
