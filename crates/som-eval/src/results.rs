//! What a run found: JSON lines by `schemas/results.schema.json`, one a sample.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

use serde::Deserialize;
use som_core::{Mask, Size};

use crate::{Error, Rect, Result, Shape};

/// The JSON Schema of a line.
pub const SCHEMA: &str = include_str!("../schemas/results.schema.json");

/// What a run tells of one sample.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The sample's id.
    pub sample: String,
    /// What was answered; empty if nothing was found to be meant.
    #[serde(default)]
    pub answer: Answer,
    /// How the answer could be read.
    #[serde(default)]
    pub reading: Reading,
    /// What the segmenter cut; `None` if the run does not tell.
    pub regions: Option<Vec<Found>>,
    /// Segments of the truth that got no mark, where the truth's own were to be marked.
    #[serde(default)]
    pub unmarked: Vec<u64>,
    /// What was answered when the truth's own regions were marked.
    pub oracle: Option<Answer>,
}

/// How an answer could be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// It said what is meant (or that nothing is).
    #[default]
    Read,
    /// It named nothing.
    Nothing,
    /// It named more than was asked for.
    TooMuch,
    /// It could not be read, or did not come.
    Unreadable,
}

/// An answer, as far as the task asks for it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answer {
    /// Boxes of what is meant.
    pub boxes: Vec<Rect>,
    /// Masks of what is meant.
    pub masks: Vec<Shape>,
    /// Points, as (x, y).
    pub points: Vec<[f64; 2]>,
    /// The name of each mark, by the id of the truth's segment; null if it got none.
    pub names: BTreeMap<String, Option<String>>,
    /// What each phrase means.
    pub phrases: Vec<PhraseAnswer>,
    /// For each frame by its name, the mask of each object by its number.
    pub frames: BTreeMap<String, BTreeMap<u32, Shape>>,
}

/// What a phrase means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhraseAnswer {
    /// Its words.
    pub phrase: String,
    /// The boxes of its marks, the first one first.
    pub boxes: Vec<Rect>,
}

/// A region that the segmenter cut.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// Its pixels.
    pub mask: Option<Shape>,
    /// Its box; that of the mask if it is not said.
    #[serde(rename = "box")]
    pub bbox: Option<Rect>,
    /// What its mark was named.
    pub name: Option<String>,
    /// False if it got no mark.
    #[serde(default = "is_marked")]
    pub marked: bool,
}

const fn is_marked() -> bool {
    true
}

impl Answer {
    /// All masks together.
    ///
    /// # Errors
    /// Invalid, if one is malformed or of another size.
    pub fn mask(&self, size: Size) -> som_core::Result<Mask> {
        let mut all: Option<Mask> = None;
        for shape in &self.masks {
            let mask = shape.mask(size)?;
            all = Some(match all {
                Some(all) => all.union(&mask),
                None => mask.into_owned(),
            });
        }
        Ok(all.unwrap_or(Mask::empty(size)))
    }

    /// True if it has boxes whose numbers are none.
    pub fn unsound_box(&self) -> Option<Rect> {
        let phrases = self.phrases.iter().flat_map(|phrase| &phrase.boxes);
        self.boxes
            .iter()
            .chain(phrases)
            .find(|rect| !rect.is_sound())
            .copied()
    }
}

impl Found {
    /// Its box, or that of its mask; `None` if it has neither.
    ///
    /// # Errors
    /// Invalid, if the mask is malformed or of another size.
    pub fn rect(&self, size: Option<Size>) -> som_core::Result<Option<Rect>> {
        match (self.bbox, &self.mask) {
            (Some(rect), _) => Ok(Some(rect)),
            (None, Some(shape)) => {
                let size = match (size, shape) {
                    (Some(size), _) => size,
                    (None, Shape::Rle(rle)) => rle.image_size(),
                    (None, _) => return Ok(None),
                };
                let mask = shape.mask(size)?;
                Ok((!mask.is_empty()).then(|| mask.bbox().into()))
            }
            (None, None) => Ok(None),
        }
    }
}

/// The lines of a file, one after the other: its line, and what it says.
///
/// # Errors
/// [`Error::Unreadable`], if there is no such file. Of the items: [`Error::Malformed`], for a line
/// that is no outcome; the others go on.
pub fn read(path: &Path) -> Result<impl Iterator<Item = (usize, Result<Outcome>)>> {
    let unreadable = |source| Error::Unreadable {
        path: path.to_owned(),
        source,
    };
    let lines = BufReader::new(File::open(path).map_err(unreadable)?).lines();
    let mut is_over = false;
    let next = move |(index, line): (usize, io::Result<String>)| {
        if is_over {
            return None;
        }
        let number = index + 1;
        let outcome = match line {
            Ok(line) if line.trim().is_empty() => return Some(None),
            Ok(line) => serde_json::from_str(&line).map_err(|error| error.to_string()),
            Err(error) => {
                // Behind what is not UTF-8 there may be more lines; else nothing more can be read.
                is_over = error.kind() != io::ErrorKind::InvalidData;
                Err(error.to_string())
            }
        };
        let wrong = |why| Error::malformed(path, format!("line {number}"), why);
        Some(Some((number, outcome.map_err(wrong))))
    };
    Ok(lines.enumerate().map_while(next).flatten())
}
