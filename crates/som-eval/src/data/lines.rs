//! Samples of one's own as JSON lines: `schemas/samples.schema.json`.

use std::{collections::HashMap, path::Path, sync::Arc};

use serde::Deserialize;
use som_core::Size;

use super::{Dataset, Kind, Place, files};
use crate::{
    Error, Phrase, Protocol, Question, Rect, Result, Sample, Segment, Segments, Shape, Target,
    Truth,
};

/// The JSON Schema of a line.
pub const SCHEMA: &str = include_str!("../../schemas/samples.schema.json");

/// One line.
#[derive(Deserialize)]
struct Line {
    id: String,
    /// From the folder of the file.
    image: String,
    /// What it hangs together with; its image if it is not said.
    group: Option<String>,
    /// Width and height.
    size: Option<[u32; 2]>,
    #[serde(default)]
    kinds: Vec<String>,
    #[serde(flatten)]
    task: Task,
}

#[derive(Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
enum Task {
    Describe {
        segments: Vec<Named>,
        #[serde(default)]
        vocabulary: Vec<String>,
    },
    Refer {
        expression: String,
        targets: Vec<Thing>,
        void: Option<Shape>,
    },
    Phrases {
        sentence: String,
        phrases: Vec<Marked>,
    },
    Click {
        instruction: String,
        #[serde(rename = "box")]
        bbox: Rect,
    },
}

#[derive(Deserialize)]
struct Named {
    id: u64,
    name: String,
    #[serde(default)]
    synonyms: Vec<String>,
    mask: Shape,
}

#[derive(Deserialize)]
struct Thing {
    #[serde(rename = "box")]
    bbox: Option<Rect>,
    mask: Option<Shape>,
}

#[derive(Deserialize)]
struct Marked {
    text: String,
    #[serde(default)]
    kinds: Vec<String>,
    boxes: Vec<Rect>,
}

/// One sample a line.
pub(super) fn read(place: &Place, data: &mut Dataset) -> Result<()> {
    let file = if place.folder.is_dir() {
        place
            .folder
            .join(format!("{}.jsonl", place.split_or("samples")))
    } else {
        place.folder.clone()
    };
    let text = files::text(Kind::Lines, &file)?;
    let beside = file.parent().unwrap_or(Path::new(""));
    let photos = place.images.as_deref().unwrap_or(beside);
    let mut vocabularies: HashMap<Vec<String>, Arc<Vec<String>>> = HashMap::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let read = serde_json::from_str(line).map_err(|error| error.to_string());
        match read.and_then(|line| sample(line, photos, &mut vocabularies)) {
            Ok(sample) => data.samples.push(sample),
            Err(why) => {
                let entry = format!("line {}", number + 1);
                data.problems.push(Error::malformed(&file, entry, why));
            }
        }
    }
    Ok(())
}

/// The sample, or what is wrong with the line.
fn sample(
    line: Line,
    photos: &Path,
    vocabularies: &mut HashMap<Vec<String>, Arc<Vec<String>>>,
) -> Result<Sample, String> {
    let size = line.size.map(|[width, height]| Size::new(width, height));
    let (question, truth) = match line.task {
        Task::Describe {
            segments,
            vocabulary,
        } => {
            let vocabulary = vocabularies
                .entry(vocabulary)
                .or_insert_with_key(|names| Arc::new(names.clone()));
            (
                Question::Names {
                    vocabulary: Arc::clone(vocabulary),
                },
                Truth::Segments(Segments::Listed(
                    segments.into_iter().map(segment).collect(),
                )),
            )
        }
        Task::Refer {
            expression,
            targets,
            void,
        } => (
            Question::Refer(expression),
            Truth::Targets {
                protocol: if targets.len() == 1 && void.is_none() {
                    Protocol::One
                } else {
                    Protocol::Any
                },
                targets: Arc::new(targets.into_iter().map(target).collect::<Result<_, _>>()?),
                void,
            },
        ),
        Task::Phrases { sentence, phrases } => (
            Question::Phrases { sentence },
            Truth::Phrases(phrases.into_iter().map(phrase).collect::<Result<_, _>>()?),
        ),
        Task::Click { instruction, bbox } => {
            (Question::Click(instruction), Truth::Click(sound(bbox)?))
        }
    };
    let has_masks = match &truth {
        Truth::Segments(_) => true,
        Truth::Targets { targets, .. } => targets.iter().any(|target| target.shape.is_some()),
        _ => false,
    };
    if has_masks && size.is_none() {
        return Err("size is missing: masks need [width, height] of the image".to_owned());
    }
    Ok(Sample {
        id: line.id,
        group: line.group.unwrap_or_else(|| line.image.clone()),
        image: photos.join(&line.image),
        size,
        question,
        truth,
        kinds: line.kinds,
    })
}

fn segment(named: Named) -> Segment {
    let mut names = vec![named.name];
    names.extend(named.synonyms);
    Segment {
        id: named.id,
        names: Arc::new(names),
        shape: Some(named.mask),
        is_crowd: false,
    }
}

fn target(thing: Thing) -> Result<Target, String> {
    if thing.bbox.is_none() && thing.mask.is_none() {
        return Err("a target has neither box nor mask".to_owned());
    }
    Ok(Target {
        bbox: thing.bbox.map(sound).transpose()?,
        shape: thing.mask,
    })
}

fn phrase(marked: Marked) -> Result<Phrase, String> {
    if marked.boxes.is_empty() {
        return Err(format!("the phrase {:?} has no box", marked.text));
    }
    Ok(Phrase {
        text: marked.text,
        types: marked.kinds,
        boxes: marked
            .boxes
            .into_iter()
            .map(sound)
            .collect::<Result<_, _>>()?,
    })
}

fn sound(rect: Rect) -> Result<Rect, String> {
    if rect.is_sound() {
        Ok(rect)
    } else {
        Err(format!(
            "{:?} is no box x, y, width, height",
            <[f64; 4]>::from(rect)
        ))
    }
}
