//! LabelMe's JSON (wkentaro/labelme, `labelme/label_file.py`): a polygon for each part of a region, the
//! parts held together by their `group_id`; a region with holes is a shape of type mask, which LabelMe
//! has since 5.2.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::{Map, Value};
use som_core::Result;

use super::{Item, Picture, coco::NAMELESS, corners, masks};

/// The version of LabelMe whose files these are.
const VERSION: &str = "5.5.0";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    version: &'static str,
    flags: Map<String, Value>,
    shapes: Vec<Shape<'a>>,
    image_path: &'a str,
    /// The image itself; LabelMe opens the path instead.
    image_data: Option<String>,
    image_height: u32,
    image_width: u32,
}

#[derive(Serialize)]
struct Shape<'a> {
    label: &'a str,
    points: Vec<[f64; 2]>,
    group_id: Option<u32>,
    description: &'static str,
    shape_type: &'static str,
    flags: Map<String, Value>,
    mask: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f32>,
}

/// The file of an image; the picture's name is the path of the image from the folder of the file.
///
/// # Errors
/// Internal, if it is no JSON or a mask cannot be encoded.
pub fn labelme(picture: &Picture<'_>) -> Result<Vec<u8>> {
    let mut shapes = Vec::new();
    for (item, number) in picture.items.iter().zip(1..) {
        add(item, number, &mut shapes)?;
    }
    super::to_lines(&File {
        version: VERSION,
        flags: Map::new(),
        shapes,
        image_path: picture.name,
        image_data: None,
        image_height: picture.size.height,
        image_width: picture.size.width,
    })
}

/// Adds the shapes of a region, which is the one of this `number`.
fn add<'a>(item: &Item<'a>, number: u32, shapes: &mut Vec<Shape<'a>>) -> Result<()> {
    let (region, bbox) = (item.region, item.region.bbox());
    let polygons = region.mask.polygons();
    let shape = |shape_type, points, group_id, mask| Shape {
        label: region.label.as_deref().unwrap_or(NAMELESS),
        points,
        group_id,
        description: "",
        shape_type,
        flags: Map::new(),
        mask,
        score: region.score,
    };
    if polygons.iter().any(|polygon| !polygon.holes.is_empty()) {
        // The first pixel, and the last one.
        let points = vec![
            [f64::from(bbox.x), f64::from(bbox.y)],
            [(bbox.right() - 1) as f64, (bbox.bottom() - 1) as f64],
        ];
        let mask = STANDARD.encode(masks::cropped_png(&region.mask)?);
        shapes.push(shape("mask", points, item.id, Some(mask)));
        return Ok(());
    }
    if region.is_box() && !bbox.is_empty() {
        let points = vec![
            [f64::from(bbox.x), f64::from(bbox.y)],
            [bbox.right() as f64, bbox.bottom() as f64],
        ];
        shapes.push(shape("rectangle", points, item.id, None));
        return Ok(());
    }
    let group = item.id.or((polygons.len() > 1).then_some(number));
    for polygon in &polygons {
        shapes.push(shape("polygon", corners(&polygon.exterior), group, None));
    }
    Ok(())
}
