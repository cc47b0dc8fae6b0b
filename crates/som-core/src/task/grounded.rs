//! What comes out of an answer.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::ground::{Mention, Status, Thought};

/// An answer, tied to the regions it speaks of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Grounded {
    /// Every place of the answer that names a mark, in order.
    pub mentions: Vec<Mention>,
    /// What the task asked for, one by one; nothing for a free question.
    pub findings: Vec<Finding>,
    /// The parts of the answer that were thought and not said, in order; nothing in them counts.
    #[serde(default)]
    pub thoughts: Vec<Thought>,
}

impl Grounded {
    /// Ids of the marks that are meant: by findings, and by mentions that the answer stands by.
    pub fn meant(&self) -> impl Iterator<Item = u32> {
        let mentions = self.mentions.iter().filter(|mention| mention.is_meant());
        let mentioned = mentions.flat_map(|mention| &mention.marks);
        let found = self.findings.iter().flat_map(|finding| &finding.marks);
        mentioned.chain(found).copied()
    }

    /// True if the answer broke off while the model thought: what it was to say is missing.
    pub fn broke_off_in_thought(&self) -> bool {
        self.thoughts.last().is_some_and(|thought| !thought.closed)
    }
}

/// How the name that an answer gives is found among those to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// It is written as it was given.
    Exact,
    /// It differs in case, articles, number, hyphens, spelling or the order of its words.
    Normalised,
    /// It is another word for the same.
    Synonym,
}

impl Match {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Match::Exact => "exact",
            Match::Normalised => "normalised",
            Match::Synonym => "synonym",
        }
    }
}

/// One thing that a task asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The name of what is in the region (`describe`), the expression (`refer`) or the phrase
    /// (`phrases`); empty for `track`.
    pub text: String,
    /// Where the phrase stands in the sentence that was given, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Range<usize>>,
    /// The mark of the first image that was looked for (`track`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u32>,
    /// Ids of the marks it means, without repeats; none if the answer says that there is none.
    pub marks: Vec<u32>,
    /// How well the answer says so: unknown, too, if it says nothing of it, or gives a name that
    /// is not among those to choose from.
    pub status: Status,
    /// How the name was found among those to choose from (`describe`).
    #[serde(default, rename = "match", skip_serializing_if = "Option::is_none")]
    pub matched: Option<Match>,
}

impl Finding {
    /// `text` means `marks`.
    pub(super) fn new(text: impl Into<String>, named: Named) -> Self {
        Self {
            text: text.into(),
            span: None,
            of: None,
            marks: named.marks,
            status: named.status,
            matched: None,
        }
    }

    /// True if `other` answers the same part of the task.
    pub(super) fn answers_as(&self, other: &Self, by_mark: bool) -> bool {
        if by_mark {
            return self.marks == other.marks;
        }
        (self.of, &self.span) == (other.of, &other.span)
            && (self.span.is_some() || self.text.eq_ignore_ascii_case(&other.text))
    }
}

/// Marks that a part of an answer names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) marks: Vec<u32>,
    pub(super) status: Status,
}

impl Named {
    /// The answer says that there is none.
    pub(super) const NONE: Self = Self {
        marks: Vec::new(),
        status: Status::Resolved,
    };

    /// Both together.
    pub(super) fn and(mut self, other: Self) -> Self {
        for id in other.marks {
            if !self.marks.contains(&id) {
                self.marks.push(id);
            }
        }
        self.status = self.status.max(other.status);
        self
    }

    /// The answer says nothing.
    pub(super) const MISSING: Self = Self {
        marks: Vec::new(),
        status: Status::Unknown,
    };

    /// All that those of `mentions` name which are meant; `None` if there are none.
    pub(super) fn by<'a>(mentions: impl IntoIterator<Item = &'a Mention>) -> Option<Self> {
        let meant = mentions.into_iter().filter(|mention| mention.is_meant());
        meant.fold(None, |named: Option<Self>, mention| {
            let mut named = named.unwrap_or(Self::NONE);
            for &id in &mention.marks {
                if !named.marks.contains(&id) {
                    named.marks.push(id);
                }
            }
            named.status = named.status.max(mention.status);
            Some(named)
        })
    }
}
