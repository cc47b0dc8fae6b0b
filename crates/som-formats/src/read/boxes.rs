//! JSON of boxes, as detectors and pages give them: a list of objects, or an object with such a list.
//! The sides stand under any of the names that [`Sides`] knows, in the object or in one below `box`,
//! `bbox`, `rect` or `bounds`. So it reads supervision's `JSONSink` (`x_min`, …), Ultralytics'
//! `Results.to_json` (`box`, `segments`), Transformers' pipelines (`box`), Roboflow's inference
//! (`predictions`, whose x and y are middles) and `getBoundingClientRect` (`left`, …). What is not
//! known stays with the region as `extra`.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};
use som_core::Size;

use super::{
    Target,
    coordinates::{Corners, Sides, is_side, plain},
    gathering::{Entry, Gathering, Shape},
    which,
};
use crate::{FormatError, MAX_ENTRIES, json, outline::Outline};

/// What lists of boxes are called.
const LISTS: [&str; 8] = [
    "boxes",
    "detections",
    "predictions",
    "objects",
    "elements",
    "regions",
    "items",
    "results",
];
/// Under what a box of its own stands in an entry.
const NESTED: [&str; 7] = [
    "box",
    "bbox",
    "rect",
    "bounds",
    "boundingbox",
    "boundingrect",
    "boundingclientrect",
];
/// Under what its four numbers stand in a list.
const LISTED: [&str; 4] = ["xyxy", "xywh", "bbox", "box"];
const LABELS: [&str; 9] = [
    "label",
    "classname",
    "name",
    "class",
    "category",
    "tag",
    "tagname",
    "text",
    "role",
];
const SCORES: [&str; 5] = ["score", "confidence", "conf", "probability", "prob"];
const CLASSES: [&str; 3] = ["classid", "categoryid", "cls"];
const IDS: [&str; 3] = ["id", "trackerid", "objectid"];
/// Under what an entry names its image.
const IMAGES: [&str; 6] = [
    "image",
    "filename",
    "file",
    "imagepath",
    "imagename",
    "path",
];

/// An entry: its keys as they stand and as they are compared, and its values.
pub(super) struct Row {
    pub(super) place: String,
    pub(super) cells: Vec<(String, String, Value)>,
}

/// True for an object that holds a box.
pub(crate) fn is_one(outline: &Outline) -> bool {
    let has = |outline: &Outline| {
        let names: Vec<String> = outline.keys().map(|(key, _)| plain(key)).collect();
        Sides::among(|name| names.iter().any(|known| known == name)).is_some()
    };
    has(outline)
        || outline.keys().any(|(key, value)| {
            let key = plain(key);
            (NESTED.contains(&&*key) && has(value)) || (LISTED.contains(&&*key) && value.is_list)
        })
}

/// The key of the list of boxes in an object.
pub(crate) fn list_of(outline: &Outline) -> Option<&str> {
    let is_list = |(key, value): &(&str, &Outline)| match value.first.as_deref() {
        Some(first) => is_one(first),
        None => value.is_list && LISTS.contains(&&*plain(key)),
    };
    outline.keys().find(is_list).map(|(key, _)| key)
}

pub(super) fn read(
    bytes: &[u8],
    target: &Target<'_>,
    gathering: &mut Gathering,
) -> Result<(), FormatError> {
    let outline = Outline::of(bytes)?;
    let key = match outline.is_list {
        true => None,
        false => Some(list_of(&outline).ok_or_else(|| {
            FormatError::Structure(
                "has no list of boxes (a list of objects with their sides)".to_owned(),
            )
        })?),
    };
    let mut rows = Vec::new();
    json::each(bytes, key, |index, object: Map<String, Value>| {
        if rows.len() == MAX_ENTRIES {
            return Err(FormatError::TooMany);
        }
        rows.push(Row::new(
            format!("{}[{index}]", key.unwrap_or_default()),
            object.into_iter(),
        ));
        Ok(())
    })?;
    let size = image_size(bytes, &outline)?;
    if let Some(size) = size {
        gathering.check_size("the file", size)?;
    }
    let rows = of_image(rows, target, gathering)?;
    // Roboflow tells the image's size, and the middle of each box.
    let is_centered = key == Some("predictions") && size.is_some();
    add(rows, is_centered, gathering)
}

/// The size under the key `image`, if there is one.
fn image_size(bytes: &[u8], outline: &Outline) -> Result<Option<Size>, FormatError> {
    #[derive(Deserialize)]
    struct Head {
        image: Facts,
    }
    #[derive(Deserialize)]
    struct Facts {
        width: u32,
        height: u32,
    }
    let image = outline.get("image");
    let has_size = |image: &Outline| image.get("width").and(image.get("height")).is_some();
    match image.is_some_and(has_size) {
        false => Ok(None),
        true => json::read(bytes).map(|Head { image }| Some(Size::new(image.width, image.height))),
    }
}

impl Row {
    pub(super) fn new(place: String, cells: impl Iterator<Item = (String, Value)>) -> Self {
        let cells = cells.map(|(key, value)| (plain(&key), key, value));
        Self {
            place,
            cells: cells.collect(),
        }
    }

    fn value(&self, name: &str) -> Option<&Value> {
        let mut cells = self.cells.iter();
        cells
            .find(|(known, ..)| known == name)
            .map(|(.., value)| value)
    }

    /// The first of `names` that has a value, and the value.
    fn first(&self, names: &[&'static str]) -> Option<(&'static str, &Value)> {
        let mut names = names.iter();
        names.find_map(|&name| {
            let value = self.value(name)?;
            (!value.is_null()).then_some((name, value))
        })
    }

    /// The first of `names` that has a whole number, and the number.
    fn whole(&self, names: &[&'static str]) -> Option<(&'static str, u64)> {
        let mut names = names.iter();
        names.find_map(|&name| {
            let number = number(self.value(name)?)?;
            let is_whole = number.fract() == 0.0 && (0.0..9e15).contains(&number);
            is_whole.then_some((name, number as u64))
        })
    }

    /// The image that it names.
    pub(super) fn image(&self) -> Option<&str> {
        self.first(&IMAGES)?.1.as_str()
    }
}

/// The rows about the image, where all rows name an image.
fn of_image(
    rows: Vec<Row>,
    target: &Target<'_>,
    gathering: &mut Gathering,
) -> Result<Vec<Row>, FormatError> {
    let names: Option<BTreeSet<String>> = rows
        .iter()
        .map(|row| row.image().map(str::to_owned))
        .collect();
    let name = names.map(|names| chosen(&names, target, gathering));
    match name.transpose()?.flatten() {
        None => Ok(rows),
        Some(name) => Ok(rows
            .into_iter()
            .filter(|row| row.image() == Some(&name))
            .collect()),
    }
}

/// The one of the `names` of images that is this image; `None` where they are no names of images.
pub(super) fn chosen(
    names: &BTreeSet<String>,
    target: &Target<'_>,
    gathering: &mut Gathering,
) -> Result<Option<String>, FormatError> {
    const ENDINGS: [&str; 8] = ["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff"];
    let is_image = |name: &String| {
        let ending = name
            .rsplit_once('.')
            .map(|(_, ending)| ending.to_lowercase());
        ending.is_some_and(|ending| ENDINGS.contains(&&*ending))
    };
    if names.is_empty() || !names.iter().all(is_image) {
        return Ok(None);
    }
    if names.len() > 1 {
        gathering.tells_images_apart();
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match which::choose(target.name, &names)? {
        Some(index) => Ok(Some(names[index].to_owned())),
        None => {
            if !target.name.is_empty() {
                gathering.note(format!("the regions are those of {}", names[0]));
            }
            Ok(None)
        }
    }
}

/// What a row covers, as far as one row tells.
enum Found {
    Shape(Shape),
    /// Four numbers: left and top, and then width and height, or right and bottom.
    Numbers([f64; 4]),
}

/// Adds the regions of `rows`.
///
/// # Errors
/// Entry for a row without a box.
pub(super) fn add(
    rows: Vec<Row>,
    is_centered: bool,
    gathering: &mut Gathering,
) -> Result<(), FormatError> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let (shape, used) = row.shape(is_centered)?;
        found.push((row, shape, used));
    }
    let listed = found.iter().filter_map(|(_, found, used)| match found {
        Found::Numbers(numbers) => Some((*numbers, used.first().copied())),
        Found::Shape(_) => None,
    });
    let order = Order::of(listed, gathering);
    for (row, found, used) in found {
        let shape = match found {
            Found::Shape(shape) => shape,
            Found::Numbers(numbers) => Shape::Box(order.corners(numbers)),
        };
        gathering.add(row.entry(shape, &used)?)?;
    }
    Ok(())
}

/// What the last two of four numbers are.
enum Order {
    Size,
    Corner,
}

impl Order {
    /// COCO's, unless with it a box reaches out of the image and with corners none does. Where a
    /// person may wonder, a note tells.
    fn of<'a>(
        listed: impl Iterator<Item = ([f64; 4], Option<&'a str>)>,
        gathering: &mut Gathering,
    ) -> Self {
        let (width, height) = (
            f64::from(gathering.size().width) + 1.0,
            f64::from(gathering.size().height) + 1.0,
        );
        let fits = |corners: Corners| {
            corners.left < corners.right
                && corners.top < corners.bottom
                && corners.right <= width
                && corners.bottom <= height
        };
        let (mut as_size, mut as_corner, mut is_doubtful) = (true, true, false);
        for (numbers, name) in listed {
            as_size &= fits(Corners::from_xywh(numbers));
            as_corner &= fits(Corners::from_xyxy(numbers));
            is_doubtful |= name == Some("box");
        }
        if !as_size && as_corner {
            gathering
                .note("the four numbers of a box are read as left, top, right, bottom".to_owned());
            return Self::Corner;
        }
        if is_doubtful {
            gathering
                .note("the four numbers of a box are read as left, top, width, height".to_owned());
        }
        Self::Size
    }

    fn corners(&self, numbers: [f64; 4]) -> Corners {
        match self {
            Self::Size => Corners::from_xywh(numbers),
            Self::Corner => Corners::from_xyxy(numbers),
        }
    }
}

impl Row {
    /// What it covers, and the names under which that stands.
    fn shape(&self, is_centered: bool) -> Result<(Found, Vec<&'static str>), FormatError> {
        if let Some(polygon) = self.value("segments").and_then(polygon) {
            let used = vec!["segments", "box"];
            return Ok((Found::Shape(Shape::Polygons(vec![polygon])), used));
        }
        let has = |name: &str| self.value(name).is_some_and(|value| !value.is_null());
        if let Some(sides) = Sides::among(has) {
            let sides = if is_centered { sides.centered() } else { sides };
            let corners = self.corners(&sides, |name| self.value(name))?;
            return Ok((Found::Shape(Shape::Box(corners)), Vec::new()));
        }
        for name in LISTED {
            let numbers = self.value(name).and_then(Value::as_array);
            let numbers =
                numbers.and_then(|list| list.iter().map(number).collect::<Option<Vec<f64>>>());
            let numbers = numbers.and_then(|list| <[f64; 4]>::try_from(list).ok());
            if let Some(numbers) = numbers {
                let found = match name {
                    "xyxy" => Found::Shape(Shape::Box(Corners::from_xyxy(numbers))),
                    "xywh" => Found::Shape(Shape::Box(Corners::from_xywh(numbers))),
                    _ => Found::Numbers(numbers),
                };
                return Ok((found, vec![name]));
            }
        }
        for name in NESTED {
            let Some(inner) = self.value(name).and_then(Value::as_object) else {
                continue;
            };
            let find = |wanted: &str| {
                let mut inner = inner.iter();
                inner
                    .find(|(key, _)| plain(key) == wanted)
                    .map(|(_, value)| value)
            };
            if let Some(sides) = Sides::among(|name| find(name).is_some()) {
                let corners = self.corners(&sides, find)?;
                return Ok((Found::Shape(Shape::Box(corners)), vec![name]));
            }
        }
        Err(FormatError::entry(
            self.place.as_str(),
            "has no box (x, y, width, height or left, top, right, bottom)",
        ))
    }

    fn corners<'a>(
        &self,
        sides: &Sides,
        find: impl Fn(&str) -> Option<&'a Value>,
    ) -> Result<Corners, FormatError> {
        let numbers = sides.numbers(|name| find(name).and_then(number));
        numbers
            .map_err(|name| FormatError::entry(self.place.as_str(), format!("{name} is no number")))
    }

    fn entry(self, shape: Shape, used: &[&'static str]) -> Result<Entry, FormatError> {
        let mut used = used.to_vec();
        let mut take = |names: &[&'static str]| {
            let (name, value) = self.first(names)?;
            used.push(name);
            Some(value.clone())
        };
        let score = match take(&SCORES) {
            None => None,
            Some(value) if value.as_str() == Some("") => None,
            Some(value) => match number(&value) {
                Some(score) => Some(score),
                None => {
                    let message = format!("the score {value} is no number");
                    return Err(FormatError::entry(self.place.as_str(), message));
                }
            },
        };
        let (id, class_id) = (self.whole(&IDS), self.whole(&CLASSES));
        let mut class = class_id.map(|(_, class)| class);
        let mut label = take(&LABELS);
        if let (Some(number), None) = (label.as_ref().and_then(Value::as_u64), class) {
            // "class": 3 is the number of a class.
            (class, label) = (Some(number), None);
        }
        // What is no number is no id, and stays with the region.
        used.extend([id, class_id].into_iter().flatten().map(|(name, _)| name));
        let label = label.map(|label| match label {
            Value::String(label) => label,
            other => other.to_string(),
        });
        let mut entry = Entry {
            id: id.map(|(_, id)| id),
            score,
            label,
            ..Entry::new(self.place, shape)
        };
        if let Some(class) = class {
            entry.extra.insert("category_id".to_owned(), class.into());
        }
        for (name, key, value) in self.cells {
            if !used.contains(&name.as_str()) && !is_side(&name) && !value.is_null() {
                entry.extra.insert(key, value);
            }
        }
        Ok(entry)
    }
}

/// A number, or a text that is one.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_f64(),
    }
}

/// Ultralytics' outline: lists of all x and all y.
fn polygon(value: &Value) -> Option<Vec<f64>> {
    let list = |key: &str| -> Option<Vec<f64>> {
        let list = value.get(key)?.as_array()?;
        list.iter().map(Value::as_f64).collect()
    };
    let (x, y) = (list("x")?, list("y")?);
    let is_outline = x.len() == y.len() && x.len() >= 3;
    is_outline.then(|| x.into_iter().zip(y).flat_map(|(x, y)| [x, y]).collect())
}
