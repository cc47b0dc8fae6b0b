//! A compact table of regions, for models that reason better with numbers beside the image.

use std::fmt::Write;

use crate::Scene;

/// A line for each mark: its label, what the segmenter calls it, its box and its area. Boxes are
/// in pixels of the image as the LMM gets it. Empty without named marks.
pub fn table(scene: &Scene<'_>) -> String {
    let named = scene.marks.iter().filter(|mark| !mark.text.is_empty());
    let rows: Vec<_> = named
        .filter_map(|mark| Some((mark, mark.region?, scene.images.get(mark.image)?)))
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let classes = rows.iter().any(|(_, region, _)| region.label.is_some());
    let mut text = String::from("The regions, as [label]");
    if scene.images.len() > 1 {
        text.push_str(" image");
    }
    text.push_str(if classes { " class" } else { "" });
    text.push_str(" x,y,width,height area, in pixels:\n");
    for (mark, region, image) in rows {
        let across = f64::from(image.seen.width) / f64::from(image.size.width.max(1));
        let down = f64::from(image.seen.height) / f64::from(image.size.height.max(1));
        let whole = |number: f64| number.round() as u64;
        let bbox = region.bbox();
        let _ = write!(text, "[{}]", mark.text);
        if scene.images.len() > 1 {
            let _ = write!(text, " {}", mark.image + 1);
        }
        if classes {
            let _ = write!(text, " {}", region.label.as_deref().unwrap_or("-"));
        }
        let _ = writeln!(
            text,
            " {},{},{},{} {}",
            whole(f64::from(bbox.x) * across),
            whole(f64::from(bbox.y) * down),
            whole(f64::from(bbox.width) * across),
            whole(f64::from(bbox.height) * down),
            whole(region.mask.area() as f64 * across * down),
        );
    }
    text
}
