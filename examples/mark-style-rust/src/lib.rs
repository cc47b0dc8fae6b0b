//! A mark style: draws four corners around each region.

use som_plugin::{
    BBox, Call, Canvas, MarkStyle, Marks, Result,
    guest::{MarkStyleDef, MarkStyleType},
};

#[derive(Default)]
struct Corners;

impl MarkStyle for Corners {
    /// Boxes are all it looks at.
    fn ignores_masks(&self) -> bool {
        true
    }

    fn draw(&self, canvas: &mut Canvas<'_>, marks: &Marks<'_>, call: &Call<'_>) -> Result<()> {
        let pen = call.number("line_width").unwrap_or(2.0) as u32;
        for mark in marks {
            call.check()?;
            let bbox = mark.region.bbox();
            let arm = bbox.width.min(bbox.height).div_ceil(4);
            for y in bbox.y..bbox.y + bbox.height {
                for x in bbox.x..bbox.x + bbox.width {
                    let (dx, dy) = edge_distance(bbox, x, y);
                    if dx.min(dy) < pen && dx.max(dy) < arm {
                        canvas.get_pixel_mut(x, y).0 = mark.color.0;
                    }
                }
            }
        }
        Ok(())
    }
}

/// How many pixels (x, y) lies from the nearest vertical and horizontal edge of the box.
fn edge_distance(bbox: BBox, x: u32, y: u32) -> (u32, u32) {
    let (left, top) = (x - bbox.x, y - bbox.y);
    (
        left.min(bbox.width - 1 - left),
        top.min(bbox.height - 1 - top),
    )
}

static CORNERS: MarkStyleDef = MarkStyleDef {
    id: "corners",
    version: env!("CARGO_PKG_VERSION"),
    about: "Draws four corners around each region",
    schema: r#"{
        "params": {
            "type": "object",
            "properties": {
                "line_width": {
                    "type": "integer", "minimum": 1, "maximum": 64, "default": 2,
                    "description": "In pixels"
                }
            }
        }
    }"#,
    style: MarkStyleType::of::<Corners>(),
};

som_plugin::export!(mark_styles: [CORNERS]);

#[cfg(test)]
mod tests {
    use super::*;
    use som_plugin::{Color, Mark, Mask, Params, Point, Region, Size};

    #[test]
    fn corners_are_drawn_and_sides_are_not() {
        let bbox = BBox::new(1, 1, 8, 8);
        let mark = Mark {
            region: Region::new(Mask::rect(Size::new(10, 10), bbox)),
            text: String::new(),
            label_box: BBox::new(4, 4, 1, 1),
            anchor: Point::new(4, 4),
            color: Color([255, 0, 0]),
        };
        let mut pixels = [0; 3 * 10 * 10];
        let mut canvas = Canvas::from_raw(10, 10, &mut pixels[..]).unwrap();
        let none = Params::new();
        Corners
            .draw(
                &mut canvas,
                &[&mark].into_iter().collect(),
                &Call::uncancellable(&none),
            )
            .unwrap();
        assert_eq!(canvas.get_pixel(1, 1).0, [255, 0, 0]);
        assert_eq!(canvas.get_pixel(8, 8).0, [255, 0, 0]);
        assert_eq!(canvas.get_pixel(4, 1).0, [0; 3]);
    }
}
