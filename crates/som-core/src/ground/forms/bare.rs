//! Bare numbers that are what an answer says, where nothing else in it is meant: "The search box is
//! 147", "Not 2 but 5", "Click on 8", `Bicycles: 2, 4`.
//!
//! A number is a name where a name may stand: at the start of a clause that goes on to say
//! something of it, behind a verb such as "is" or "click", or in a list under a heading. Where a
//! clause counts or measures, or announces something else, it is none.

use std::ops::Range;

use super::{headed::listed, letters::small_letters, list::List, reply::Reply};
use crate::ground::{
    Mention,
    names::{Names, Setting, list_at, skip},
    words::{self, Cue, Cues, Role},
};

/// A clause, and a list of names, are not longer, in bytes.
pub(super) const LONGEST: usize = 96;

/// An answer in which nothing is meant so far.
pub(super) struct Bare<'a> {
    pub(super) text: &'a str,
    pub(super) names: &'a Names,
    pub(super) cues: &'a Cues,
}

impl Bare<'_> {
    /// The names outside of `taken`, in order.
    pub(super) fn read(&self, taken: &[Mention]) -> Vec<Mention> {
        let mut listed = listed(self.text, self.names, self.cues);
        let is_taken = |span: &Range<usize>| {
            let next = taken.partition_point(|mention| mention.span.end <= span.start);
            taken
                .get(next)
                .is_some_and(|mention| mention.span.start < span.end)
        };
        listed.retain(|mention| !is_taken(&mention.span));
        if !listed.is_empty() {
            return listed;
        }
        let mut found = Vec::new();
        let mut taken = taken.iter().peekable();
        let mut from = 0;
        // Where the last names ended.
        let mut last = None;
        while let Some(at) = self.next_word(from) {
            while let Some(passed) = taken.next_if(|mention| mention.span.end <= at) {
                last = last.max(Some(passed.span.end));
            }
            if let Some(mention) = taken.peek().filter(|mention| mention.span.start <= at) {
                from = mention.span.end;
                continue;
            }
            // What is further off is not the same sentence.
            let near = last.filter(|last| at - last <= 2 * LONGEST);
            let next = taken
                .peek()
                .map_or(self.text.len(), |mention| mention.span.start);
            from = match self.named(at, near).filter(|list| list.span.end <= next) {
                Some(list) => {
                    let end = list.span.end;
                    last = Some(end);
                    found.push(list.reading.mention(list.span));
                    end
                }
                None => skip(self.text, at, |c| c.is_ascii_alphanumeric()),
            };
        }
        found
    }

    /// Where the next word begins that may be a name.
    fn next_word(&self, from: usize) -> Option<usize> {
        let mut from = from;
        loop {
            let found = self.text[from..].find(|c: char| c.is_ascii_alphanumeric())?;
            let at = from + found;
            let before = self.text[..at].chars().next_back();
            let apart = before.is_none_or(|c| {
                c.is_whitespace()
                    || matches!(
                        c,
                        '"' | '\'' | '*' | '(' | '`' | '“' | '„' | '«' | '—' | '–'
                    )
                    || words::is_unspaced(c)
                    || matches!(c, '，' | '。' | '、' | '：')
            });
            if apart && self.names.name_at(self.text, at).is_some() {
                return Some(at);
            }
            from = skip(self.text, at, |c| c.is_ascii_alphanumeric());
        }
    }

    /// The names at `at`, if they stand where names may; the last ones ended at `last`.
    fn named(&self, at: usize, last: Option<usize>) -> Option<List> {
        if let Some(list) = small_letters(self.text, at, self.names) {
            return Some(list);
        }
        let near = self.text.floor_char_boundary(at + LONGEST);
        let (mut reading, mut end) = list_at(&self.text[..near], at, self.names, Setting::Open)?;
        // "Not 3, 5" denies one, and says the other.
        if last.is_none()
            && reading.names == 2
            && let Some(first) = self
                .denied_alone(at, end)
                .or_else(|| self.begins_another(at, end))
        {
            (reading, end) = list_at(&self.text[..first], at, self.names, Setting::Open)?;
        }
        let written = self.text[at..end].trim_end_matches(|c: char| !c.is_alphanumeric());
        let span = at..at + written.len();
        let list = List { reading, span };
        let known = list.reading.resolves() && list.reading.misses() == 0;
        let reply = Reply {
            text: self.text,
            span: &list.span,
            last,
        };
        (known
            && !self.counts_something(list.span.end)
            && (self.is_said_instead(&list)
                || self.is_range(&list)
                || self.is_as_counted(&list, self.clause_before(list.span.start).start)
                || !self.measures(&list, last)
                    && (self.is_said(&list, last)
                        || reply.says_so()
                        || reply.is_of_something(self.cues))))
        .then_some(list)
    }

    /// True if the clause around a list says that its names are meant, or not meant.
    fn is_said(&self, list: &List, last: Option<usize>) -> bool {
        let clause = self.clause_of(list, last);
        let lead = self.cues.within(clause.clone());
        if self.is_chosen_behind(list, &clause) {
            return true;
        }
        let chosen = lead.iter().any(|cue| self.chooses(cue, list));
        if chosen {
            return self.ends_clause(list) || self.is_followed(list, |_| true);
        }
        let weak = lead.iter().any(|cue| {
            // "No es", "n'est pas", "id say"
            let other = |other: &Cue| {
                let does = [Role::Denies, Role::DeniesBehind, Role::Opinion].contains(&other.role);
                other.start == cue.start && does
            };
            cue.role == Role::Announces && !lead.iter().any(other)
        });
        let goes_on = |role: Role| {
            !matches!(
                role,
                Role::Ranges | Role::Article | Role::Announces | Role::Measures
            )
        };
        let ends = self.ends_clause(list) || self.is_followed(list, goes_on);
        if weak || !ends {
            return false;
        }
        let words = self.text.get(clause.clone()).unwrap_or("");
        if !words.contains(char::is_alphanumeric) {
            if last.is_some_and(|last| self.is_instead(last..clause.start))
                || last.is_none() && self.is_corrected(list)
                || last.is_some_and(|last| self.is_sentence(list, last))
                || self.is_headed(list, clause.start)
            {
                return true;
            }
            return self.begins(clause.start)
                && (self.is_followed(list, |role| {
                    matches!(role, Role::Copula | Role::DeniesBehind | Role::Instead)
                }) || self.text[list.span.end..].starts_with(['?', '"']));
        }
        self.is_function(&clause)
            || self.is_articled(list, &clause)
            || self.ends_with_copula(&clause, lead)
            || self.ends_with_verb(list, &clause)
            || last.is_some_and(|last| self.goes_on(list, last, &clause))
            || list.reading.names > 1 && self.is_noun(list, &clause, lead)
    }

    /// What stands before a list in its clause, behind the last names.
    pub(super) fn clause_of(&self, list: &List, last: Option<usize>) -> Range<usize> {
        let clause = self.clause_before(list.span.start);
        clause.start.max(last.unwrap_or(0))..clause.end
    }
}
