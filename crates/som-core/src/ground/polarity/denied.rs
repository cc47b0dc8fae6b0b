//! Whether what stands around a mention denies it: "not [3]", "[3] is not it", "❌ [3]".

use std::ops::Range;

use super::Around;
use crate::ground::words::{self, Cue, Role};

impl Around<'_> {
    pub(super) fn is_denied(&self) -> bool {
        let mut denials = self.cues.all(self.before.clone(), Role::Denies).rev();
        denials.any(|cue| self.denies(cue, self.before.end))
    }

    /// True if the denial `cue` reaches a mention at `end`.
    pub(super) fn denies(&self, cue: Cue, end: usize) -> bool {
        /// A denial reaches over fewer words.
        const MOST: usize = 8;
        let between = cue.end..end;
        let text = self.text.get(between.clone()).unwrap_or("");
        let closed = text.contains(')') && !text.contains('(');
        if text.contains([',', ';', '|', '{', '}', '\n', '—', '–']) || closed || self.is_kept(cue)
        {
            return false;
        }
        // "5 no wait 6", "wait, no: 5"
        let no = self.text.get(cue.start..cue.end).unwrap_or("");
        let corrects = || {
            let lead = self.text.get(self.before.start..cue.start).unwrap_or("");
            let lead = lead.trim_end_matches([' ', ',', '.', '…']);
            words::words(lead)
                .any(|word| words::at(lead, word.start, Role::Corrects) == Some(lead.len()))
        };
        if self.cues.any(between.clone(), Role::Corrects)
            || no.eq_ignore_ascii_case("no") && corrects()
        {
            return false;
        }
        // "Oh no it's 10"
        let answers = no.eq_ignore_ascii_case("no")
            && text.starts_with(' ')
            && words::at(text.trim_start(), 0, Role::Pronoun).is_some_and(|end| {
                let (pronoun, rest) = text.trim_start().split_at(end);
                let verb = words::at(rest.trim_start(), 0, Role::Copula).is_some();
                verb || pronoun.contains('\'')
            });
        if answers || self.suggests(cue, end) || self.abbreviates(cue, end) {
            return false;
        }
        // "Clique no 6"
        let before = self.text.get(self.before.start..cue.start).unwrap_or("");
        let chosen = self
            .cues
            .all(self.before.clone(), Role::Selects)
            .any(|verb| verb.end == self.before.start + before.trim_end().len());
        if chosen && self.text.get(cue.start..cue.end) == Some("no") {
            return false;
        }
        // "No. 3", "No: it is [3]"; but "No: [3]" denies.
        let word = self.text.get(cue.start..cue.end).unwrap_or("");
        let tie = text.trim_start_matches(':').trim_start();
        if word.eq_ignore_ascii_case("no")
            && (text.starts_with(['.', '°', 'º']) || text.starts_with(':') && !tie.is_empty())
        {
            return false;
        }
        if words::words(text).take(MOST + 1).count() > MOST
            || self.cues.any(between.clone(), Role::Contrasts)
        {
            return false;
        }
        // "The one that is not red is [3]": what is denied stands before the verb.
        let verb = self.cues.all(between, Role::Is).last();
        // "I was wrong: it is [4]"
        let named = verb.is_some() || self.cues.any(cue.end..end, Role::Copula);
        if named && text.contains(':') {
            return false;
        }
        verb.is_none_or(|verb| {
            let subject = self.text.get(cue.end..verb.start).unwrap_or("");
            // "The answer is", "it is"
            let itself = words::words(subject).any(|word| {
                [Role::Pronoun, Role::Answers]
                    .iter()
                    .any(|role| words::at(subject, word.start, *role).is_some())
            });
            let rest = self.text.get(verb.end..end).unwrap_or("");
            let direct = words::words(rest).all(|word| {
                const DIRECT: [Role; 4] =
                    [Role::Announces, Role::Article, Role::Bears, Role::Fills];
                let is = |role: &Role| words::at(rest, word.start, *role).is_some();
                DIRECT.iter().any(is)
            });
            subject.trim().is_empty() || !direct || itself
        })
    }

    /// "Isn't that number 5?", "ist es nicht die 3?": a question that says so, and all that is said.
    fn suggests(&self, cue: Cue, end: usize) -> bool {
        // What was thought before is blank.
        let begins = self.text[..self.before.start].trim().is_empty();
        if self.is_followed || !begins {
            return false;
        }
        let lead = self.text.get(..cue.start).unwrap_or("x").trim_start();
        let rest = self.text.get(cue.end..end).unwrap_or("").trim_start();
        let asked = self.text.get(self.after.clone()).unwrap_or("");
        let asks = self.text[self.after.start + asked.len()..].starts_with('?');
        let verb = words::at(lead, 0, Role::Copula).is_some();
        let begins = lead.is_empty() && words::at(rest, 0, Role::Pronoun).is_some();
        begins || verb && asks
    }

    /// "No 7 i think", "no 12": the abbreviation of "number", in an answer that names nothing else.
    fn abbreviates(&self, cue: Cue, end: usize) -> bool {
        let lead = self.text.get(..cue.start).unwrap_or("x");
        let no = self.text.get(cue.start..cue.end).unwrap_or("");
        let between = self.text.get(cue.end..end).unwrap_or("x");
        lead.trim().is_empty()
            && no.eq_ignore_ascii_case("no")
            && between == " "
            && !self.is_followed
            && !self.text[end..].contains(['.', '[', ','])
    }

    /// True for "not only" and the like.
    pub(super) fn is_kept(&self, cue: Cue) -> bool {
        let start = cue.start.saturating_sub(24);
        let keeps = self.cues.all(start..cue.end, Role::Keeps);
        keeps.into_iter().any(|keeps| keeps.end > cue.start)
    }

    pub(super) fn is_denied_behind(&self) -> bool {
        /// What is denied is not further, in words.
        const MOST: usize = 1;
        let Some(cue) = self
            .cues
            .all(self.after.clone(), Role::DeniesBehind)
            .find(|cue| {
                // "[3] (No. 8)"
                if words::at(self.text, cue.start, Role::No) == Some(cue.end)
                    && self.text[cue.end..].starts_with('.')
                    && self.text[cue.end + 1..]
                        .trim_start_matches(' ')
                        .starts_with(|c: char| c.is_ascii_digit())
                {
                    return false;
                }
                let between = self.text.get(self.after.start..cue.start).unwrap_or("");
                // The quotes around the name are its own.
                let between = between.strip_prefix(['"', '”', '»']).unwrap_or(between);
                let short = words::words(between).take(MOST + 1).count() <= MOST;
                let in_parentheses = between.trim_start().starts_with('(');
                (short || in_parentheses)
                    && !between.contains([',', ';', '\n', '"'])
                    && !self.cues.any(self.after.start..cue.start, Role::Joins)
                    && !self.cues.any(self.after.start..cue.start, Role::Contrasts)
            })
        else {
            return false;
        };
        if self.is_kept(cue)
            || cue.end > self.after.end
            || self.cues.any(cue.start..cue.start + 1, Role::Excepts)
        {
            return false;
        }
        // "[3] (not 9)"
        let rest = self.text.get(cue.end..self.after.end).unwrap_or("");
        if self.text[..cue.start].ends_with('(')
            && rest.trim_start().starts_with(|c: char| c.is_ascii_digit())
        {
            return false;
        }
        // "[3], not [4]" denies what follows.
        let before = self.cues.all(cue.start..cue.end, Role::Denies).last();
        if self.is_followed && before.is_some_and(|denial| self.denies(denial, self.after.end)) {
            return false;
        }
        // "[1] is not a cup but a bowl" denies the name.
        let renames = self.cues.any(cue.end..self.after.end, Role::But);
        !renames || self.is_followed
    }

    /// True for a mention behind a cross that its line begins with, "❌ [3]", and for one whose next
    /// cell of a table is a "no" or a cross.
    pub(super) fn is_crossed(&self) -> bool {
        const CROSSES: [char; 6] = ['✗', '✘', '✖', '❌', '🚫', '⛔'];
        let before = &self.text[self.before.clone()];
        let line = before.rsplit('\n').next().unwrap_or(before);
        let begins = !self.is_preceded || line.len() < before.len();
        if begins && line.contains(CROSSES) && !words::words(line).any(|word| word.len() > 4) {
            return true;
        }
        let rest = &self.text[self.after.start..];
        let rest = rest.trim_start_matches([' ', '*', ']', ')', '`']);
        let Some(cells) = rest.strip_prefix('|') else {
            return false;
        };
        let near = &cells[..cells.floor_char_boundary(16)];
        let cell = near.split(['|', '\n']).next().unwrap_or("");
        let cell = cell.trim_matches([' ', '*', '.']);
        let crossed = cell.starts_with(CROSSES);
        crossed || words::at(cell, 0, Role::DeniesBehind) == Some(cell.len())
    }

    /// True for "none of these, including [4], is red".
    pub(super) fn is_one_of_none(&self) -> bool {
        let says = |part: &Range<usize>, role| self.cues.any(part.clone(), role);
        let none = |part| says(&part, Role::None) || says(&part, Role::Neither);
        let before = self.reaching(Role::Includes, 1, false);
        let begins = |cue: Cue| {
            let lead = self.text.get(self.before.start..cue.start);
            lead.is_some_and(|lead| !lead.contains(char::is_alphanumeric))
        };
        before.is_some_and(|cue| {
            none(self.before.start..cue.start) || begins(cue) && none(self.after.clone())
        }) || self.is_behind(Role::Includes) && none(self.after.clone())
    }
}
