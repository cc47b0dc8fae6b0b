//! The style `box`: the bounding box of every region.

use som_core::{BBox, Call, Canvas, Color, MarkStyle, Marks, Result};

use crate::ink::{Line, coverage, over, run};

/// Draws the bounding box of each region, inside the image.
#[derive(Clone, Copy, Debug, Default)]
pub struct Boxes;

impl MarkStyle for Boxes {
    fn ignores_masks(&self) -> bool {
        true
    }

    fn draw(&self, canvas: &mut Canvas<'_>, marks: &Marks<'_>, call: &Call<'_>) -> Result<()> {
        let settings: Line = call.parse()?;
        let thickness = settings.thickness.on(canvas);
        let halo = settings.halo.clamp(0.0, 1.0);
        for mark in marks {
            call.check()?;
            let color = settings.color.of(mark);
            outline(
                canvas,
                mark.region.bbox(),
                thickness,
                color,
                color.ink(),
                halo,
            );
        }
        Ok(())
    }
}

/// Draws a frame along the inner edge of `bbox` with a halo on both of its sides.
pub(crate) fn outline(
    canvas: &mut Canvas<'_>,
    bbox: BBox,
    thickness: f32,
    color: Color,
    ink: Color,
    halo: f32,
) {
    let (width, height) = canvas.dimensions();
    let band = thickness.ceil() as u32 + 2;
    let (left, right) = (
        bbox.x.saturating_sub(1),
        (bbox.right() as u32 + 1).min(width),
    );
    let (top, bottom) = (
        bbox.y.saturating_sub(1),
        (bbox.bottom() as u32 + 1).min(height),
    );
    // Pixels inside from the nearest edge; -1 just outside.
    let inside = |at: u32, start: u32, end: u64| {
        (i64::from(at) - i64::from(start)).min(end.cast_signed() - 1 - i64::from(at))
    };
    for y in top..bottom {
        let from_top = inside(y, bbox.y, bbox.bottom());
        let row = run(canvas, y, left, right);
        let mut ink_at = |x: u32| {
            let depth = from_top.min(inside(x, bbox.x, bbox.right())) as f32;
            let line = (thickness - depth).clamp(0.0, 1.0) * f32::from(u8::from(depth >= 0.0));
            let around = (thickness + 1.0 - depth).clamp(0.0, 1.0) * halo;
            let pixel = &mut row[3 * (x - left) as usize..][..3];
            over(pixel, ink, coverage(around));
            over(pixel, color, coverage(line));
        };
        if from_top <= i64::from(band) {
            (left..right).for_each(&mut ink_at);
        } else {
            let split = (left + band + 2).min(right);
            (left..split).for_each(&mut ink_at);
            (right.saturating_sub(band + 2).max(split)..right).for_each(&mut ink_at);
        }
    }
}
