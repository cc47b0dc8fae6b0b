//! YOLO's labels for segmentation (Ultralytics, "Instance Segmentation Datasets"): a line an object,
//! the number of its class and one closed line around it, as parts of the image's sides. Parts and
//! holes are joined, as Ultralytics joins parts; detection takes the box around the line. A region that
//! no more is known of than its box has that, as for detection.

use std::{collections::BTreeMap, fmt::Write as _};

use som_core::{BBox, Error, Polygon, Result};

use super::{Picture, coco::NAMELESS, corners};
use crate::rings;

/// The objects of an image whose classes are not yet numbered.
#[derive(Debug)]
pub struct Outlines(Vec<Outline>);

#[derive(Debug)]
struct Outline {
    class: String,
    /// What follows the number.
    line: String,
}

/// The classes of several images, numbered as they are met.
#[derive(Debug, Default)]
pub struct Classes {
    names: Vec<String>,
    numbers: BTreeMap<String, usize>,
    /// No further ones may be met.
    are_fixed: bool,
}

impl Outlines {
    /// Those of an image. Regions without pixels are left out.
    pub fn new(picture: &Picture<'_>) -> Self {
        let (width, height) = (
            f64::from(picture.size.width),
            f64::from(picture.size.height),
        );
        let outline = |item: &super::Item<'_>| {
            let region = item.region;
            let places = match region.is_box() {
                true => boxed(region.bbox()),
                false => {
                    let polygons = region.mask.polygons();
                    let rings = polygons.iter().flat_map(Polygon::rings);
                    let rings: Vec<_> = rings.map(|ring| corners(ring)).collect();
                    rings::joined(&rings)
                }
            };
            let mut line = String::new();
            for [x, y] in places {
                // A text takes all that is written to it.
                let _ = write!(line, " {} {}", part(x / width), part(y / height));
            }
            let class = region.label.as_deref().unwrap_or(NAMELESS);
            (!line.is_empty()).then(|| Outline {
                class: class.to_owned(),
                line,
            })
        };
        Self(picture.items.iter().filter_map(outline).collect())
    }
}

impl Classes {
    /// Those of a dataset that is there already: its numbers hold.
    pub fn fixed(names: Vec<String>) -> Self {
        let numbers = names.iter().cloned().zip(0..).collect();
        Self {
            names,
            numbers,
            are_fixed: true,
        }
    }

    /// The file of the next image.
    ///
    /// # Errors
    /// Invalid for a class that is none of those that are fixed.
    pub fn text(&mut self, outlines: &Outlines) -> Result<Vec<u8>> {
        let mut text = String::new();
        for Outline { class, line } in &outlines.0 {
            let _ = writeln!(text, "{}{line}", self.number(class)?);
        }
        Ok(text.into_bytes())
    }

    /// The names of all classes so far, as Ultralytics has them in `data.yaml`; `None`, if they are
    /// fixed.
    pub fn yaml(&self) -> Option<Vec<u8>> {
        if self.are_fixed {
            return None;
        }
        let mut text = String::from("names:\n");
        for (number, name) in self.names.iter().enumerate() {
            // A string of JSON is one of YAML.
            let _ = writeln!(
                text,
                "  {number}: {}",
                serde_json::Value::from(name.as_str())
            );
        }
        Some(text.into_bytes())
    }

    fn number(&mut self, class: &str) -> Result<usize> {
        if let Some(&number) = self.numbers.get(class) {
            return Ok(number);
        }
        if self.are_fixed {
            return Err(Error::invalid(format!(
                "data.yaml has no class \"{class}\" (add it there, or write to another folder)"
            )));
        }
        let number = self.names.len();
        self.names.push(class.to_owned());
        self.numbers.insert(class.to_owned(), number);
        Ok(number)
    }
}

/// Of a region that no more is known of than its box: the middle of the box, and its width and height.
fn boxed(bbox: BBox) -> Vec<[f64; 2]> {
    let [x, y, width, height] = [bbox.x, bbox.y, bbox.width, bbox.height].map(f64::from);
    match bbox.is_empty() {
        true => Vec::new(),
        false => vec![[x + width / 2.0, y + height / 2.0], [width, height]],
    }
}

/// A part of a side to nine digits: within a thousandth of a pixel on the longest.
fn part(number: f64) -> f64 {
    (number * 1e9).round() / 1e9
}
