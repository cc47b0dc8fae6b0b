//! LabelMe's JSON (wkentaro/labelme, `labelme/label_file.py` and `labelme/utils/shape.py`): shapes of
//! type polygon, rectangle, circle and mask. Shapes with the same `group_id` and label are parts of
//! one thing, as LabelMe's own export to COCO has it (`examples/instance_segmentation/labelme2coco.py`).

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use som_core::{Mask, MaskBuilder, Size};

use super::{
    Target,
    coordinates::Corners,
    gathering::{Entry, Gathering, Shape as Pixels},
    masks, which,
};
use crate::{
    FormatError,
    json::{self, Limited},
};

#[derive(Deserialize)]
struct File {
    shapes: Limited<Shape>,
    #[serde(rename = "imagePath")]
    image_path: Option<String>,
    #[serde(rename = "imageWidth")]
    width: Option<u32>,
    #[serde(rename = "imageHeight")]
    height: Option<u32>,
}

#[derive(Deserialize)]
struct Shape {
    label: Option<String>,
    points: Vec<[f64; 2]>,
    group_id: Option<i64>,
    #[serde(default = "polygon")]
    shape_type: String,
    #[serde(default)]
    description: Option<String>,
    /// What som writes beside.
    score: Option<f64>,
    /// The PNG of a shape of type mask, cut to the box of its two points, in Base64.
    mask: Option<String>,
}

/// What a shape of an old file is, which has no type.
fn polygon() -> String {
    "polygon".to_owned()
}

pub(super) fn read(
    bytes: &[u8],
    target: &Target<'_>,
    gathering: &mut Gathering,
) -> Result<(), FormatError> {
    let File {
        shapes: Limited(shapes),
        image_path,
        width,
        height,
    } = json::read(bytes)?;
    if let (Some(width), Some(height)) = (width, height) {
        gathering.check_size("the file", Size::new(width, height))?;
    }
    if let Some(path) = image_path
        && !target.name.is_empty()
        && which::choose(target.name, &[path.as_str()])?.is_none()
    {
        gathering.note(format!("the regions are those of {path}"));
    }
    let mut groups: BTreeMap<(i64, String), usize> = BTreeMap::new();
    let mut entries: Vec<Entry> = Vec::new();
    let mut passed: Vec<String> = Vec::new();
    for (index, shape) in shapes.into_iter().enumerate() {
        let place = format!("shapes[{index}]");
        let Some(pixels) = pixels(&shape, &place, gathering)? else {
            passed.push(shape.shape_type);
            continue;
        };
        let label = shape.label.unwrap_or_default();
        let group = shape.group_id.map(|group| (group, label.clone()));
        let before = group.as_ref().and_then(|group| groups.get(group).copied());
        if let Some(before) = before {
            let whole = &mut entries[before];
            whole.shape = Pixels::Mask(union(whole, pixels, &place, gathering)?);
            continue;
        }
        if let Some(group) = group {
            groups.insert(group, entries.len());
        }
        let mut entry = Entry {
            id: shape.group_id.and_then(|id| u64::try_from(id).ok()),
            label: Some(label),
            score: shape.score,
            ..Entry::new(place, pixels)
        };
        if let Some(words) = shape.description.filter(|words| !words.is_empty()) {
            entry.extra.insert("description".to_owned(), words.into());
        }
        entries.push(entry);
    }
    if let Some(first) = passed.first() {
        gathering.note(format!(
            "{} shapes have no area and were passed over (first of type {first})",
            passed.len()
        ));
    }
    entries
        .into_iter()
        .try_for_each(|entry| gathering.add(entry))
}

/// What a shape covers; `None` for points and lines.
fn pixels(
    shape: &Shape,
    place: &str,
    gathering: &Gathering,
) -> Result<Option<Pixels>, FormatError> {
    let wrong = |message: &str| Err(FormatError::entry(place, message));
    let ends = <[[f64; 2]; 2]>::try_from(shape.points.as_slice());
    Ok(Some(match shape.shape_type.as_str() {
        "polygon" => Pixels::Polygons(vec![shape.points.as_flattened().to_vec()]),
        "rectangle" => match ends {
            Ok([[a, b], [c, d]]) => {
                Pixels::Box(Corners::from_xyxy([a.min(c), b.min(d), a.max(c), b.max(d)]))
            }
            Err(_) => return wrong("a rectangle has 2 points"),
        },
        "circle" => match ends {
            Ok([middle, edge]) => Pixels::Polygons(vec![circle(middle, edge)]),
            Err(_) => return wrong("a circle has 2 points"),
        },
        "mask" => match (ends, &shape.mask) {
            (Ok([start, _]), Some(text)) => Pixels::Mask(mask(text, start, place, gathering)?),
            _ => return wrong("a mask has 2 points and a PNG in Base64"),
        },
        _ => return Ok(None),
    }))
}

/// A circle through `edge` as LabelMe's export draws it: with so many corners that none of its sides
/// is further than a pixel from it, at least 12.
fn circle([x, y]: [f64; 2], [to_x, to_y]: [f64; 2]) -> Vec<f64> {
    let radius = (to_x - x).hypot(to_y - y);
    let corners = std::f64::consts::PI / (1.0 - 1.0 / radius).acos();
    // No number, for a circle within a pixel, becomes 0.
    let corners = (corners as u32).clamp(12, 4096);
    let corner = |index: u32| {
        let angle = std::f64::consts::TAU * f64::from(index) / f64::from(corners);
        [x + radius * angle.sin(), y + radius * angle.cos()]
    };
    (0..corners).flat_map(corner).collect()
}

/// A PNG in Base64 with its top left pixel at `start`.
fn mask(
    text: &str,
    start: [f64; 2],
    place: &str,
    gathering: &Gathering,
) -> Result<Mask, FormatError> {
    let size = gathering.size();
    let png = STANDARD.decode(text);
    let png = png.map_err(|error| FormatError::entry(place, format!("no Base64: {error}")))?;
    let crop = masks::mask(&png, size.pixels()).map_err(|error| FormatError::Mask {
        place: place.to_owned(),
        error,
    })?;
    let [x, y] = start;
    let fits = |start: f64, length: u32, end: u32| {
        start >= 0.0 && start.trunc() + f64::from(length) <= f64::from(end)
    };
    if !fits(x, crop.size().width, size.width) || !fits(y, crop.size().height, size.height) {
        let message = format!(
            "a mask of {} at {x},{y} does not lie in the {size} image",
            crop.size()
        );
        return Err(FormatError::entry(place, message));
    }
    let (x, y) = (x as u32, y as u32);
    let mut mask = MaskBuilder::new(size);
    for (row, spans) in crop.rows() {
        for span in spans {
            mask.push(y + row, x + span.start, x + span.end);
        }
    }
    Ok(mask.finish())
}

/// What two parts of one thing cover together. What reaches over the edge of the image is cut.
fn union(
    whole: &mut Entry,
    part: Pixels,
    place: &str,
    gathering: &mut Gathering,
) -> Result<Mask, FormatError> {
    let before = std::mem::replace(&mut whole.shape, Pixels::Polygons(Vec::new()));
    let before = gathering.covered(&whole.place, before)?.mask;
    Ok(before.union(&gathering.covered(place, part)?.mask))
}
