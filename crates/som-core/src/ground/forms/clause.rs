//! What the clause around a list of bare numbers says of it.

use std::ops::Range;

use super::{
    bare::{Bare, LONGEST},
    list::List,
    reply::{LEADS, says_so},
};
use crate::ground::{
    names::skip,
    reader::is_correction,
    words::{self, Cue, Role},
};

impl Bare<'_> {
    /// What stands before `at` in its clause.
    pub(super) fn clause_before(&self, at: usize) -> Range<usize> {
        let mut start = at.saturating_sub(LONGEST);
        while !self.text.is_char_boundary(start) {
            start += 1;
        }
        let ends = |c: char| {
            matches!(
                c,
                '.' | '!'
                    | '?'
                    | ';'
                    | '\n'
                    | ','
                    | ':'
                    | '—'
                    | '–'
                    | '('
                    | '|'
                    | '…'
                    | '，'
                    | '。'
                    | '、'
                    | '：'
            )
        };
        let before = &self.text[start..at];
        let end = before.char_indices().rfind(|&(_, c)| ends(c));
        start + end.map_or(0, |(place, c)| place + c.len_utf8())..at
    }

    /// True where a sentence begins, or what is said in quotes or behind a dash.
    pub(super) fn begins(&self, at: usize) -> bool {
        let before = self.text[..at].trim_end_matches([' ', '"', '*']);
        before.is_empty()
            || before.ends_with([
                '.', '!', '?', ';', '\n', '—', '–', '。', ',', '，', '(', ':',
            ])
    }

    /// True if nothing but punctuation stands between a list and the end of its clause. What numbers
    /// an item of a list, "1. First", ends none.
    pub(super) fn ends_clause(&self, list: &List) -> bool {
        let rest = self.text[list.span.end..].trim_start_matches(['*', '"', '`', '\'', '”', '»']);
        let near = list.span.start.saturating_sub(LONGEST);
        let near = self.text.ceil_char_boundary(near);
        let line = self.text[near..list.span.start]
            .rsplit('\n')
            .next()
            .unwrap_or("");
        if !line.contains(char::is_alphanumeric) && rest.starts_with(['.', ')', ':']) {
            return false;
        }
        let after = rest.trim_start_matches(' ');
        let dash = ["—", "–", "- ", "("]
            .iter()
            .any(|dash| after.starts_with(dash));
        let ends = rest.starts_with([
            '.', ',', '!', '?', ';', '\n', ')', '。', '，', '！', '？', '、',
        ]);
        let figure =
            rest.starts_with(['.', ',']) && rest[1..].starts_with(|c: char| c.is_ascii_digit());
        rest.is_empty() || dash || ends && !figure
    }

    /// True if the word behind a list is one of the table that does what is `wanted`.
    pub(super) fn is_followed(&self, list: &List, wanted: impl Fn(Role) -> bool) -> bool {
        let near = skip(self.text, list.span.end, |c| {
            matches!(c, ' ' | '"' | '*' | '”')
        });
        let glued = self.text[near..].starts_with(words::is_unspaced);
        let cues = self.cues.within(near..near + 1);
        let says = |cue: &Cue| !cue.role.is_around_name() && wanted(cue.role);
        (near > list.span.end || glued) && cues.iter().any(says)
    }

    /// True for "click on the button 8".
    pub(super) fn chooses(&self, cue: &Cue, list: &List) -> bool {
        /// The verb is not further off, in words.
        const MOST: usize = 4;
        let between = self.text.get(cue.end..list.span.start).unwrap_or("1");
        cue.role == Role::Selects
            && !between.contains(|c: char| c.is_ascii_digit())
            && words::words(between).take(MOST + 1).count() <= MOST
    }

    /// "6をクリック", "6 पर क्लिक", "die 8 nehmen": the verb stands behind.
    pub(super) fn is_chosen_behind(&self, list: &List, clause: &Range<usize>) -> bool {
        /// Neither the subject nor what stands between has more words.
        const MOST: usize = 3;
        let lead = self.text.get(clause.clone()).unwrap_or("");
        let near = self.text.floor_char_boundary(list.span.end + LONGEST / 4);
        let few = |text: &str| words::words(text).take(MOST + 1).count() <= MOST;
        let mut verbs = self.cues.all(list.span.end..near, Role::Selects);
        few(lead)
            && verbs.any(|verb| {
                let between = &self.text[list.span.end..verb.start];
                few(between) && !between.contains([',', '.', '\n', ';', ':', '，', '。'])
            })
    }

    /// "(Not 3.) 5!": nothing but a name, behind another one that ended at `last`.
    pub(super) fn is_sentence(&self, list: &List, last: usize) -> bool {
        let gap = self.text.get(last..list.span.start).unwrap_or("x");
        matches!(gap.trim(), "." | "!" | ";") && self.ends_clause(list)
    }

    /// "Scratch that. 2.": nothing but a name behind words that take something back.
    pub(super) fn is_corrected(&self, list: &List) -> bool {
        let line = self.text[..list.span.start]
            .rfind('\n')
            .map_or(0, |end| end + 1);
        let lead = &self.text[line..list.span.start];
        let rest = self.text[list.span.end..].split('\n').next().unwrap_or("");
        let alone = |c: char| matches!(c, '.' | '!' | '*' | '"' | ' ');
        lead.len() < LONGEST && is_correction(lead) && rest.trim_matches(alone).is_empty()
    }

    /// "There are two matches, 6 and 13": as many names as the clause before counts.
    pub(super) fn is_as_counted(&self, list: &List, start: usize) -> bool {
        let head = self.text[..start].trim_end_matches([' ', ':', '：', ',', '，', '(', '—', '–']);
        let clause = self.clause_before(head.len());
        let words = self.text.get(clause).unwrap_or("");
        let names = list.reading.names;
        let counts = |word: std::ops::Range<usize>| {
            let said = words::number_at(words, word.start).map(|(number, _)| usize::from(number));
            said == Some(names) || words[word].parse() == Ok(names)
        };
        names > 1
            && head.len() < start
            && self.text[list.span.clone()].contains([',', ' '])
            && (self.ends_clause(list) || self.text[list.span.end..].starts_with(')'))
            && words::words(words).any(counts)
    }

    /// "Everything in the 5–9 range".
    pub(super) fn is_range(&self, list: &List) -> bool {
        let clause = self.clause_before(list.span.start);
        list.reading.names == 2
            && self.text[list.span.clone()].contains(['-', '–'])
            && self.is_followed(list, |role| role == Role::Inclusive)
            && self.cues.any(clause, Role::All)
    }

    /// "The red ones: 2, 3 and 8": several names behind a colon.
    pub(super) fn is_headed(&self, list: &List, start: usize) -> bool {
        let Some(head) = self.text[..start].strip_suffix([':', '：']) else {
            return false;
        };
        let clause = self.clause_before(head.len());
        let words = self.text.get(clause.clone()).unwrap_or("");
        list.reading.names > 1
            && self.ends_clause(list)
            && words.contains(char::is_alphabetic)
            && !words.contains(|c: char| c.is_ascii_digit())
            && !self.cues.any(clause, Role::Measures)
    }

    /// True if the words of a clause do nothing but lead to a name: "it's", "no, the", "but".
    pub(super) fn is_function(&self, clause: &Range<usize>) -> bool {
        let words = self.text.get(clause.clone()).unwrap_or("");
        words::made_of(words, &LEADS).is_some_and(|led| says_so(&led))
    }

    /// "(3 değil,) 5": a denial in `gap` is of what stands before.
    pub(super) fn is_instead(&self, gap: Range<usize>) -> bool {
        [Role::Denies, Role::DeniesBehind]
            .iter()
            .any(|role| self.cues.any(gap.clone(), *role))
            && !self.text[gap].contains(['.', '\n'])
    }

    /// "Die 7 ist der Hund": an article, a number, and what it is.
    pub(super) fn is_articled(&self, list: &List, clause: &Range<usize>) -> bool {
        let lead = self.text.get(clause.clone()).unwrap_or("").trim();
        let article = words::at(lead, 0, Role::Definite) == Some(lead.len());
        let verb = skip(self.text, list.span.end, |c| c == ' ');
        let name =
            words::at(self.text, verb, Role::Copula).map(|end| skip(self.text, end, |c| c == ' '));
        article
            && self.begins(clause.start)
            && name.is_some_and(|name| words::at(self.text, name, Role::Article).is_some())
    }

    /// True if the names go on as those that ended at `last` did.
    pub(super) fn goes_on(&self, list: &List, last: usize, clause: &Range<usize>) -> bool {
        self.is_joined(list, last, clause)
            || self.is_gapped(list, last..clause.start, clause.clone())
    }

    /// "(1 is a pear) and 2 is a plum": what is said of the next goes on as it did.
    fn is_joined(&self, list: &List, last: usize, clause: &Range<usize>) -> bool {
        let said = self.text.get(clause.clone()).unwrap_or("");
        // "(Le 1 est un chat) et le 2"
        let said = said.trim_end();
        let article = words::words(said)
            .find(|word| words::at(said, word.start, Role::Article) == Some(said.len()));
        let said = article.map_or(said, |word| said[..word.start].trim_end());
        let joins = words::words(said)
            .any(|word| words::at(said, word.start, Role::Joins) == Some(said.len()));
        let verb = skip(self.text, last, |c| c == ' ');
        joins
            && words::at(self.text, verb, Role::Copula).is_some()
            && self.is_followed(list, |role| role == Role::Copula)
    }

    /// "The search box is (the)".
    pub(super) fn ends_with_copula(&self, clause: &Range<usize>, lead: &[Cue]) -> bool {
        let verb = |cue: &&Cue| {
            let be =
                cue.role == Role::Is && self.text[cue.start..cue.end].eq_ignore_ascii_case("be");
            cue.role == Role::Copula || be
        };
        let end = lead.iter().filter(verb).map(|cue| cue.end).max();
        end.is_some_and(|end| {
            let rest = self.text.get(end..clause.end).unwrap_or("x");
            let rest = rest.trim_start_matches([' ', '"', '*', '“', '„', '«', '\'', '`']);
            let article = words::at(rest, 0, Role::Article).map_or(rest, |end| &rest[end..]);
            !article.contains(char::is_alphanumeric) || is_there(rest)
        })
    }

    /// Languages with the verb at the end: "खोज बॉक्स 147 है।", "Arama kutusu 147'dir".
    pub(super) fn ends_with_verb(&self, list: &List, clause: &Range<usize>) -> bool {
        /// A subject has no more words.
        const MOST: usize = 6;
        let start = skip(self.text, list.span.end, |c| matches!(c, ' ' | '\'' | '’'));
        let verb = words::at(self.text, start, Role::Copula);
        let subject = self.text.get(clause.clone()).unwrap_or("");
        verb.is_some_and(|end| {
            let rest = self.text[end..].trim_start_matches([' ', '।']);
            rest.is_empty() || rest.starts_with(['.', '\n', '!', ','])
        }) && !subject.is_ascii()
            && words::words(subject).take(MOST + 1).count() <= MOST
    }

    /// "(The cup is 2,) the spoon 5": the verb of the clause before is left out.
    fn is_gapped(&self, list: &List, gap: Range<usize>, clause: Range<usize>) -> bool {
        /// What is named has no more words.
        const MOST: usize = 4;
        let text = self.text.get(clause.clone()).unwrap_or("").trim();
        let joined = words::at(text, 0, Role::Joins).map_or(text, |end| text[end..].trim());
        let others = [Role::Is, Role::Denies, Role::Because, Role::Compares];
        self.ends_clause(list)
            && !self.text[gap].contains(['.', '!', '?', '\n', ';'])
            && words::at(joined, 0, Role::Article).is_some()
            && (2..=MOST).contains(&words::words(joined).take(MOST + 1).count())
            && !others
                .iter()
                .any(|role| self.cues.any(clause.clone(), *role))
    }

    /// "(The) plates 2 to 5 are", "anything from 6 to 9".
    pub(super) fn is_noun(&self, list: &List, clause: &Range<usize>, lead: &[Cue]) -> bool {
        let words = self.text.get(clause.clone()).unwrap_or("");
        let all = lead.iter().any(|cue| cue.role == Role::All);
        let from = lead.iter().any(|cue| {
            matches!(cue.role, Role::Fills | Role::Beside)
                && self
                    .text
                    .get(cue.end..clause.end)
                    .is_some_and(|rest| rest.trim().is_empty())
        });
        let one = words::words(words).take(2).count() == 1;
        if from && (all || one && self.begins(clause.start) && self.ends_clause(list)) {
            return true;
        }
        let text = words.trim_start();
        let article = words::at(text, 0, Role::Article).filter(|end| text[*end..].starts_with(' '));
        let noun = &text[article.unwrap_or(0)..];
        let one = words::words(noun).take(2).count() == 1;
        one && self.begins(clause.start)
            && self.is_followed(list, |role| matches!(role, Role::Copula | Role::Is))
    }
}

/// "(Is) at", "(is) located at", "(be) found at": where something is.
fn is_there(rest: &str) -> bool {
    let Some(found) = rest.trim().strip_suffix("at") else {
        return false;
    };
    let found = found.trim_end();
    found.is_empty() || found == "found" || words::at(found, 0, Role::Because) == Some(found.len())
}
