//! Names that a short clause says something bears, or stands at: "the one in the back, 18", "the guy at
//! 8", "the one w/ the 4 on it"; and cells of a grid, which are nothing else: "slot B2".

use super::reply::{LONGEST, Reply};
use crate::ground::{
    names::skip,
    words::{self, Cues, Role},
};

impl Reply<'_> {
    /// True if the clause around the names says that something bears them.
    pub(super) fn is_of_something(&self, cues: &Cues) -> bool {
        self.is_cell()
            || self.begins_answer() && self.is_letter()
            || self.is_worn()
            || self.is_at()
            || self.is_borne()
            || self.is_in_box()
            || self.is_apposed(cues)
    }

    /// The name itself is of letters and digits.
    fn is_cell(&self) -> bool {
        let name = &self.text[self.span.clone()];
        name.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && name.contains(|c: char| c.is_ascii_alphabetic())
            && name.contains(|c: char| c.is_ascii_digit())
    }

    /// "C, because it has wheels", "B. It has a red cap", "E — a lamp": a letter that a sign parts from
    /// what follows is no word, and no item of a list if it stands alone.
    fn is_letter(&self) -> bool {
        let name = &self.text[self.span.clone()];
        let rest = self.rest();
        let signed = [", ", ". ", " —", " –", " - ", ": ", "? "]
            .iter()
            .any(|sign| rest.starts_with(sign));
        let listed = rest.lines().skip(1).any(|line| {
            let item = line.trim_start_matches([' ', '-', '*', '(']);
            let letters = item.bytes().take_while(u8::is_ascii_alphabetic).count();
            letters == 1 && item[1..].starts_with(['.', ')', ':'])
        });
        name.bytes().all(|byte| byte.is_ascii_uppercase()) && signed && !listed
    }

    /// "The guy at 8": where a short answer says what is meant.
    fn is_at(&self) -> bool {
        /// It begins with no more words.
        const MOST: usize = 3;
        let lead = self.text[..self.span.start].trim();
        if self.last.is_some() || lead.len() > LONGEST {
            return false;
        }
        let at = words::words(lead)
            .find(|word| words::at(lead, word.start, Role::At) == Some(lead.len()))
            .filter(|word| words::at(lead, word.start, Role::Of).is_none());
        let numeric = self.text[self.span.clone()]
            .bytes()
            .all(|byte| byte.is_ascii_digit());
        numeric
            && at.is_some_and(|at| at.start > 0)
            && words::words(lead).take(MOST + 1).count() <= MOST
            && !lead.contains([',', '.', ':', '\n'])
            && self.ends()
    }

    /// "The one w/ the 4 on it", "it has a 9 next to it": a number that the thing itself carries.
    fn is_worn(&self) -> bool {
        let clause = self.clause().trim_end();
        let article = words::words(clause)
            .find(|word| words::at(clause, word.start, Role::Article) == Some(clause.len()));
        let lead =
            clause[..article.map_or(clause.len(), |word| word.start)].trim_end_matches([' ', '/']);
        let carries = words::words(lead)
            .find(|word| words::at(lead, word.start, Role::Carries) == Some(lead.len()));
        let Some(subject) = carries.map(|word| lead[..word.start].trim_end()) else {
            return false;
        };
        let one = words::words(subject).last().is_some_and(|word| {
            words::at(subject, word.start, Role::Pronoun) == Some(subject.len())
                || words::number_at(subject, word.start) == Some((1, subject.len()))
        });
        let rest = self.rest().trim_start();
        let on = words::at(rest, 0, Role::Beside).is_some_and(|end| {
            let it = rest[end..].trim_start();
            words::at(it, 0, Role::Pronoun).is_some()
        });
        one && self.last.is_none() && (on || self.ends())
    }

    /// "The cat is indicated by 12", "annotated as 12".
    fn is_borne(&self) -> bool {
        let lead = self.clause().trim_end();
        let fills = words::words(lead)
            .filter(|word| words::at(lead, word.start, Role::Fills) == Some(lead.len()))
            .last();
        let verb = fills.map(|fills| lead[..fills.start].trim_end());
        self.ends()
            && verb.is_some_and(|verb| {
                words::words(verb).last().is_some_and(|last| {
                    words::at(verb, last.start, Role::Bears) == Some(verb.len())
                })
            })
    }

    /// "The cat is in box 12", "at position 3": one number that ends its clause, and no place.
    fn is_in_box(&self) -> bool {
        let lead = self.clause().trim_end();
        let name = &self.text[self.span.clone()];
        let rest = self.rest();
        let place = rest.starts_with(',') && rest[1..].contains(|c: char| c.is_ascii_digit());
        let last = words::words(lead).last();
        let boxed = last.is_some_and(|last| {
            [Role::Box, Role::Point]
                .iter()
                .any(|role| words::at(lead, last.start, *role) == Some(lead.len()))
        });
        let within = words::words(lead).any(|word| {
            [Role::Beside, Role::At]
                .iter()
                .any(|role| words::at(lead, word.start, *role).is_some())
        });
        let one = name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        boxed && within && one && self.ends() && !place
    }

    /// What stands before the names in their clause.
    fn clause(&self) -> &str {
        let near = self
            .span
            .start
            .saturating_sub(LONGEST)
            .max(self.last.unwrap_or(0));
        let near =
            &self.text[self.text.ceil_char_boundary(near).min(self.span.start)..self.span.start];
        let ends = |c: char| matches!(c, '.' | ',' | ';' | '\n' | ':' | '(' | '!' | '?');
        near.rsplit(ends).next().unwrap_or(near)
    }

    /// "The one in the back, 18": what ends a short answer stands for what it names before.
    fn is_apposed(&self, cues: &Cues) -> bool {
        const OTHERS: [Role; 7] = [
            Role::Measures,
            Role::Is,
            Role::Copula,
            Role::Denies,
            Role::None,
            Role::Compares,
            Role::Answers,
        ];
        let text = self.text.trim();
        if self.last.is_some() || text.len() > LONGEST || text.contains('\n') {
            return false;
        }
        let lead = &self.text[..self.span.start];
        let rest = self.rest().trim_matches([' ', '.', '!', '\n']);
        let led = lead.trim_end();
        let article = words::words(led)
            .filter(|word| words::at(led, word.start, Role::Article) == Some(led.len()))
            .last();
        let led = article.map_or(led, |word| led[..word.start].trim_end());
        let comma = led.ends_with(',') || led.ends_with("i.e.");
        if !rest.is_empty() || !comma {
            return false;
        }
        let span = skip(self.text, 0, char::is_whitespace)..self.span.start;
        let article = words::at(self.text, span.start, Role::Definite).is_some();
        article
            && !led
                .trim_end_matches("i.e.")
                .contains(|c: char| c.is_ascii_digit() || matches!(c, '.' | ':' | ';' | '?'))
            && !OTHERS.iter().any(|role| cues.any(span.clone(), *role))
    }
}
