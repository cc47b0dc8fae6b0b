//! ReasonSeg: `SPLIT/STEM.jpg` with `STEM.json` beside it (dvlab-research/LISA,
//! `utils/data_processing.py`).

mod cp1252;
mod paint;

use std::{path::Path, sync::Arc};

use image::ImageReader;
use serde::Deserialize;
use som_core::{Mask, Size};

use super::{Dataset, Kind, Place, files};
use crate::{Error, Protocol, Question, Result, Sample, Shape, Target, Truth};

#[derive(Deserialize)]
struct Annotation {
    text: Vec<String>,
    shapes: Vec<Outline>,
}

#[derive(Deserialize)]
struct Outline {
    label: String,
    points: Vec<[f64; 2]>,
}

/// One sample an image, asked with the first of its texts, as LISA's validation does.
pub(super) fn read(place: &Place, data: &mut Dataset) -> Result<()> {
    let folder = place.folder.join(place.split_or("val"));
    let found = files::listed(Kind::ReasonSeg, &folder, |name| name.ends_with(".json"))?;
    if found.is_empty() {
        return Err(Kind::ReasonSeg.missing(folder.join("*.json")));
    }
    let photos = place.images.clone().unwrap_or_else(|| folder.clone());
    for (name, path) in found {
        let stem = name.strip_suffix(".json").unwrap_or(&name);
        match sample(stem, &path, &photos.join(format!("{stem}.jpg"))) {
            Ok(sample) => data.samples.push(sample),
            Err(error) => data.problems.push(error),
        }
    }
    Ok(())
}

fn sample(stem: &str, path: &Path, image: &Path) -> Result<Sample> {
    let text = cp1252::text(files::bytes(Kind::ReasonSeg, path)?);
    let Annotation { text, shapes } = serde_json::from_str(&text)
        .map_err(|error| Error::malformed(path, format!("line {}", error.line()), error))?;
    let question = text.into_iter().next();
    let question = question.ok_or_else(|| Error::malformed(path, "text", "holds no question"))?;
    let size = size(image)?;
    let [target, void] = masks(size, &shapes)
        .map_err(|(index, why)| Error::malformed(path, format!("shape {index}"), why))?;
    let target = Target {
        bbox: (!target.is_empty()).then(|| target.bbox().into()),
        shape: Some(Shape::Pixels(target)),
    };
    Ok(Sample {
        id: stem.to_owned(),
        group: stem.to_owned(),
        image: image.to_owned(),
        size: Some(size),
        question: Question::Refer(question),
        truth: Truth::Targets {
            targets: Arc::new(vec![target]),
            void: (!void.is_empty()).then_some(Shape::Pixels(void)),
            protocol: Protocol::Reasoning,
        },
        kinds: Vec::new(),
    })
}

/// The size of the pixels in the file: outlines are drawn on those, whatever its orientation.
fn size(image: &Path) -> Result<Size> {
    if !image.is_file() {
        return Err(Kind::ReasonSeg.missing(image));
    }
    let read = ImageReader::open(image).and_then(ImageReader::with_guessed_format);
    let reader = read.map_err(|source| Error::Unreadable {
        path: image.to_owned(),
        source,
    })?;
    let (width, height) = reader
        .into_dimensions()
        .map_err(|error| Error::malformed(image, "image", error))?;
    let size = Size::new(width, height);
    size.check()
        .map_err(|error| Error::malformed(image, "image", error))?;
    Ok(size)
}

/// The target and what is void, painted over one another from the largest shape to the smallest.
fn masks(size: Size, shapes: &[Outline]) -> Result<[Mask; 2], (usize, String)> {
    let mut painted = Vec::with_capacity(shapes.len());
    for (index, shape) in shapes.iter().enumerate() {
        let label = shape.label.to_lowercase();
        if label == "flag" {
            continue;
        }
        let mask = paint::polygon(size, &shape.points).map_err(|why| (index, why))?;
        painted.push((label.contains("ignore"), mask));
    }
    painted.sort_by_key(|(_, mask)| std::cmp::Reverse(mask.area()));
    let (mut target, mut void) = (Mask::empty(size), Mask::empty(size));
    for (is_void, mask) in painted {
        let (over, under) = if is_void {
            (&mut void, &mut target)
        } else {
            (&mut target, &mut void)
        };
        *over = over.union(&mask);
        *under = under.difference(&mask);
    }
    Ok([target, void])
}
