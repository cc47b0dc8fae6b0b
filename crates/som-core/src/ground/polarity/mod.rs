//! Whether an answer stands by a mention: what the words before and behind it say.
//!
//! A denial reaches the mentions behind it up to the end of its clause; in other languages it
//! stands behind what it denies. What is taken back ("wait", "no,") and then said otherwise is
//! replaced; what is excepted leaves the range that it is taken from; what only led to a conclusion
//! is not meant.

mod beside;
mod concluded;
mod denied;
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
        // "Not 3, 5"
        let lead = self.text.get(..self.before.start).unwrap_or("");
        if lead.len() < NEAR / 8 && is_denied_first(lead) && !self.is_followed && is_comma(between)
        {
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

/// True for "not 3": a denial and one bare number.
fn is_denied_first(lead: &str) -> bool {
    let mut rest = lead.trim();
    let mut denies = false;
    while let Some(end) = words::at(rest, 0, Role::Denies).or_else(|| words::at(rest, 0, Role::No))
    {
        denies = true;
        rest = rest[end..].trim_start_matches([' ', ',']);
    }
    let name = rest[words::at(rest, 0, Role::Article).unwrap_or(0)..].trim_start();
    denies && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// True for a comma, and an article behind it as it may be.
fn is_comma(between: &str) -> bool {
    between.trim().strip_prefix(',').is_some_and(|rest| {
        let rest = rest.trim();
        rest.is_empty() || words::at(rest, 0, Role::Article) == Some(rest.len())
    })
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
            page: 1,
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
