//! COCO's object detection format: a dataset with `images`, `annotations` and `categories`, or a list
//! of results (cocodataset.org, "Data format" and "Results format"). Segmentations are RLE of either
//! kind or outlines; where there is none, the box counts. Annotations are read one after another, and
//! only those of the image are kept.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use som_core::Size;

use super::{
    Target,
    gathering::{Entry, Gathering},
    segmentation::Segmentation,
    which,
};
use crate::{FormatError, json};

/// Everything but the annotations.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    images: Vec<Image>,
    #[serde(default)]
    categories: Vec<Category>,
}

/// Ids are numbers in COCO, but names where others write the format.
#[derive(Deserialize)]
struct Image {
    id: Value,
    #[serde(default)]
    file_name: String,
    width: Option<u32>,
    height: Option<u32>,
}

#[derive(Deserialize)]
struct Category {
    id: i64,
    name: String,
    #[serde(default)]
    supercategory: Option<String>,
}

#[derive(Deserialize)]
struct Annotation {
    id: Option<u64>,
    /// The number of the mark, which som writes beside the id.
    mark_id: Option<u64>,
    image_id: Option<Value>,
    category_id: Option<i64>,
    segmentation: Option<Segmentation>,
    bbox: Option<[f64; 4]>,
    score: Option<f64>,
    #[serde(default)]
    iscrowd: u8,
}

pub(super) fn read(
    bytes: &[u8],
    target: &Target<'_>,
    gathering: &mut Gathering,
) -> Result<(), FormatError> {
    if bytes.trim_ascii_start().starts_with(b"[") {
        let wanted = result_image(bytes, target, gathering)?;
        return annotations(bytes, None, &wanted, &BTreeMap::new(), gathering);
    }
    let Head { images, categories } = json::read(bytes)?;
    if images.len() > 1 {
        gathering.tells_images_apart();
    }
    let names: Vec<&str> = images
        .iter()
        .map(|image| image.file_name.as_str())
        .collect();
    let index = which::choose(target.name, &names)?;
    let image = &images[index.unwrap_or(0)];
    if index.is_none() && !target.name.is_empty() {
        gathering.note(format!("the regions are those of {}", image.file_name));
    }
    if let (Some(width), Some(height)) = (image.width, image.height) {
        gathering.check_size("its entry", Size::new(width, height))?;
    }
    let categories = categories.into_iter();
    let categories = categories
        .filter(|category| !is_nameless(category))
        .map(|category| (category.id, category.name))
        .collect();
    let wanted = text(&image.id);
    annotations(bytes, Some("annotations"), &wanted, &categories, gathering)
}

/// True for the category under which som writes regions without a class.
fn is_nameless(category: &Category) -> bool {
    category.name == crate::write::coco::NAMELESS
        && category.supercategory.as_deref() == Some(crate::write::coco::NAMELESS)
}

/// Adds the annotations of the image whose id is `wanted`.
fn annotations(
    bytes: &[u8],
    key: Option<&str>,
    wanted: &str,
    categories: &BTreeMap<i64, String>,
    gathering: &mut Gathering,
) -> Result<(), FormatError> {
    let list = key.unwrap_or_default();
    json::each(bytes, key, |index, annotation: Annotation| {
        if annotation.image_id.as_ref().map(text).as_deref() != Some(wanted) {
            return Ok(());
        }
        let place = match annotation.id {
            Some(id) => format!("{list}[{index}] (id {id})"),
            None => format!("{list}[{index}]"),
        };
        let shape = Segmentation::shape(annotation.segmentation, annotation.bbox);
        let Some(shape) = shape else {
            return Err(FormatError::entry(
                place,
                "has neither segmentation nor bbox",
            ));
        };
        let mut entry = Entry {
            id: annotation.mark_id.or(annotation.id),
            score: annotation.score,
            ..Entry::new(place, shape)
        };
        if let Some(id) = annotation.category_id {
            entry.label = categories.get(&id).cloned();
            entry.extra.insert("category_id".to_owned(), id.into());
        }
        if annotation.iscrowd != 0 {
            entry.extra.insert("iscrowd".to_owned(), true.into());
        }
        gathering.add(entry)
    })
}

/// The id under which a list of results has the image: the name of its file or the number at its end,
/// as COCO names its images; or the only one that there is.
fn result_image(
    bytes: &[u8],
    target: &Target<'_>,
    gathering: &mut Gathering,
) -> Result<String, FormatError> {
    #[derive(Deserialize)]
    struct OfImage {
        image_id: Value,
    }
    let mut ids = BTreeSet::new();
    json::each(bytes, None, |_, result: OfImage| {
        ids.insert(text(&result.image_id));
        Ok(())
    })?;
    if ids.len() > 1 {
        gathering.tells_images_apart();
    }
    let stem = which::stem(target.name);
    let digits = stem.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |last| {
        last + stem[last..].chars().next().map_or(1, char::len_utf8)
    });
    let number = stem[digits..]
        .parse::<u64>()
        .map(|number| number.to_string());
    let names = [
        Some(target.name.to_owned()),
        Some(which::file(target.name).to_owned()),
        Some(stem.to_owned()),
        number.ok(),
    ];
    let known = names.into_iter().flatten().find(|name| ids.contains(name));
    if let Some(id) = known {
        return Ok(id);
    }
    match ids.len() {
        1 => Ok(ids.into_iter().next().unwrap_or_default()),
        _ => {
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            Err(FormatError::NoImage {
                message: format!(
                    "has no results for {}: no image_id is its name or the number in it (it has {})",
                    target.name,
                    which::some(&ids)
                ),
            })
        }
    }
}

/// An id as text, so that 7 and "7" are one.
fn text(id: &Value) -> String {
    match id {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
