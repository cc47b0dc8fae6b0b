//! What a run tells of one sample.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use som_core::{Mask, Region, Size};

use super::Trace;
use crate::{Rect, Shape};

/// What a run tells of one sample.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regions: Option<Vec<Found>>,
    /// Segments of the truth that got no mark, where the truth's own were to be marked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmarked: Vec<u64>,
    /// What was answered when the truth's own regions were marked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oracle: Option<Answer>,
    /// How it came about, as `som eval run` tells it. Nothing in it is scored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
}

/// How an answer could be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answer {
    /// Boxes of what is meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub boxes: Vec<Rect>,
    /// Masks of what is meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub masks: Vec<Shape>,
    /// Points, as (x, y).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<[f64; 2]>,
    /// The name of each mark, by the id of the truth's segment; null if it got none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, Option<String>>,
    /// What each phrase means.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phrases: Vec<PhraseAnswer>,
    /// For each frame by its name, the mask of each object by its number.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub frames: BTreeMap<String, BTreeMap<u32, Shape>>,
}

/// What a phrase means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhraseAnswer {
    /// Its words.
    pub phrase: String,
    /// The boxes of its marks, the first one first.
    pub boxes: Vec<Rect>,
}

/// A region that the segmenter cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// Its pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<Shape>,
    /// Its box; that of the mask if it is not said.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    pub bbox: Option<Rect>,
    /// What its mark was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// False if it got no mark.
    #[serde(default = "is_marked")]
    pub marked: bool,
}

const fn is_marked() -> bool {
    true
}

impl Reading {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Nothing => "nothing",
            Self::TooMuch => "too_much",
            Self::Unreadable => "unreadable",
        }
    }
}

impl Outcome {
    /// True if there is no answer because something went wrong on the way.
    pub fn has_failed(&self) -> bool {
        let trace = self.trace.as_ref();
        trace.is_some_and(|trace| trace.failure.is_some())
    }
}

impl Answer {
    /// That these regions are meant. A box is not taken for a mask.
    pub fn of<'a>(regions: impl Iterator<Item = &'a Region> + Clone) -> Self {
        let masks = regions.clone().filter(|region| !region.is_box());
        Self {
            boxes: regions.map(Rect::from).collect(),
            masks: masks.map(|region| (&region.mask).into()).collect(),
            ..Self::default()
        }
    }

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
    /// A region that got a mark, without a name. A box is not taken for a mask.
    pub fn of(region: &Region) -> Self {
        let is_box = region.is_box();
        Self {
            mask: (!is_box).then(|| (&region.mask).into()),
            bbox: is_box.then(|| region.into()),
            name: None,
            marked: true,
        }
    }

    /// The same with a name, and with pixels even of a box: names are held against segments.
    pub fn named(region: &Region, name: Option<String>) -> Self {
        Self {
            mask: Some((&region.mask).into()),
            name,
            ..Self::of(region)
        }
    }

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
