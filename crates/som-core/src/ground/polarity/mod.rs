//! Whether an answer stands by a mention: what the words before and behind it say.
//!
//! A denial reaches the mentions behind it up to the end of its clause; in other languages it
//! stands behind what it denies. What is taken back ("wait", "no,") and then said otherwise is
//! replaced; what is excepted leaves the range that it is taken from; what only led to a conclusion
//! is not meant.

mod beside;
mod concluded;
mod reasons;
mod sentence;
mod set_aside;
mod taken_back;

use std::ops::Range;

pub(crate) use self::concluded::boxed;
pub(super) use self::{concluded::conclude, reasons::compare_reasons};
use self::{
    sentence::{floor, follows_verb, precedes_verb, sentence_end, sentence_start, without_caption},
    set_aside::set_aside,
    taken_back::{
        answer_questions, deny_earlier, deny_list, except, is_corrected, replace_list, take_back,
    },
};
use super::{
    Mention, Polarity,
    words::{self, Cue, Cues, Role},
};

/// Words that say something of a mention stand no further from it, in bytes.
const NEAR: usize = 160;

/// Sets the polarity of every mention, and tells for each whether it is named to say where
/// something else is.
pub(super) fn assign(text: &str, cues: &Cues, mentions: &mut [Mention]) -> Vec<bool> {
    let mut beside = vec![false; mentions.len()];
    // For each mention, whether it goes on with the list of the one before.
    let mut joined = vec![false; mentions.len()];
    for index in 0..mentions.len() {
        let around = Around::new(text, cues, mentions, index);
        joined[index] = around.is_joined();
        let given = mentions[index].polarity;
        let polarity = if given == Polarity::Asserted {
            around.polarity(index.checked_sub(1).map(|last| mentions[last].polarity))
        } else {
            given
        };
        let follows_on = joined[index] && index > 0 && beside[index - 1];
        beside[index] = around.is_beside() || follows_on;
        let corrects = around.corrects && polarity == Polarity::Asserted;
        let overrides = polarity == Polarity::Asserted && around.overrides(mentions, index);
        let denies_list = polarity == Polarity::Denied && joined[index] && !around.is_denied();
        mentions[index].polarity = polarity;
        if corrects {
            take_back(text, cues, mentions, index);
        } else if overrides {
            replace_list(text, mentions, index);
        }
        if denies_list {
            deny_list(mentions, &joined, index);
        }
        except(text, mentions, index);
    }
    answer_questions(text, mentions);
    deny_earlier(text, cues, mentions);
    set_aside(text, cues, mentions, &joined);
    beside
}

/// A mention and the words around it.
struct Around<'a> {
    text: &'a str,
    cues: &'a Cues,
    /// From the mention before, or from where the sentence begins.
    before: Range<usize>,
    /// Up to the next mention, or to the end of the sentence.
    after: Range<usize>,
    /// True if the next mention is in the same sentence.
    is_followed: bool,
    /// True if the mention before is in the same sentence.
    is_preceded: bool,
    /// True if something said before is taken back between the last mention and this one.
    corrects: bool,
    /// True if a verb stands right before the last mention, and right behind this one: each is a part
    /// of a clause of its own.
    begins: bool,
}

impl<'a> Around<'a> {
    fn new(text: &'a str, cues: &'a Cues, mentions: &[Mention], index: usize) -> Self {
        let span = &mentions[index].span;
        let last = index
            .checked_sub(1)
            .map_or(0, |last| mentions[last].span.end);
        let next = mentions
            .get(index + 1)
            .map_or(text.len(), |next| next.span.start);
        let start = floor(text, last.max(span.start.saturating_sub(NEAR)));
        let gap = start..span.start;
        let sentence = sentence_start(text, gap.clone());
        let end = floor(text, next.min(span.end + NEAR)).max(span.end);
        let after_end = sentence_end(text, span.end..end);
        Self {
            text,
            cues,
            before: sentence..span.start,
            after: span.end..after_end,
            is_followed: after_end == next && next < text.len(),
            is_preceded: sentence == last && index > 0,
            corrects: index > 0 && is_corrected(text, cues, gap),
            begins: index > 0
                && follows_verb(text, mentions[index - 1].span.start)
                && precedes_verb(text, span.end),
        }
    }

    fn polarity(&self, last: Option<Polarity>) -> Polarity {
        let last = last.filter(|_| self.is_preceded);
        if self.is_struck() || self.is_retracted() {
            return Polarity::Replaced;
        }
        if self.is_joined()
            && let Some(last @ (Polarity::Denied | Polarity::Excepted | Polarity::Compared)) = last
        {
            return last;
        }
        if let Some(cue) = self.reaching(Role::Excepts, 6, true) {
            // "No mark other than [3]" and "none other than [3]" assert it.
            if self.is_kept(cue) || self.is_only(cue) {
                return Polarity::Asserted;
            }
            // "But not [4]" takes out of a list, or denies.
            let denies = self.cues.any(cue.start..cue.end, Role::Denies);
            return if denies {
                Polarity::Denied
            } else {
                Polarity::Excepted
            };
        }
        if self.is_behind(Role::ExceptsBehind) {
            return Polarity::Excepted;
        }
        if self.is_denied() || self.is_denied_behind() || self.is_crossed() || self.is_one_of_none()
        {
            return Polarity::Denied;
        }
        let compared = self.reaching(Role::Compares, 4, false);
        let is_verb = |cue: &Cue| {
            self.cues
                .all(self.before.clone(), Role::Is)
                .any(|is| is.end == cue.end)
        };
        if compared.filter(|cue| !is_verb(cue)).is_some() {
            return Polarity::Compared;
        }
        Polarity::Asserted
    }

    /// True if nothing but "and" or a comma stands between the mention before and this one.
    fn is_joined(&self) -> bool {
        let between = without_caption(&self.text[self.before.clone()]);
        if !self.is_preceded || between.len() > 32 || self.begins {
            return false;
        }
        let mut joined = between.contains([',', '/', '&']);
        let mut by_word = false;
        let mut passed = 0;
        for word in words::words(between) {
            let role = |role| words::at(between, word.start, role);
            if word.start < passed {
                continue;
            } else if role(Role::Bears).is_some() && !by_word {
                // "Behind [3], labelled [1]"
                return false;
            } else if let Some(end) = role(Role::Joins) {
                joined = true;
                by_word = true;
                passed = end;
            } else if role(Role::Denies).is_some()
                || role(Role::Announces).is_none() && role(Role::Article).is_none()
                || role(Role::Pronoun).is_some() && role(Role::Definite).is_none()
                || role(Role::Reason).is_some()
            {
                return false;
            }
        }
        // "not [4], [5] is": a comma alone may begin a clause.
        let after = without_caption(&self.text[self.after.clone()]);
        let ends = after.trim_start_matches(['*', '`', '"', ')', ' ']);
        let goes_on =
            ends.is_empty() || ends.starts_with([',', '.', ';', '&', '/', '\n', '!', '?']);
        let word = words::words(after).next();
        let listed = word.is_some_and(|word| {
            word.start <= 2 && words::at(after, word.start, Role::Joins).is_some()
        });
        joined && (by_word || goes_on || listed)
    }

    /// The cue of `role` that reaches the mention over at most `most` words, if one does.
    fn reaching(&self, role: Role, most: usize, over_commas: bool) -> Option<Cue> {
        self.cues.all(self.before.clone(), role).rev().find(|cue| {
            let between = cue.end..self.before.end;
            let text = self.text.get(between.clone()).unwrap_or("");
            let counted = words::words(text).take(most + 1).count() <= most;
            let parted = text.contains([';', '|', '{', '}']) || !over_commas && text.contains(',');
            let verb = self.cues.any(between.clone(), Role::Is);
            counted && !parted && !verb && !self.cues.any(between, Role::Contrasts)
        })
    }

    fn is_denied(&self) -> bool {
        let mut denials = self.cues.all(self.before.clone(), Role::Denies).rev();
        denials.any(|cue| self.denies(cue, self.before.end))
    }

    /// True if the denial `cue` reaches a mention at `end`.
    fn denies(&self, cue: Cue, end: usize) -> bool {
        /// A denial reaches over fewer words.
        const MOST: usize = 8;
        const SUBJECTS: [&str; 9] = [
            "it", "this", "that", "he", "she", "they", "answer", "es", "ce",
        ];
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
            let mut words = words::words(subject).map(|word| subject[word].to_lowercase());
            let rest = self.text.get(verb.end..end).unwrap_or("");
            let direct = words::words(rest).all(|word| {
                words::at(rest, word.start, Role::Announces).is_some()
                    || words::at(rest, word.start, Role::Article).is_some()
            });
            subject.trim().is_empty()
                || !direct
                || words.any(|word| SUBJECTS.contains(&word.as_str()))
        })
    }

    /// True if nothing but what is excepted is meant: "none except [3]".
    fn is_only(&self, excepts: Cue) -> bool {
        let head = self.before.start..excepts.start;
        let no = |role: Role| {
            self.cues.all(head.clone(), role).any(|cue| {
                let between = self
                    .text
                    .get(cue.end.min(excepts.start)..excepts.start)
                    .unwrap_or("");
                words::words(between).take(4).count() <= 3 && !between.contains([',', ';', ':'])
            })
        };
        no(Role::Denies) || no(Role::None)
    }

    /// True if this mention is said in place of the last one, which was said to be a first guess:
    /// "At first it looks like [2], but it is [3]".
    fn overrides(&self, mentions: &[Mention], index: usize) -> bool {
        let Some(last) = index.checked_sub(1) else {
            return false;
        };
        let (end, start) = (mentions[last].span.end, mentions[index].span.start);
        let gap = floor(self.text, end.max(start.saturating_sub(NEAR)))..start;
        let begin = floor(self.text, mentions[last].span.start.saturating_sub(NEAR));
        let sentence = sentence_start(self.text, begin..mentions[last].span.start);
        let guessed = self
            .cues
            .any(sentence..mentions[last].span.start, Role::Tentative)
            || self.cues.any(gap.clone(), Role::Tentative);
        guessed
            && self.cues.any(gap, Role::Contrasts)
            && mentions[last].marks != mentions[index].marks
    }

    /// True for "not only" and the like.
    fn is_kept(&self, cue: Cue) -> bool {
        let start = cue.start.saturating_sub(24);
        let keeps = self.cues.all(start..cue.end, Role::Keeps);
        keeps.into_iter().any(|keeps| keeps.end > cue.start)
    }

    fn is_denied_behind(&self) -> bool {
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
    fn is_crossed(&self) -> bool {
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
    fn is_one_of_none(&self) -> bool {
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

    fn is_behind(&self, role: Role) -> bool {
        let cue = self.cues.all(self.after.clone(), role).next();
        cue.is_some_and(|cue| {
            // "4番を除く"
            let counts = words::at(self.text, self.after.start, Role::Counts);
            let start = counts.unwrap_or(self.after.start).min(cue.start);
            let between = self.text.get(start..cue.start).unwrap_or("");
            between.len() <= 2 && !between.contains(',')
        })
    }

    /// True for "I previously said that the cup is [3]".
    fn is_retracted(&self) -> bool {
        /// What is taken back is not further, in words.
        const MOST: usize = 12;
        let mut retracts = self.cues.all(self.before.clone(), Role::Retracts);
        retracts.any(|cue| {
            let between = self.text.get(cue.end..self.before.end).unwrap_or(";");
            let near = words::words(between).take(MOST + 1).count() <= MOST;
            near && !between.contains([',', ';', ':', '—', '–'])
                && !self.cues.any(cue.end..self.before.end, Role::Contrasts)
        })
    }

    /// True for `~~[3]~~`.
    fn is_struck(&self) -> bool {
        let before = &self.text[self.before.clone()];
        let after = &self.text[self.after.clone()];
        before.matches("~~").count() % 2 == 1 && after.contains("~~")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Scene,
        ground::{Names, scan},
        scene::SceneMark,
    };

    #[test]
    fn words_around_a_mention_say_whether_it_is_meant() {
        use Polarity::{Asserted, Compared, Denied, Excepted, Replaced};
        let texts = ["1", "2", "3", "4", "5", "6"];
        let marks = (1..).zip(texts).map(|(id, text)| SceneMark {
            id,
            text,
            image: 0,
            region: None,
        });
        let scene = Scene {
            images: Vec::new(),
            marks: marks.collect(),
        };
        let names = Names::new(&scene);
        for (text, expected) in [
            ("It is [3], not [4].", vec![Asserted, Denied]),
            ("Not [4] but [3].", vec![Denied, Asserted]),
            ("[4] is not it; [3] is.", vec![Denied, Asserted]),
            ("It is [2]. Wait, it is [3].", vec![Replaced, Asserted]),
            (
                "At first [2] fits, but it is [3].",
                vec![Replaced, Asserted],
            ),
            ("[3] is larger than [5].", vec![Asserted, Compared]),
            ("Marks 3 to 6 except 5.", vec![Asserted, Excepted]),
            ("None other than [3].", vec![Asserted]),
            ("Not only [3] but also [5].", vec![Asserted, Asserted]),
            ("Mark no. 3.", vec![Asserted]),
            ("[4]ではなく[3]です", vec![Denied, Asserted]),
        ] {
            let (mut mentions, _) = scan(text, &names, &scene);
            assign(text, &Cues::of(text), &mut mentions);
            let polarities: Vec<Polarity> = mentions.iter().map(|m| m.polarity).collect();
            assert_eq!(polarities, expected, "{text}");
        }
    }
}
