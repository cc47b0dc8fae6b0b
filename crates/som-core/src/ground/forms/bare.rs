//! Bare numbers that are what an answer says, where nothing else in it is meant: "The search box is
//! 147", "Not 2 but 5", "Click on 8", `Bicycles: 2, 4`.
//!
//! A number is a name where a name may stand: at the start of a clause that goes on to say
//! something of it, behind a verb such as "is" or "click", or in a list under a heading. Where a
//! clause counts or measures, or announces something else, it is none.

use std::ops::Range;

use super::{headed::listed, opinion::Opinion};
use crate::ground::{
    Mention,
    names::{Names, Reading, Setting, is_quantity, list_at, skip},
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

/// A list of names.
pub(super) struct List {
    pub(super) reading: Reading,
    pub(super) span: Range<usize>,
}

impl Bare<'_> {
    /// The names outside of `taken`, in order.
    pub(super) fn read(&self, taken: &[Mention]) -> Vec<Mention> {
        let listed = listed(self.text, self.names, self.cues);
        if !listed.is_empty() {
            return listed;
        }
        let mut found = Vec::new();
        let mut taken = taken.iter().peekable();
        let mut from = 0;
        // Where the last name ended.
        let mut begin = 0;
        while let Some(at) = self.next_word(from) {
            while let Some(passed) = taken.next_if(|mention| mention.span.end <= at) {
                begin = begin.max(passed.span.end);
            }
            if let Some(mention) = taken.peek().filter(|mention| mention.span.start <= at) {
                from = mention.span.end;
                continue;
            }
            from = match self.named(at, begin) {
                Some(list) => {
                    let end = list.span.end;
                    begin = end;
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

    /// The names at `at`, if they stand where names may; the last ones ended at `begin`.
    fn named(&self, at: usize, begin: usize) -> Option<List> {
        // What is further off is not the same sentence.
        let begin = if at - begin > 2 * LONGEST { 0 } else { begin };
        let near = self.text.floor_char_boundary(at + LONGEST);
        if let Some(list) = self.small_letter(at) {
            return Some(list);
        }
        let (mut reading, mut end) = list_at(&self.text[..near], at, self.names, Setting::Open)?;
        // "Not 3, 5" denies one, and says the other.
        if begin == 0
            && reading.names == 2
            && let Some(first) = self.denied_alone(at, end)
        {
            (reading, end) = list_at(&self.text[..first], at, self.names, Setting::Open)?;
        }
        let written = self.text[at..end].trim_end_matches(|c: char| !c.is_alphanumeric());
        let span = at..at + written.len();
        let list = List { reading, span };
        let known = list.reading.resolves() && list.reading.misses() == 0;
        let opinion = Opinion {
            text: self.text,
            span: &list.span,
            begin,
        };
        (known
            && !self.counts_something(list.span.end)
            && (self.is_said_instead(&list)
                || self.is_range(&list)
                || self.is_as_counted(&list, self.clause_before(list.span.start).start)
                || self.is_said(&list, begin)
                || !self.measures(&list, begin) && opinion.says_so(self.cues)))
        .then_some(list)
    }

    /// "Its def b": a letter in lower case that ends a short answer, behind nothing but such words.
    fn small_letter(&self, at: usize) -> Option<List> {
        /// A longer answer, in bytes, says more.
        const SHORT: usize = 32;
        const LEADS: [Role; 4] = [Role::Pronoun, Role::Copula, Role::Opinion, Role::Affirms];
        let name = self.names.name_at(self.text, at)?;
        let letter = &self.text[name.clone()];
        let one = letter.len() == 1 && letter.starts_with(|c: char| c.is_ascii_lowercase());
        let ends = self.text[name.end..]
            .trim_matches([' ', '.', '!', '\n'])
            .is_empty();
        let lead = self.text[..at].trim();
        let mut passed = 0;
        let mut copula = false;
        let all = words::words(lead).all(|word| {
            let end = |role| words::at(lead, word.start, role);
            copula |= end(Role::Copula).is_some() || end(Role::Pronoun).is_some();
            passed = LEADS
                .into_iter()
                .filter_map(end)
                .max()
                .unwrap_or(0)
                .max(passed);
            word.start < passed
        });
        let article = words::at(letter, 0, Role::Article).is_some();
        if !(one && ends && all && copula) || article || self.text.len() > SHORT {
            return None;
        }
        let (reading, end) = list_at(&self.text[..name.end], at, self.names, Setting::Enclosed)?;
        reading.resolves().then_some(List {
            reading,
            span: at..end,
        })
    }

    /// Where the first of two names between `at` and `end` ends, if a denial stands right before it and
    /// the answer is nothing but these: "not 3, 5".
    fn denied_alone(&self, at: usize, end: usize) -> Option<usize> {
        let first = self.names.name_at(self.text, at)?;
        let list = &self.text[first.end..end];
        let lead = self.text[..at].trim();
        let mut passed = 0;
        let mut denies = false;
        let all = words::words(lead).all(|word| {
            let role = |role| words::at(lead, word.start, role);
            let no = role(Role::Denies).max(role(Role::No));
            denies |= no.is_some();
            passed = no
                .max(role(Role::Article))
                .max(role(Role::Corrects))
                .unwrap_or(0)
                .max(passed);
            word.start < passed
        });
        let alone = self.text[end..]
            .trim_matches([' ', '.', '!', '\n'])
            .is_empty();
        let second = list.trim_start().strip_prefix(',').map(str::trim_start);
        let comma = second.is_some_and(|name| {
            let article = words::at(name, 0, Role::Article).unwrap_or(0);
            !name[article..].contains(char::is_alphabetic)
        });
        (all && denies && alone && comma).then_some(first.end)
    }

    /// "5 people", "4 (maybe 5) birds".
    fn counts_something(&self, end: usize) -> bool {
        let closed = self.text[end..].starts_with(')');
        is_quantity(self.text, end) || closed && is_quantity(self.text, end + 1)
    }

    /// True if the clause around a list counts or measures.
    fn measures(&self, list: &List, begin: usize) -> bool {
        let clause = self.clause_before(list.span.start);
        let clause = clause.start.max(begin)..clause.end;
        // "On a scale of 1 to 5, I'd say 4"
        let thought = self.cues.any(clause.clone(), Role::Opinion);
        let near = clause.end.saturating_sub(LONGEST);
        let from = if thought { near } else { clause.start };
        self.cues.any(from..clause.end, Role::Measures)
            || self.ends_measure(list)
            || self.is_part(list)
            || self.counts(list)
            || self.goes_on_counting(list)
    }

    /// True if the clause around a list says that its names are meant, or not meant.
    fn is_said(&self, list: &List, begin: usize) -> bool {
        let clause = self.clause_before(list.span.start);
        let clause = clause.start.max(begin)..clause.end;
        let lead = self.cues.within(clause.clone());
        if self.measures(list, begin) {
            return false;
        }
        if self.is_chosen_behind(list, &clause) {
            return true;
        }
        let chosen = lead.iter().any(|cue| self.chooses(cue, list));
        if chosen {
            return self.ends_clause(list) || self.is_followed(list, |_| true);
        }
        let weak = lead.iter().any(|cue| {
            // "No es", "n'est pas"
            let denies = |other: &Cue| {
                other.start == cue.start && matches!(other.role, Role::Denies | Role::DeniesBehind)
            };
            cue.role == Role::Announces && !lead.iter().any(denies)
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
            // "3 değil, 5"
            let gap = begin..clause.start;
            let instead = begin > 0
                && [Role::Denies, Role::DeniesBehind]
                    .iter()
                    .any(|role| self.cues.any(gap.clone(), *role))
                && !self.text[gap].contains(['.', '\n']);
            let corrected = begin == 0 && self.is_corrected(list);
            if instead
                || corrected
                || begin == 0 && self.is_reply(list)
                || self.is_sentence(list, begin)
                || self.is_headed(list, clause.start)
            {
                return true;
            }
            return self.begins(clause.start)
                && (self.is_followed(list, |role| {
                    matches!(role, Role::Copula | Role::DeniesBehind | Role::Instead)
                }) || self.text[list.span.end..].starts_with(['?', '"']));
        }
        self.is_function(&clause, lead)
            || self.is_articled(list, &clause)
            || begin > 0 && self.is_joined(list, begin, &clause)
            || self.ends_with_copula(&clause, lead)
            || self.ends_with_verb(list, &clause)
            || begin > 0 && self.is_gapped(list, begin..clause.start, clause.clone())
            || list.reading.names > 1 && self.is_noun(list, &clause, lead)
    }
}
