//! The leader line from a label to a region it lies off, with a dot where it ends.

use som_core::{Canvas, Color, Point};

use crate::ink::{coverage, over, run};

/// Draws the line in `color` over a wider one in `halo`.
pub(crate) fn draw(
    canvas: &mut Canvas<'_>,
    [from, to]: [Point; 2],
    thickness: f32,
    color: Color,
    halo: Color,
) {
    let rim = (thickness * 0.5).max(1.0);
    let (line, dot) = (thickness / 2.0, thickness * 1.25);
    // Pixels around the line that get ink.
    let reach = dot.max(line) + rim + 0.5;
    let margin = reach.ceil() as u32;
    let (width, height) = canvas.dimensions();
    let (start, end) = ((from.x as f32, from.y as f32), (to.x as f32, to.y as f32));
    let along = (end.0 - start.0, end.1 - start.1);
    let length_squared = (along.0 * along.0 + along.1 * along.1).max(1.0);
    for y in from.y.min(to.y).saturating_sub(margin)..(from.y.max(to.y) + margin + 1).min(height) {
        let (left, right) = columns(start, along, y as f32, reach);
        let left = left.max(0.0) as u32;
        let right = (right.max(0.0) as u32).saturating_add(1).min(width);
        if left >= right {
            continue;
        }
        for (pixel, x) in run(canvas, y, left, right).chunks_exact_mut(3).zip(left..) {
            let (dx, dy) = (x as f32 - start.0, y as f32 - start.1);
            let part = ((dx * along.0 + dy * along.1) / length_squared).clamp(0.0, 1.0);
            let to_line = distance(dx - part * along.0, dy - part * along.1) - line;
            let to_dot = distance(dx - along.0, dy - along.1) - dot;
            let outside = to_line.min(to_dot);
            if outside < rim + 0.5 {
                over(
                    pixel,
                    halo,
                    coverage((0.5 - outside + rim).clamp(0.0, 1.0) * 0.75),
                );
                over(pixel, color, coverage((0.5 - outside).clamp(0.0, 1.0)));
            }
        }
    }
}

/// First and last column of row `y` within `reach` of the line.
fn columns(start: (f32, f32), along: (f32, f32), y: f32, reach: f32) -> (f32, f32) {
    // The part of the line within reach of the row.
    let (mut first, mut last) = (0.0_f32, 1.0_f32);
    if along.1 != 0.0 {
        let a = (y - reach - start.1) / along.1;
        let b = (y + reach - start.1) / along.1;
        (first, last) = (a.min(b).max(0.0), a.max(b).min(1.0));
    }
    let (a, b) = (start.0 + first * along.0, start.0 + last * along.0);
    (a.min(b) - reach, a.max(b) + reach)
}

fn distance(dx: f32, dy: f32) -> f32 {
    (dx * dx + dy * dy).sqrt()
}
