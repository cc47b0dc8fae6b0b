//! answer → grounded spans: the marks an answer names, each tied to the bytes that name it.
//!
//! The answer is parsed, left to right, by a few forms of naming that models really use
//! (see the modules `forms` and `coordinates`); a number in running text is no mention. The time
//! it takes grows with the length of the answer alone, whatever is in it.

mod coordinates;
mod forms;
mod names;
mod reader;
mod snap;

use std::ops::Range;

use serde::{Deserialize, Serialize};

pub(crate) use self::names::{Names, Setting, is_quantity, list_at};
use self::{forms::Found, reader::Reader};
use crate::{BBox, Point, scene::Scene};

/// A place of an answer that names marks, or says where one is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mention {
    /// Bytes of the answer.
    pub span: Range<usize>,
    /// Whether every name leads to exactly one mark.
    pub status: Status,
    /// Ids of the marks that are meant, in that order, without repeats; of an ambiguous name, all
    /// it may mean.
    pub marks: Vec<u32>,
    /// Names that lead to no mark, without repeats; the first 64 of them.
    pub unresolved: Vec<String>,
    /// The box or point, if the mention is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

/// How well a [`Mention`] resolves; of several names the worst counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Every name leads to one mark; a box or point, to one region.
    Resolved,
    /// A name leads to several marks, such as those of two images; a box fits several regions.
    Ambiguous,
    /// A number beyond the marks there are; a box or point outside the image.
    OutOfRange,
    /// A name that no mark has; a box or point that fits no region.
    Unknown,
}

impl Status {
    /// The status's name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Resolved => "resolved",
            Status::Ambiguous => "ambiguous",
            Status::OutOfRange => "out_of_range",
            Status::Unknown => "unknown",
        }
    }
}

/// Where a box or point of an answer lies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// Index of the image in [`Scene::images`].
    pub image: usize,
    /// In pixels of the original image.
    #[serde(flatten)]
    pub shape: Shape,
    /// A box's intersection over union with the box of the region it is taken for, or of the one
    /// that comes closest; 0 if there is none. A point has 1 inside a region, else 0.
    pub iou: f64,
}

/// A box or a point, in pixels of the original image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A box.
    Box(BBox),
    /// A point.
    Point(Point),
}

/// The mentions of marks in `answer`, in order and without overlap; what the model thought before
/// it answered is left out. Boxes and points are read if
/// the scene has images, and lead to the regions they fit best.
pub fn ground(answer: &str, scene: &Scene<'_>) -> Vec<Mention> {
    let said = said(answer);
    moved(mentions_in(said, scene), answer.len() - said.len())
}

/// `answer` behind the thoughts it begins with: `<think>…</think>`, of which a template may have
/// written the opening tag.
pub(crate) fn said(answer: &str) -> &str {
    match answer.split_once("</think>") {
        Some((thought, said))
            if thought.trim_start().starts_with("<think>") || !thought.contains("<think>") =>
        {
            said
        }
        _ => answer,
    }
}

/// Mentions of a part of an answer as those of all of it.
pub(crate) fn moved(mut mentions: Vec<Mention>, by: usize) -> Vec<Mention> {
    for mention in &mut mentions {
        mention.span = mention.span.start + by..mention.span.end + by;
    }
    mentions
}

/// The mentions in what an answer says.
pub(crate) fn mentions_in(said: &str, scene: &Scene<'_>) -> Vec<Mention> {
    let names = Names::new(scene);
    let mut reader = Reader::new(said, &names, scene);
    let mut mentions = Vec::new();
    while !reader.rest().is_empty() {
        match forms::mention_at(&reader) {
            Found::Mention(mention) => {
                reader.advance(mention.span.end);
                mentions.push(mention);
            }
            Found::Mentions(several, end) => {
                reader.advance(end);
                mentions.extend(several);
            }
            Found::Skip(end) => reader.advance(end),
            Found::Nothing => reader.advance_char(),
        }
    }
    mentions
}
