//! An answer as the readers of tasks take it: what it says, and everything known of that.

use std::ops::Range;

use crate::{
    Scene,
    ground::{Cues, Mention, Names, Read, Role, boxed, json::Node},
};

/// What an answer says, or a part of it.
pub(super) struct Spoken<'a> {
    pub(super) text: &'a str,
    pub(super) mentions: &'a [Mention],
    /// For each mention, whether it is named to say where something else is.
    pub(super) beside: &'a [bool],
    pub(super) documents: &'a [Node],
    pub(super) cues: &'a Cues,
    pub(super) names: &'a Names,
    pub(super) scene: &'a Scene<'a>,
    /// The part of the text that is read.
    pub(super) part: Range<usize>,
}

impl<'a> Spoken<'a> {
    pub(super) fn new(
        read: &'a Read,
        mentions: &'a [Mention],
        names: &'a Names,
        scene: &'a Scene<'a>,
    ) -> Self {
        Self {
            text: &read.said.text,
            mentions,
            beside: &read.beside,
            documents: &read.documents,
            cues: &read.cues,
            names,
            scene,
            part: 0..read.said.text.len(),
        }
    }

    /// The same of a part of what is read.
    pub(super) fn part(&self, part: Range<usize>) -> Self {
        let first = self.mentions.partition_point(|m| m.span.start < part.start);
        let last = self.mentions.partition_point(|m| m.span.start < part.end);
        Self {
            mentions: self.mentions.get(first..last).unwrap_or(&[]),
            beside: self.beside.get(first..last).unwrap_or(&[]),
            part,
            ..*self
        }
    }

    /// The mentions that are meant.
    pub(super) fn meant(&self) -> impl Iterator<Item = &'a Mention> {
        self.mentions.iter().filter(|mention| mention.is_meant())
    }

    /// The bytes of `range`, whatever its ends are.
    pub(super) fn get(&self, range: Range<usize>) -> &'a str {
        self.text.get(range).unwrap_or("")
    }

    /// True if `range` says that something is not there.
    pub(super) fn says_none(&self, range: Range<usize>) -> bool {
        let mut cues = self.cues.all(range.clone(), Role::None);
        // Who sees no image says nothing of what is in it.
        cues.any(|cue| cue.end <= range.end.max(cue.start)) && !self.cues.any(range, Role::Blind)
    }

    /// What the answer comes down to: what stands behind its last "answer", or in a box or tag
    /// for it.
    pub(super) fn verdict(&self) -> Option<Range<usize>> {
        if let Some(part) = boxed(self.text, self.part.clone()) {
            return Some(part);
        }
        let last = self
            .cues
            .all(self.part.clone(), Role::Answers)
            .rfind(|cue| self.opens_verdict(cue.start, cue.end))?;
        // What stands in its line; where that is nothing, in those below.
        let rest = self.get(last.end..self.part.end);
        let line = rest.find('\n').unwrap_or(rest.len());
        let says = rest[..line].contains(char::is_alphanumeric);
        let end = if says { last.end + line } else { self.part.end };
        Some(last.start..end)
    }

    /// True for "Answer:" and "The answer is", and for "So" at the start of a sentence that names
    /// a mark.
    fn opens_verdict(&self, start: usize, end: usize) -> bool {
        /// "The answer" is not followed by much else before its verb.
        const NEAR: usize = 40;
        let after = self.get(end..self.part.end);
        let after = after.trim_start_matches(['*', '_', ' ', '`', '"']);
        if after.starts_with([':', '-', '–', '=', '>', '\n']) {
            return true;
        }
        let before = self.get(self.part.start..start);
        let begins = before.trim_end_matches([' ', '*', '#', '_', '"']);
        let begins = begins.is_empty() || begins.ends_with(['.', '\n', '!', '?', ':', ';', ',']);
        let mut near = (end + NEAR).min(self.part.end);
        while !self.text.is_char_boundary(near) {
            near -= 1;
        }
        let says = self.cues.any(end..near, Role::Is);
        begins || says
    }
}
