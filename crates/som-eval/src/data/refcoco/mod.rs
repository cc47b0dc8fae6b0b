//! RefCOCO, RefCOCO+, RefCOCOg (`refs(SPLIT_BY).p` and `instances.json`, as `refer.py` of
//! lichengunc/refer reads them) and gRefCOCO (`grefs(unc).json`).

mod pickle;
mod refs;
mod generalized;

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;

use self::refs::{Reference, Sentence};
use super::{
    Dataset, Kind, Place,
    coco::{Annotation, Image, by_id},
    files,
};
use crate::{Error, Protocol, Question, Result, Sample, Target, Truth};

/// `refs(SPLIT_BY).p` and who is asked first, where several are there.
const SPLIT_BY: [&str; 3] = ["unc", "umd", "google"];

#[derive(Deserialize)]
struct Instances {
    images: Vec<Image>,
    annotations: Vec<Annotation>,
}

/// Reads a pickle of references.
pub(super) fn read(place: &Place, data: &mut Dataset) -> Result<()> {
    let folder = folder(place);
    let names = SPLIT_BY.map(|by| format!("refs({by}).p"));
    let file = first_there(&folder, &names).ok_or_else(|| {
        let usual = if place.kind == Kind::RefCocoG { 1 } else { 0 };
        place.kind.missing(folder.join(&names[usual]))
    })?;
    let refs = refs::read(place.kind, &file, &mut data.problems)?;
    collect(place, &folder, &file, refs, Protocol::One, data)
}

/// Reads gRefCOCO, whose references mean none, one or several things.
pub(super) fn read_generalized(place: &Place, data: &mut Dataset) -> Result<()> {
    let folder = folder(place);
    let names = SPLIT_BY.map(|by| format!("grefs({by}).json"));
    let file =
        first_there(&folder, &names).ok_or_else(|| place.kind.missing(folder.join(&names[0])))?;
    let refs = generalized::read(place.kind, &file)?;
    collect(place, &folder, &file, refs, Protocol::Any, data)
}

/// The folder named, or the data set's own folder in it.
fn folder(place: &Place) -> PathBuf {
    let inner = place.folder.join(place.kind.name());
    if inner.is_dir() {
        inner
    } else {
        place.folder.clone()
    }
}

fn first_there(folder: &Path, names: &[String]) -> Option<PathBuf> {
    let mut paths = names.iter().map(|name| folder.join(name));
    paths.find(|path| path.is_file())
}

/// One sample an expression.
fn collect(
    place: &Place,
    folder: &Path,
    file: &Path,
    refs: Vec<Reference>,
    protocol: Protocol,
    data: &mut Dataset,
) -> Result<()> {
    let path = folder.join("instances.json");
    let read: Instances = files::json(place.kind, &path)?;
    let problems = &mut data.problems;
    let (images, image_places) = by_id(&path, "image", read.images, |i| i.id, problems);
    let (annotations, targets) = by_id(&path, "annotation", read.annotations, |a| a.id, problems);
    let annotated = Annotated {
        annotations,
        places: targets,
    };
    let inner = "images/mscoco/images/train2014";
    let above = format!("../{inner}");
    let photos = place.images_in(folder, &[inner, &above, "train2014", "../train2014"]);
    let wanted = place.split_or("val");
    let mut splits = BTreeSet::new();
    for reference in refs {
        let is_wanted = reference.split.contains(wanted);
        splits.insert(reference.split);
        if !is_wanted {
            continue;
        }
        let id = reference.ref_id;
        let mut wrong = |message: String| {
            problems.push(Error::malformed(file, format!("reference {id}"), message));
        };
        let image = image_places
            .get(&reference.image_id)
            .and_then(|&at| images.get(at));
        let Some(image) = image else {
            wrong(format!(
                "image {} is not in instances.json",
                reference.image_id
            ));
            continue;
        };
        let targets = match annotated.targets(&reference.ann_ids) {
            Ok(targets) => Arc::new(targets),
            Err(missing) => {
                wrong(format!("annotation {missing} is not in instances.json"));
                continue;
            }
        };
        for Sentence { id: sentence, text } in reference.sentences {
            data.samples.push(Sample {
                id: format!("{id}:{sentence}"),
                group: reference.image_id.to_string(),
                image: photos.join(&image.file_name),
                size: Some(image.size()),
                question: Question::Refer(text),
                truth: Truth::Targets {
                    targets: Arc::clone(&targets),
                    void: None,
                    protocol,
                },
                kinds: Vec::new(),
            });
        }
    }
    if !splits.iter().any(|split| split.contains(wanted)) {
        let there: Vec<&str> = splits.iter().map(String::as_str).collect();
        return Err(Error::Invalid(format!(
            "{}: there is no split {wanted:?} (there are: {})",
            file.display(),
            there.join(", ")
        )));
    }
    Ok(())
}

/// What expressions can mean.
struct Annotated {
    annotations: Vec<Annotation>,
    places: HashMap<u64, usize>,
}

impl Annotated {
    /// The things with these ids, or the first id that nothing has.
    fn targets(&self, ids: &[u64]) -> Result<Vec<Target>, u64> {
        ids.iter()
            .map(|id| {
                let annotation = self.places.get(id).and_then(|&at| self.annotations.get(at));
                let annotation = annotation.ok_or(*id)?;
                Ok(Target {
                    bbox: annotation.bbox,
                    // Without one the mask is empty, as LISA has it.
                    shape: Some(
                        annotation
                            .segmentation
                            .clone()
                            .unwrap_or(crate::Shape::Polygons(Vec::new())),
                    ),
                })
            })
            .collect()
    }
}
