//! COCO instances: one sample an image, whose segments are its annotations.

use std::sync::Arc;

use serde::Deserialize;

use super::{
    File,
    annotations::{Annotation, Categories, Category, Image, by_id},
};
use crate::{
    Error, Question, Result, Sample, Segment, Segments, Truth,
    data::{Dataset, Place, files},
};

#[derive(Deserialize)]
struct Instances {
    images: Vec<Image>,
    annotations: Vec<Annotation>,
    categories: Vec<Category>,
}

/// Reads `annotations/instances_SPLIT.json`.
pub(in crate::data) fn read(place: &Place, data: &mut Dataset) -> Result<()> {
    let file = File::find(place, "instances_", |_| true)?;
    let read: Instances = files::json(place.kind, &file.path)?;
    let folder = file.images(place);
    let categories = Categories::new(read.categories);
    let vocabulary = categories.vocabulary();
    let problems = &mut data.problems;
    let (images, places) = by_id(&file.path, "image", read.images, |i| i.id, problems);
    let (annotations, _) = by_id(
        &file.path,
        "annotation",
        read.annotations,
        |a| a.id,
        problems,
    );
    let mut segments: Vec<Vec<Segment>> = images.iter().map(|_| Vec::new()).collect();
    for annotation in annotations {
        let id = annotation.id;
        let mut wrong = |message: String| {
            problems.push(Error::malformed(
                &file.path,
                format!("annotation {id}"),
                message,
            ));
        };
        let segments = places
            .get(&annotation.image_id)
            .and_then(|&at| segments.get_mut(at));
        match (segments, categories.get(annotation.category_id)) {
            (None, _) => wrong(format!("image {} is not listed", annotation.image_id)),
            (_, None) => wrong(format!("category {} is not listed", annotation.category_id)),
            (Some(segments), Some(names)) => segments.push(Segment {
                id,
                names,
                shape: Some(
                    annotation
                        .segmentation
                        .unwrap_or(crate::Shape::Polygons(Vec::new())),
                ),
                is_crowd: annotation.iscrowd != 0,
            }),
        }
    }
    data.samples = images
        .into_iter()
        .zip(segments)
        .map(|(image, segments)| Sample {
            id: image.id.to_string(),
            group: image.id.to_string(),
            image: folder.join(&image.file_name),
            size: Some(image.size()),
            question: Question::Names {
                vocabulary: Arc::clone(&vocabulary),
            },
            truth: Truth::Segments(Segments::Listed(segments)),
            kinds: Vec::new(),
        })
        .collect();
    data.notes.push(format!(
        "the vocabulary is that of {}: {} names",
        file.path.display(),
        vocabulary.len()
    ));
    Ok(())
}
