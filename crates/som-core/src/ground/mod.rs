//! answer → grounded spans: the marks an answer names, each tied to the bytes that name it.
//!
//! In this order, each stage a module: `envelope` (what was said, and what was only thought) →
//! `forms` (JSON, tables, lines, prose, tokens of places) → mentions (`names`, `places`) →
//! `polarity` (asserted, denied, taken back). What a task makes of them is the matter of
//! [`task`](crate::task). The words of languages are one table, `words`.
//!
//! Reading takes time in proportion to the answer's length, whatever is in it: a test reads many
//! shapes at two lengths, and another one ten megabytes.

pub(crate) mod envelope;
mod forms;
pub(crate) mod json;
mod names;
mod places;
mod polarity;
mod reader;
mod title;
pub(crate) mod words;

use std::{borrow::Cow, ops::Range};

use serde::{Deserialize, Serialize};

pub use self::envelope::Thought;
use self::forms::concluding;
pub(crate) use self::{
    envelope::Said,
    forms::{enumerators, scan, scan_bare},
    names::{Names, Setting, is_quantity, list_at},
    polarity::boxed,
    words::{Cues, Role},
};
use crate::{BBox, Point, scene::Scene};

/// A place of an answer that names marks, or says where one is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mention {
    /// Bytes of the answer.
    pub span: Range<usize>,
    /// Whether every name leads to exactly one mark.
    pub status: Status,
    /// Whether the answer stands by it.
    #[serde(default)]
    pub polarity: Polarity,
    /// Ids of the marks that are meant, in that order, without repeats; of an ambiguous name, all
    /// it may mean; of a range, all but those that are excepted.
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

/// Whether an answer stands by a [`Mention`]. Only what is asserted is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Polarity {
    /// `"It is [3]"`.
    #[default]
    Asserted,
    /// `"Not [3]"`, `"[3] is not red"`.
    Denied,
    /// `"It is [3]. Wait, it is [4]"`: taken back.
    Replaced,
    /// `"Larger than [3]"`: named for comparison.
    Compared,
    /// `"All but [3]"`.
    Excepted,
}

impl Polarity {
    /// Every polarity.
    pub const ALL: [Self; 5] = [
        Polarity::Asserted,
        Polarity::Denied,
        Polarity::Replaced,
        Polarity::Compared,
        Polarity::Excepted,
    ];

    /// The polarity's name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Polarity::Asserted => "asserted",
            Polarity::Denied => "denied",
            Polarity::Replaced => "replaced",
            Polarity::Compared => "compared",
            Polarity::Excepted => "excepted",
        }
    }
}

impl Mention {
    /// True if the answer stands by it.
    pub fn is_meant(&self) -> bool {
        self.polarity == Polarity::Asserted
    }
}

/// Where a box or point of an answer lies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// Index of the image in [`Scene::images`].
    pub image: usize,
    /// In pixels of the original image; of a polygon or mask, the box around it.
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
/// it answered is left out. Boxes and points are read if the scene has images, and lead to the
/// regions they fit best.
pub fn ground(answer: &str, scene: &Scene<'_>) -> Vec<Mention> {
    Read::of(answer, scene).mentions_in_answer()
}

/// The parts of `answer` that were thought, and not said.
pub fn thoughts(answer: &str) -> Vec<Thought> {
    Said::of(answer).thoughts
}

/// True for a number without brackets or a word that announces it: where all names are so, others may
/// be, too.
fn is_plain(text: &str, mention: &Mention) -> bool {
    /// A word that announces a name is not longer, in bytes.
    const NEAR: usize = 24;
    let before = text.get(..mention.span.start).unwrap_or("");
    let name = text.get(mention.span.clone()).unwrap_or("");
    let spaced = before.is_empty() || before.ends_with([' ', '\n']);
    let near = before.ceil_char_boundary(before.len().saturating_sub(NEAR));
    let word = before[near..].split_whitespace().last().unwrap_or("");
    let announced = words::at(word, 0, Role::Announces).is_some();
    spaced && !announced && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// True for "7, I think. …": the answer is given, and what follows explains it.
fn begins_with_all(text: &str, mentions: &[Mention]) -> bool {
    mentions.first().is_some_and(|first| {
        let lead = text.get(..first.span.start).unwrap_or("x");
        let rest = text.get(first.span.end..).unwrap_or("");
        lead.trim().is_empty() && rest.starts_with([',', '.', '!', ';'])
    })
}

/// An answer, read up to its mentions.
pub(crate) struct Read {
    pub(crate) said: Said,
    /// In order; their spans are bytes of what was said.
    pub(crate) mentions: Vec<Mention>,
    /// For each mention, whether it is named to say where something else is.
    pub(crate) beside: Vec<bool>,
    /// The mentions that are not meant because they only led to a conclusion, or are its reasons.
    passed: Vec<usize>,
    /// The JSON in it, in order.
    pub(crate) documents: Vec<json::Node>,
    pub(crate) cues: Cues,
}

impl Read {
    pub(crate) fn of(answer: &str, scene: &Scene<'_>) -> Self {
        let mut said = Said::of(answer);
        let names = Names::new(scene);
        let (mut mentions, documents) = scan(&said.text, &names, scene);
        let cues = Cues::of(&said.text);
        let last = concluding(&said.text, &names, &mentions).and_then(|(mention, begin)| {
            let end = mention.span.end;
            let next = mentions.partition_point(|other| other.span.end <= mention.span.start);
            let free = mentions
                .get(next)
                .is_none_or(|other| other.span.start >= end);
            if free {
                mentions.insert(next, mention);
            }
            Some(begin?..end)
        });
        let mut beside = polarity::assign(&said.text, &cues, &mut mentions);
        let meant = mentions.iter().any(Mention::is_meant);
        let more = mentions.iter().all(|mention| is_plain(&said.text, mention))
            && !begins_with_all(&said.text, &mentions);
        if (!meant || more)
            && documents.is_empty()
            && let Some(all) = scan_bare(&said.text, &names, scene, &cues)
        {
            mentions = all;
            beside = polarity::assign(&said.text, &cues, &mut mentions);
        }
        let mut passed = polarity::conclude(&said.text, &cues, &mut mentions, last);
        passed.extend(polarity::compare_reasons(&said.text, &cues, &mut mentions));
        let thoughts = documents
            .iter()
            .flat_map(|document| json::thoughts(document, &said.text));
        let thoughts: Vec<Thought> = thoughts
            .map(|span| Thought {
                span: said.in_answer(&span),
                closed: true,
            })
            .collect();
        said.thoughts.extend(thoughts);
        Self {
            said,
            mentions,
            beside,
            passed,
            documents,
            cues,
        }
    }

    /// The mentions as they are meant where several things are asked: a conclusion about one of them
    /// takes back nothing that was said of the others.
    pub(crate) fn mentions_on_the_way(&self) -> Cow<'_, [Mention]> {
        let mut mentions = Cow::Borrowed(&self.mentions[..]);
        for &index in &self.passed {
            mentions.to_mut()[index].polarity = Polarity::Asserted;
        }
        mentions
    }

    /// The mentions, their spans as bytes of the answer.
    pub(crate) fn mentions_in_answer(&self) -> Vec<Mention> {
        let moved = |mention: &Mention| Mention {
            span: self.said.in_answer(&mention.span),
            ..mention.clone()
        };
        self.mentions.iter().map(moved).collect()
    }
}
