//! COCO panoptic: one sample an image, whose segments are the colours of a PNG (panopticapi).

use std::{collections::HashSet, path::Path, sync::Arc};

use serde::Deserialize;

use super::{
    File,
    annotations::{Categories, Category, Image, by_id},
};
use crate::{
    Error, Question, Result, Sample, Segment, Segments, Truth,
    data::{Dataset, Place, files},
};

#[derive(Deserialize)]
struct Panoptic {
    images: Vec<Image>,
    annotations: Vec<Entry>,
    categories: Vec<Category>,
}

/// The segments of one image.
#[derive(Deserialize)]
struct Entry {
    image_id: u64,
    file_name: String,
    segments_info: Vec<Info>,
}

#[derive(Deserialize)]
struct Info {
    id: u64,
    category_id: u64,
    #[serde(default)]
    iscrowd: u8,
}

/// Reads `annotations/panoptic_SPLIT.json` and the PNGs in the folder of that name.
pub(in crate::data) fn read(place: &Place, data: &mut Dataset) -> Result<()> {
    let file = File::find(place, "panoptic_", |path| maps(path).is_dir())?;
    let read: Panoptic = files::json(place.kind, &file.path)?;
    let maps = maps(&file.path);
    if !maps.is_dir() {
        return Err(place.kind.missing(maps));
    }
    let folder = file.images(place);
    let categories = Categories::new(read.categories);
    let vocabulary = categories.vocabulary();
    let (images, places) = by_id(
        &file.path,
        "image",
        read.images,
        |i| i.id,
        &mut data.problems,
    );
    for entry in read.annotations {
        let id = entry.image_id;
        let mut wrong = |what: String, message: String| {
            let problem = Error::malformed(&file.path, format!("image {id}{what}"), message);
            data.problems.push(problem);
        };
        let Some(image) = places.get(&id).and_then(|&at| images.get(at)) else {
            wrong(String::new(), "is annotated, but not listed".to_owned());
            continue;
        };
        let mut seen = HashSet::new();
        let mut listed = Vec::with_capacity(entry.segments_info.len());
        for info in entry.segments_info {
            let what = format!(", segment {}", info.id);
            match categories.get(info.category_id) {
                _ if !seen.insert(info.id) => {
                    wrong(what, "the id occurs twice; the first one counts".to_owned());
                }
                None => wrong(what, format!("category {} is not listed", info.category_id)),
                Some(names) => listed.push(Segment {
                    id: info.id,
                    names,
                    shape: None,
                    is_crowd: info.iscrowd != 0,
                }),
            }
        }
        data.samples.push(Sample {
            id: id.to_string(),
            group: id.to_string(),
            image: folder.join(&image.file_name),
            size: Some(image.size()),
            question: Question::Names {
                vocabulary: Arc::clone(&vocabulary),
            },
            truth: Truth::Segments(Segments::Panoptic {
                map: maps.join(&entry.file_name),
                listed,
            }),
            kinds: Vec::new(),
        });
    }
    data.notes.push(format!(
        "the vocabulary is that of {}: {} names, things and stuff",
        file.path.display(),
        vocabulary.len()
    ));
    Ok(())
}

/// The folder of the PNGs: called as the JSON is, or `panoptic` as in panopticapi's samples.
fn maps(file: &Path) -> std::path::PathBuf {
    let usual = file.with_extension("");
    let sample = file.with_file_name("panoptic");
    if !usual.is_dir() && sample.is_dir() {
        sample
    } else {
        usual
    }
}
