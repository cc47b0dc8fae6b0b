//! What a list of names leads to.

use std::{collections::HashSet, ops::Range};

use crate::ground::{Mention, Polarity, Status};

/// What a list of names leads to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    pub(super) marks: Vec<u32>,
    pub(super) known: HashSet<u32>,
    unresolved: Vec<String>,
    misses: usize,
    pub(super) worst: Option<Status>,
    /// Names read, the two ends of a range counted apart.
    pub(in crate::ground) names: usize,
}

impl Reading {
    pub(super) fn find(&mut self, id: u32) {
        if self.known.insert(id) {
            self.marks.push(id);
        }
    }

    pub(super) fn miss(&mut self, name: &str) {
        /// Enough to say what is wrong.
        const MOST: usize = 64;
        self.misses += 1;
        if self.unresolved.len() < MOST && !self.unresolved.iter().any(|other| other == name) {
            self.unresolved.push(name.to_owned());
        }
    }

    /// What several lists lead to together.
    pub(in crate::ground) fn all(readings: impl IntoIterator<Item = Self>) -> Self {
        readings
            .into_iter()
            .fold(Self::default(), |mut all, reading| {
                reading.marks.iter().for_each(|&id| all.find(id));
                reading.unresolved.iter().for_each(|name| all.miss(name));
                all.worst = all.worst.max(reading.worst);
                all.names += reading.names;
                all
            })
    }

    /// True if any name leads to a mark.
    pub(in crate::ground) fn resolves(&self) -> bool {
        !self.marks.is_empty()
    }

    /// Number of names that lead to no mark.
    pub(in crate::ground) fn misses(&self) -> usize {
        self.misses
    }

    pub(crate) fn mention(self, span: Range<usize>) -> Mention {
        Mention {
            span,
            status: self.worst.unwrap_or(Status::Unknown),
            polarity: Polarity::Asserted,
            marks: self.marks,
            unresolved: self.unresolved,
            location: None,
        }
    }
}
