//! answer → grounded spans: the marks an answer names, each tied to the bytes that name it.
//!
//! The answer is parsed, left to right, by a few forms of naming that models really use
//! (see the module `forms`); a number in running text is no mention.

mod forms;
mod names;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::mark::Mark;
use names::Names;

/// A place of an answer that names marks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// Bytes of the answer.
    pub span: Range<usize>,
    /// Whether every name leads to exactly one mark.
    pub status: Status,
    /// Ids of the marks that are named, in that order, without repeats; of an ambiguous name, all
    /// it may mean.
    pub marks: Vec<u32>,
    /// Names that lead to no mark.
    pub unresolved: Vec<String>,
}

/// How well a [`Mention`] resolves; of several names the worst counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Every name leads to one mark.
    Resolved,
    /// A name leads to several marks, such as those of two images.
    Ambiguous,
    /// A number beyond the marks there are.
    OutOfRange,
    /// A name that no mark has.
    Unknown,
}

/// A mark as answers may name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nameable {
    /// The mark's id, as mentions give it.
    pub id: u32,
    /// Its text: "7", "C". Letter case does not matter.
    pub text: String,
}

impl Nameable {
    /// A mark under its own text.
    pub fn new(id: u32, mark: &Mark) -> Self {
        Self {
            id,
            text: mark.text.clone(),
        }
    }
}

/// The mentions of `marks` in `answer`, in order and without overlap.
pub fn ground(answer: &str, marks: &[Nameable]) -> Vec<Mention> {
    let names = Names::new(marks);
    let mut mentions = Vec::new();
    let mut at = 0;
    while at < answer.len() {
        match forms::mention_at(answer, at, &names) {
            forms::Found::Mention(mention) => {
                at = mention.span.end;
                mentions.push(mention);
            }
            forms::Found::Skip(end) => at = end,
            forms::Found::Nothing => at += char_len(answer, at),
        }
    }
    mentions
}

fn char_len(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(1, char::len_utf8)
}
