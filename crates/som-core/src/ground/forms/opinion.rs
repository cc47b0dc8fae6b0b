//! Names as terse people write them: "3 and 5 i think", "the one in the back, 18", "3, no sorry, 8", "D,
//! easily."; and cells of a grid, which are nothing else: "slot B2".

use std::ops::Range;

use crate::ground::{
    names::skip,
    words::{self, Cues, Role},
};

/// A terse answer, and a clause, are not longer, in bytes.
const LONGEST: usize = 72;

/// A list of names, of which nothing else says that it is meant.
pub(super) struct Opinion<'a> {
    pub(super) text: &'a str,
    pub(super) span: &'a Range<usize>,
    /// Where the last names ended.
    pub(super) begin: usize,
}

impl Opinion<'_> {
    /// True if the words around say that the names are meant, or were.
    pub(super) fn says_so(&self, cues: &Cues) -> bool {
        self.is_cell()
            || self.begins_answer()
                && (self.is_thought()
                    || self.is_letter()
                    || self.is_taken_back()
                    || self.is_told_apart()
                    || self.is_added_to()
                    || self.is_alone())
            || self.is_led(cues)
            || self.is_worn()
            || self.is_at()
            || self.is_borne()
            || self.is_in_box()
            || self.follows_correction()
            || self.is_apposed(cues)
    }

    fn before(&self) -> &str {
        &self.text[self.begin.min(self.span.start)..self.span.start]
    }

    fn after(&self) -> &str {
        self.text[self.span.end..].trim_start_matches(['*', '"', '`', '\''])
    }

    /// The name itself is of letters and digits.
    fn is_cell(&self) -> bool {
        let name = &self.text[self.span.clone()];
        name.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && name.contains(|c: char| c.is_ascii_alphabetic())
            && name.contains(|c: char| c.is_ascii_digit())
    }

    /// True if nothing but an article stands before the names: "el 8 creo".
    fn begins_answer(&self) -> bool {
        let before = self.text[..self.span.start].trim_matches(['*', '"', '`', ' ', '\n']);
        let article = words::at(before, 0, Role::Article) == Some(before.len());
        self.begin == 0 && (before.is_empty() || article)
    }

    /// "8 probably", "4 and 7 i think", "D, easily": an opinion and nothing else up to the end of the
    /// clause.
    fn is_thought(&self) -> bool {
        let rest = self.after();
        let near = &rest[..rest.floor_char_boundary(LONGEST)];
        let inside = near.trim_start_matches([' ', ',', '.', '…', '—', '–']);
        let glued = inside.starts_with(words::is_unspaced);
        let apart = inside.len() < near.len() || glued;
        let ends = |c: char| matches!(c, '.' | ',' | '!' | '\n' | ';' | '—' | '–' | ':' | '(');
        let said = inside.split(ends).next().unwrap_or(inside);
        let mut passed = 0;
        let opinion = words::words(said).all(|word| {
            let end = [Role::Opinion, Role::Hedges].map(|role| words::at(said, word.start, role));
            passed = end.into_iter().flatten().max().unwrap_or(0).max(passed);
            word.start < passed
        });
        apart && opinion && said.contains(char::is_alphabetic) && passed <= said.len()
    }

    /// "Ich würde sagen, 5": an opinion and nothing else before a name that ends its clause.
    fn is_led(&self, cues: &Cues) -> bool {
        const LEADS: [Role; 5] = [
            Role::Opinion,
            Role::Article,
            Role::Pronoun,
            Role::Copula,
            Role::Is,
        ];
        let lead = self.text[..self.span.start].trim_start();
        if self.begin > 0 || lead.len() > LONGEST || !self.ends() {
            return false;
        }
        let mut passed = 0;
        let mut opinion = false;
        let all = words::words(lead).all(|word| {
            let end = LEADS.map(|role| words::at(lead, word.start, role));
            opinion |= end[0].is_some();
            passed = end.into_iter().flatten().max().unwrap_or(0).max(passed);
            word.start < passed
        });
        all && opinion && !cues.any(self.span.start - lead.len()..self.span.end, Role::Measures)
    }

    /// True if the clause ends behind the names.
    fn ends(&self) -> bool {
        let rest = self.after();
        let figure = rest
            .get(1..)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let ends = rest.is_empty() || rest.starts_with(['.', ',', '!', '\n', ';', ')', ' ']);
        let dash = rest.starts_with(' ') && !rest.trim_start().starts_with(['—', '–', '-', '(']);
        ends && !figure && !dash
    }

    /// "C, because it has wheels", "B. It has a red cap", "E — a lamp": a letter that a sign parts from
    /// what follows is no word, and no item of a list if it stands alone.
    fn is_letter(&self) -> bool {
        let name = &self.text[self.span.clone()];
        let rest = self.after();
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

    /// "3, no sorry, 8": the next name takes this one back.
    fn is_taken_back(&self) -> bool {
        let rest = self.after();
        let near = &rest[..rest.floor_char_boundary(LONGEST)];
        let name = near.find(|c: char| c.is_ascii_digit());
        name.is_some_and(|name| takes_back(&near[..name]))
    }

    /// "1, 2, 3; not 4", "2-5 but not 4", "1-6 except 3": others are denied or taken out right behind.
    fn is_told_apart(&self) -> bool {
        let rest = self.after();
        let denial = rest.trim_start_matches([' ', ',', ';', '(']);
        let but = words::at(denial, 0, Role::Contrasts).map_or(denial, |end| &denial[end..]);
        let but = but.trim_start();
        let not = words::at(but, 0, Role::Not).map(|end| &but[end..]);
        let except = words::at(denial, 0, Role::Excepts).map(|end| &denial[end..]);
        let other = |rest: &str| {
            let rest = rest.trim_start();
            let name = words::at(rest, 0, Role::Article).map_or(rest, |end| &rest[end..]);
            name.trim_start().starts_with(|c: char| c.is_ascii_digit())
        };
        [not, except].into_iter().flatten().any(other) && denial.len() < rest.len()
    }

    /// "Die 2 oder die 3", "the C one": names with articles, and nothing else.
    fn is_alone(&self) -> bool {
        let rest = self.after().trim_matches([' ', '.', '!', '\n']);
        let one = words::number_at(rest, 0) == Some((1, rest.len()));
        let led = !self.text[..self.span.start].trim().is_empty();
        led && (rest.is_empty() || one)
    }

    /// "8 and probably 9": another name is added, less surely.
    fn is_added_to(&self) -> bool {
        let rest = self.after().trim_start_matches([' ', ',']);
        let joins = words::at(rest, 0, Role::Joins).map_or(rest, |end| rest[end..].trim_start());
        let surely = [Role::Opinion, Role::Hedges]
            .iter()
            .filter_map(|role| words::at(joins, 0, *role))
            .max();
        joins.len() < rest.len()
            && surely.is_some_and(|end| {
                joins[end..]
                    .trim_start()
                    .starts_with(|c: char| c.is_ascii_digit())
            })
    }

    /// "The guy at 8": where a short answer says what is meant.
    fn is_at(&self) -> bool {
        /// It begins with no more words.
        const MOST: usize = 3;
        let lead = self.text[..self.span.start].trim();
        if self.begin > 0 || lead.len() > LONGEST {
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
        let rest = self.after().trim_start();
        let on = words::at(rest, 0, Role::Beside).is_some_and(|end| {
            let it = rest[end..].trim_start();
            words::at(it, 0, Role::Pronoun).is_some()
        });
        one && self.begin == 0 && (on || self.ends())
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
        let rest = self.after();
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
        let near = self.span.start.saturating_sub(LONGEST).max(self.begin);
        let near =
            &self.text[self.text.ceil_char_boundary(near).min(self.span.start)..self.span.start];
        let ends = |c: char| matches!(c, '.' | ',' | ';' | '\n' | ':' | '(' | '!' | '?');
        near.rsplit(ends).next().unwrap_or(near)
    }

    /// "(3, no sorry,) 8".
    fn follows_correction(&self) -> bool {
        self.begin > 0 && self.before().len() < LONGEST && self.ends() && takes_back(self.before())
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
        if self.begin > 0 || text.len() > LONGEST || text.contains('\n') {
            return false;
        }
        let lead = &self.text[..self.span.start];
        let rest = self.after().trim_matches([' ', '.', '!', '\n']);
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

/// True if `between` is nothing but words that take back what stands before them: ", no sorry, ",
/// ", meant ".
pub(in crate::ground) fn takes_back(between: &str) -> bool {
    const ROLES: [Role; 6] = [
        Role::Corrects,
        Role::Slips,
        Role::No,
        Role::Opinion,
        Role::Tentative,
        Role::Pronoun,
    ];
    let mut passed = 0;
    let mut back = false;
    let all = words::words(between).all(|word| {
        if word.start < passed {
            return true;
        }
        let end = |role: Role| words::at(between, word.start, role);
        let no = end(Role::No).is_some_and(|end| !between[end..].trim_end().is_empty());
        back |= end(Role::Corrects).is_some() || end(Role::Slips).is_some() || no;
        passed = ROLES.into_iter().filter_map(end).max().unwrap_or(0);
        word.start < passed
    });
    all && back && !between.contains(['[', '(', '|'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opinions_stand_around_names() {
        let says = |text: &str| {
            let start = text.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
            let end = skip(text, start, |c| c.is_ascii_alphanumeric());
            let span = start..end;
            let opinion = Opinion {
                text,
                span: &span,
                begin: 0,
            };
            opinion.says_so(&Cues::of(text))
        };
        for text in [
            "8 probably",
            "12 i guess",
            "18, for sure!",
            "3だと思います。",
            "5, je crois",
            "the one in the back, 18",
            "3, no sorry, 8",
            "2. no, 4",
            "The cat is indicated by 12.",
            "The cat is in box 12.",
            "the one w/ the 4 on it",
            "el 8 creo",
            "3, meant 4",
            "You mean 12, right?",
        ] {
            assert!(says(text), "{text}");
        }
        for text in [
            "8 birds probably",
            "3, then 4",
            "I counted twice, 18",
            "in the year, 2",
            "it costs, 5",
            "The box is 12, 40, 90, 80",
        ] {
            assert!(!says(text), "{text}");
        }
    }
}
