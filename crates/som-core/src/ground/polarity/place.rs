//! A mention, and what its sentence says before and behind it.

use std::ops::Range;

use super::{
    NEAR,
    sentence::{floor, sentence_end, sentence_start},
};
use crate::ground::{
    Mention, Polarity,
    words::{self, Cue, Cues, Role},
};

/// Where a mention stands in its sentence.
pub(super) struct Place<'a> {
    pub(super) text: &'a str,
    pub(super) cues: &'a Cues,
    pub(super) before: Range<usize>,
    /// Up to the next mention, or the end of the sentence.
    pub(super) after: Range<usize>,
    /// True if another mention follows in the sentence.
    pub(super) is_followed: bool,
    /// True if the next sentence begins with "however" and the like.
    pub(super) is_turned: bool,
    /// True if the sentence before begins with a mark, too: each is said to be something.
    is_listed: bool,
}

impl<'a> Place<'a> {
    pub(super) fn new(text: &'a str, cues: &'a Cues, mentions: &[Mention], index: usize) -> Self {
        let span = &mentions[index].span;
        let last = index.checked_sub(1).map(|last| &mentions[last]);
        let start = last.map_or(0, |last| last.span.end);
        let start = floor(text, start.max(span.start.saturating_sub(NEAR)));
        let next = mentions
            .get(index + 1)
            .map_or(text.len(), |next| next.span.start);
        let end = floor(text, next.min(span.end + NEAR)).max(span.end);
        let sentence = sentence_end(text, span.end..end);
        let turn = text[sentence..].trim_start_matches(['.', '!', '?', ' ', '\n', ';', '。']);
        let is_turned = words::at(turn, 0, Role::Contrasts).is_some()
            && sentence < next
            && words::at(turn, 0, Role::Because).is_none();
        let is_listed = last.is_some_and(|last| {
            let begin = floor(text, last.span.start.saturating_sub(NEAR));
            let begin = sentence_start(text, begin..last.span.start);
            let lead = &text[begin..last.span.start];
            is_function(lead)
        });
        Self {
            text,
            cues,
            before: sentence_start(text, start..span.start)..span.start,
            after: span.end..sentence,
            is_followed: sentence == next && next < text.len(),
            is_turned,
            is_listed,
        }
    }

    /// What the mention is, if something else is meant.
    pub(super) fn polarity(&self) -> Option<Polarity> {
        if self.is_guessed() {
            return Some(Polarity::Replaced);
        }
        let other = self.is_dismissed() || self.is_renamed() || self.turns_out();
        let denied = self.is_granted()
            || self.lacks()
            || self.is_disqualified()
            || self.is_alike() && self.is_subject()
            || self.is_dismissed() && self.is_told_behind() && self.is_subject()
            || other && self.is_subject() && !self.is_listed && !self.is_followed;
        denied.then_some(Polarity::Denied)
    }

    /// "[5] is right — [3] is its reflection": what is said of it goes on from what is meant.
    pub(super) fn is_told_behind(&self) -> bool {
        let lead = self.get(self.before.clone()).trim_end_matches([' ', '*']);
        lead.ends_with(['—', '–']) && !self.is_followed
    }

    /// True if the sentence begins with the mention.
    pub(super) fn is_about(&self) -> bool {
        is_function(self.get(self.before.clone()))
    }

    pub(super) fn get(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or("")
    }

    /// A word of contrast behind the mention that gives no reason.
    pub(super) fn contrast(&self) -> Option<Cue> {
        self.contrasts().next()
    }

    pub(super) fn contrasts(&self) -> impl Iterator<Item = Cue> {
        let contrasts = self.cues.all(self.after.clone(), Role::Contrasts);
        contrasts.filter(|cue| !self.cues.any(cue.start..cue.start + 1, Role::Because))
    }

    /// The verb right behind the mention.
    pub(super) fn copula_behind(&self) -> Option<Cue> {
        let copula = self.cues.all(self.after.clone(), Role::Copula).next()?;
        let between = self.get(self.after.start..copula.start);
        (!between.contains(char::is_alphanumeric)).then_some(copula)
    }

    /// "[2] is the correct choice": the others are not.
    pub(super) fn is_chosen(&self) -> bool {
        self.is_about()
            && self.copula_behind().is_some_and(|verb| {
                let name = self.get(verb.end..self.after.end).trim_start();
                let end = words::at(name, 0, Role::Definite);
                end.is_some_and(|end| {
                    words::at(name[end..].trim_start(), 0, Role::Genuine).is_some()
                })
            })
    }

    /// True if a verb of any kind stands right behind the mention: "Only [8] fits".
    pub(super) fn is_told_of(&self) -> bool {
        let rest = self.get(self.after.clone());
        let verb = rest
            .trim_start_matches([']', '*', ')'])
            .trim_start_matches(' ');
        let lists = [Role::Joins, Role::Ranges]
            .iter()
            .any(|role| words::at(verb, 0, *role).is_some());
        verb.starts_with(char::is_alphabetic) && !lists
    }

    /// "It is a towel": what behind a pronoun says that it is something.
    pub(super) fn names_something(&self, clause: &str) -> bool {
        let pronoun = words::at(clause, 0, Role::Pronoun).unwrap_or(0);
        let (said, rest) = clause.split_at(pronoun);
        let rest = rest.trim_start_matches([' ', '\'', '’']);
        let verb = words::at(rest, 0, Role::Copula);
        let name = verb.map_or(rest, |end| rest[end..].trim_start());
        let glued = said.ends_with("'s") || said.ends_with("’s") || rest.starts_with("s ");
        let name = match name.strip_prefix("s ").filter(|_| glued) {
            Some(name) => name,
            None => name,
        };
        let article = words::at(name, 0, Role::Article);
        let indefinite = article.is_some() && words::at(name, 0, Role::Definite).is_none();
        // "But she has no kite"
        let bears = words::at(rest, 0, Role::Carries).filter(|_| pronoun > 0);
        let lacks_it =
            bears.is_some_and(|end| words::at(rest[end..].trim_start(), 0, Role::No).is_some());
        // "But no ball" says nothing of the mark.
        let lacks = words::at(name, 0, Role::No).is_some() && verb.is_none() && !glued;
        lacks_it
            || (verb.is_some() || glued) && indefinite
            || words::at(name, 0, Role::Denies).is_some() && !lacks
            || words::at(rest, 0, Role::Dismisses).is_some()
    }

    /// True if words of `role` stand right behind the mention.
    pub(super) fn near(&self, role: Role) -> bool {
        /// No more words stand between.
        const MOST: usize = 1;
        self.cues.all(self.after.clone(), role).any(|cue| {
            let between = self.get(self.after.start..cue.start);
            words::words(between).take(MOST + 1).count() <= MOST
                && !between.contains([',', ';', ':', '('])
        })
    }

    /// True if the sentence is about the mention: "the one at [2]".
    pub(super) fn is_subject(&self) -> bool {
        /// A subject has no more words.
        const MOST: usize = 6;
        let before = self.get(self.before.clone());
        // "[5] is right — [3] is its reflection"
        let before = before.rsplit(['—', '–']).next().unwrap_or(before);
        let start = self.before.end - before.len();
        let before = before.trim_end_matches([' ', ',', '*']);
        let short = words::words(before).take(MOST + 1).count() <= MOST;
        let verb = [Role::Is, Role::Answers, Role::Selects]
            .iter()
            .any(|role| self.cues.any(start..self.before.end, *role));
        short && !verb && !before.contains([':', ','])
    }
}

/// True if no word but one that announces a mark is in `lead`.
pub(super) fn is_function(lead: &str) -> bool {
    const ROLES: [Role; 3] = [Role::Announces, Role::Article, Role::Joins];
    words::is_made_of(lead, &ROLES)
}
