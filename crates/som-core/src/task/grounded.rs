//! What comes out of an answer.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::ground::{Mention, Status};

/// An answer, tied to the regions it speaks of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Grounded {
    /// Every place of the answer that names a mark, in order.
    pub mentions: Vec<Mention>,
    /// What the task asked for, one by one; nothing for a free question.
    pub findings: Vec<Finding>,
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

    /// The answer says nothing.
    pub(super) const MISSING: Self = Self {
        marks: Vec::new(),
        status: Status::Unknown,
    };

    /// All that `mentions` name; `None` if there are none.
    pub(super) fn by<'a>(mentions: impl IntoIterator<Item = &'a Mention>) -> Option<Self> {
        mentions.into_iter().fold(None, |named, mention| {
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
