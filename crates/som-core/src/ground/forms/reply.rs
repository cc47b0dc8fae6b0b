//! Names as terse people write them, with nothing but small words around: "3 and 5 i think", "no, 7",
//! "I'd say 5, because it has a lid", "its def b", "the cup? 6", "3, no sorry, 8".

use std::ops::Range;

use crate::ground::words::{self, Role};

/// What leads to a name, and a clause behind it, are not longer, in bytes.
pub(super) const LONGEST: usize = 72;

/// What leads to a name, and says nothing else.
pub(super) const LEADS: [Role; 20] = [
    Role::Denies,
    Role::Contrasts,
    Role::Joins,
    Role::Corrects,
    Role::Answers,
    Role::Affirms,
    Role::Hedges,
    Role::Article,
    Role::Copula,
    Role::Pronoun,
    Role::Excepts,
    Role::Tentative,
    Role::Now,
    Role::DeniesBehind,
    Role::Both,
    Role::Instead,
    Role::Opinion,
    Role::Remains,
    Role::Slips,
    Role::Only,
];

/// True if words of these roles say that the name is meant, or is not; an article says nothing, and
/// what joins two names does not, either.
pub(super) fn says_so(led: &[Role]) -> bool {
    led.iter()
        .any(|role| !matches!(role, Role::Article | Role::Joins))
}

/// A list of names, and what a short answer says around it.
pub(super) struct Reply<'a> {
    pub(super) text: &'a str,
    pub(super) span: &'a Range<usize>,
    /// Where the names before ended, if there are some near.
    pub(super) last: Option<usize>,
}

impl<'a> Reply<'a> {
    /// True if small words around the names say that they are meant, or were.
    pub(super) fn says_so(&self) -> bool {
        self.is_led()
            || self.begins_answer()
                && (self.is_thought()
                    || self.is_taken_back()
                    || self.is_told_apart()
                    || self.is_added_to()
                    || self.is_alone())
            || self.follows_correction()
    }

    /// "Ich würde sagen, 5", "no, 7", "the cup? 6", "just 1.": nothing but small words before a name
    /// that ends its clause.
    fn is_led(&self) -> bool {
        let Some(lead) = self.lead().filter(|_| self.ends()) else {
            return false;
        };
        let (asked, lead) = behind_question(lead);
        let alone = self.rest().trim_matches(ends_answer).is_empty();
        // "Answer:" and below it "1. …"; "A) or B)"
        let item = !alone && lead.ends_with('\n') || self.rest().starts_with(')');
        let led = words::made_of(lead, &LEADS);
        led.is_some_and(|led| !item && (says_so(&led) || asked && alone))
    }

    /// "8 probably", "4 and 7 i think", "D, easily": an opinion and nothing else up to the end of the
    /// clause.
    fn is_thought(&self) -> bool {
        let rest = self.rest();
        let near = &rest[..rest.floor_char_boundary(LONGEST)];
        let inside = near.trim_start_matches([' ', ',', '.', '…', '—', '–']);
        let glued = inside.starts_with(words::is_unspaced);
        let apart = inside.len() < near.len() || glued;
        let ends = |c: char| matches!(c, '.' | ',' | '!' | '\n' | ';' | '—' | '–' | ':' | '(');
        let said = inside.split(ends).next().unwrap_or(inside);
        let opinion = words::is_made_of(said, &[Role::Opinion, Role::Hedges, Role::Answers]);
        apart && opinion && said.contains(char::is_alphabetic)
    }

    /// "3, no sorry, 8": the next name takes this one back.
    fn is_taken_back(&self) -> bool {
        let rest = self.rest();
        let near = &rest[..rest.floor_char_boundary(LONGEST)];
        let name = near.find(|c: char| c.is_ascii_digit());
        name.is_some_and(|name| takes_back(&near[..name]))
    }

    /// "1, 2, 3; not 4", "2-5 but not 4", "1-6 except 3": others are denied or taken out right behind.
    fn is_told_apart(&self) -> bool {
        let rest = self.rest();
        let denial = rest.trim_start_matches([' ', ',', ';', '(', '.']);
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
        let rest = self.rest().trim_matches([' ', '.', '!', '\n']);
        let one = words::number_at(rest, 0) == Some((1, rest.len()));
        let led = !self.text[..self.span.start].trim().is_empty();
        led && (rest.is_empty() || one)
    }

    /// "8 and probably 9": another name is added, less surely.
    fn is_added_to(&self) -> bool {
        let rest = self.rest().trim_start_matches([' ', ',']);
        let joins = words::at(rest, 0, Role::Joins)
            .map_or(rest.trim_start_matches('&'), |end| &rest[end..])
            .trim_start();
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

    /// "(3, no sorry,) 8".
    fn follows_correction(&self) -> bool {
        self.last.is_some_and(|last| {
            let before = &self.text[last.min(self.span.start)..self.span.start];
            before.len() < LONGEST && self.ends() && takes_back(before)
        })
    }

    /// True if nothing but an article stands before the names: "el 8 creo".
    pub(super) fn begins_answer(&self) -> bool {
        let before = self.text[..self.span.start].trim_matches(['*', '"', '`', ' ', '\n']);
        let article = words::at(before, 0, Role::Article) == Some(before.len());
        self.last.is_none() && (before.is_empty() || article)
    }

    /// What stands before the first names of a short answer.
    pub(super) fn lead(&self) -> Option<&'a str> {
        let lead = self.text[..self.span.start].trim_start();
        (self.last.is_none() && lead.len() <= LONGEST).then_some(lead)
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text[self.span.end..].trim_start_matches(['*', '"', '`', '\''])
    }

    /// True if the clause ends behind the names.
    pub(super) fn ends(&self) -> bool {
        let rest = self.rest();
        let figure = rest
            .get(1..)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let ends = rest.is_empty() || rest.starts_with(['.', ',', '!', '\n', ';', ')', ' ']);
        let dash = rest.starts_with(' ') && !rest.trim_start().starts_with(['—', '–', '-', '(']);
        ends && !figure && !dash
    }
}

/// Where nothing more is said.
fn ends_answer(c: char) -> bool {
    matches!(c, ' ' | '.' | '!' | '?' | '\n')
}

/// "(The cup?) 6": what stands behind a question that begins the answer, and whether there is one.
fn behind_question(lead: &str) -> (bool, &str) {
    let asked = lead
        .split_once('?')
        .filter(|(asked, _)| asked.contains(char::is_alphabetic) && !asked.contains(['.', '\n']));
    asked.map_or((false, lead), |(_, rest)| (true, rest))
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
    // "5, no 6" may deny the next.
    let said = between.trim_end();
    let no = |found: &[Role]| found.contains(&Role::No) && !ends_with_no(said);
    let back = words::made_of(said, &ROLES).is_some_and(|found| {
        found.contains(&Role::Corrects) || found.contains(&Role::Slips) || no(&found)
    });
    back && !between.contains(['[', '(', '|'])
}

fn ends_with_no(said: &str) -> bool {
    words::words(said)
        .any(|word| words::at(said, word.start, Role::No) == Some(said.trim_end().len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::{names::skip, words::Cues};

    #[test]
    fn opinions_stand_around_names() {
        let says = |text: &str| {
            let start = text.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
            let end = skip(text, start, |c| c.is_ascii_alphanumeric());
            let span = start..end;
            let reply = Reply {
                text,
                span: &span,
                last: None,
            };
            reply.says_so() || reply.is_of_something(&Cues::of(text))
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
