//! Whether an answer stands by a mention: what the words before and behind it say.
//!
//! A denial reaches the mentions behind it up to the end of its clause; in other languages it
//! stands behind what it denies. What is taken back ("wait", "no,") and then said otherwise is
//! replaced; what is excepted leaves the range that it is taken from.

use std::ops::Range;

use super::{
    Mention, Polarity,
    words::{self, Cue, Cues, Role},
};

/// Words that say something of a mention stand no further from it, in bytes.
const NEAR: usize = 160;
/// Mentions before a correction that it may take back.
const RECENT: usize = 16;

/// Sets the polarity of every mention, and tells for each whether it is named to say where
/// something else is.
pub(super) fn assign(text: &str, cues: &Cues, mentions: &mut [Mention]) -> Vec<bool> {
    let mut beside = vec![false; mentions.len()];
    for index in 0..mentions.len() {
        let around = Around::new(text, cues, mentions, index);
        let given = mentions[index].polarity;
        let polarity = if given == Polarity::Asserted {
            around.polarity(index.checked_sub(1).map(|last| mentions[last].polarity))
        } else {
            given
        };
        let follows_on = around.is_joined() && index > 0 && beside[index - 1];
        beside[index] = around.is_beside() || follows_on;
        let corrects = around.corrects && polarity == Polarity::Asserted;
        mentions[index].polarity = polarity;
        if corrects {
            take_back(text, cues, mentions, index);
        }
        except(text, mentions, index);
    }
    deny_earlier(mentions);
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
}

impl<'a> Around<'a> {
    fn new(text: &'a str, cues: &'a Cues, mentions: &[Mention], index: usize) -> Self {
        let span = &mentions[index].span;
        let last = index.checked_sub(1).map_or(0, |last| mentions[last].span.end);
        let next = mentions.get(index + 1).map_or(text.len(), |next| next.span.start);
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
        }
    }

    fn polarity(&self, last: Option<Polarity>) -> Polarity {
        let last = last.filter(|_| self.is_preceded);
        if self.is_struck() {
            return Polarity::Replaced;
        }
        if self.is_joined()
            && let Some(last @ (Polarity::Denied | Polarity::Excepted | Polarity::Compared)) = last
        {
            return last;
        }
        if let Some(cue) = self.reaching(Role::Excepts, 6, true) {
            // "But not [4]" takes out of a list, or denies.
            let denies = self.cues.any(cue.start..cue.end, Role::Denies);
            return if denies { Polarity::Denied } else { Polarity::Excepted };
        }
        if self.is_behind(Role::ExceptsBehind) {
            return Polarity::Excepted;
        }
        if self.is_denied() || self.is_denied_behind() {
            return Polarity::Denied;
        }
        let compared = self.reaching(Role::Compares, 4, false);
        let is_verb = |cue: &Cue| self.cues.all(self.before.clone(), Role::Is).any(|is| is.end == cue.end);
        if compared.filter(|cue| !is_verb(cue)).is_some() {
            return Polarity::Compared;
        }
        Polarity::Asserted
    }

    /// True if nothing but "and" or a comma stands between the mention before and this one.
    fn is_joined(&self) -> bool {
        let between = &self.text[self.before.clone()];
        if !self.is_preceded || between.len() > 32 {
            return false;
        }
        let mut joined = between.contains([',', '/', '&']);
        for word in words::words(between) {
            if words::at(between, word.start, Role::Joins).is_some() {
                joined = true;
            } else if words::at(between, word.start, Role::Announces).is_none()
                && words::at(between, word.start, Role::Article).is_none()
            {
                return false;
            }
        }
        // "not [4], [5] is": a comma alone may begin a clause.
        let says = self.cues.all(self.after.clone(), Role::Is).next();
        let is_subject = says.is_some_and(|is| is.start <= self.after.start + 2);
        joined && !(is_subject && !between.contains(char::is_alphabetic))
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
        if text.contains([',', ';', '|', '{', '}', '\n']) || self.is_kept(cue) {
            return false;
        }
        if words::words(text).take(MOST + 1).count() > MOST
            || self.cues.any(between.clone(), Role::Contrasts)
        {
            return false;
        }
        // "The one that is not red is [3]": what is denied stands before the verb.
        let verb = self.cues.all(between, Role::Is).last();
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

    /// True for "not only" and the like.
    fn is_kept(&self, cue: Cue) -> bool {
        let start = cue.start.saturating_sub(24);
        let keeps = self.cues.all(start..cue.end, Role::Keeps);
        keeps.into_iter().any(|keeps| keeps.end > cue.start)
    }

    fn is_denied_behind(&self) -> bool {
        /// What is denied is not further, in words.
        const MOST: usize = 3;
        let Some(cue) = self.cues.all(self.after.clone(), Role::DeniesBehind).find(|cue| {
            let between = self.text.get(self.after.start..cue.start).unwrap_or("");
            let short = words::words(between).take(MOST + 1).count() <= MOST;
            let in_parentheses = between.trim_start().starts_with('(');
            (short || in_parentheses)
                && !between.contains([',', ';', '\n', '"'])
                && !self.cues.any(self.after.start..cue.start, Role::Contrasts)
        }) else {
            return false;
        };
        if self.is_kept(cue) || cue.end > self.after.end {
            return false;
        }
        // "[3], not [4]" denies what follows.
        let before = self.cues.all(cue.start..cue.end, Role::Denies).last();
        if self.is_followed
            && before.is_some_and(|denial| self.denies(denial, self.after.end))
        {
            return false;
        }
        // "[1] is not a cup but a bowl" denies the name.
        let rest = cue.end..self.after.end;
        !self.cues.any(rest, Role::Contrasts) || self.is_followed
    }

    fn is_behind(&self, role: Role) -> bool {
        let cue = self.cues.all(self.after.clone(), role).next();
        cue.is_some_and(|cue| {
            let between = self.text.get(self.after.start..cue.start).unwrap_or("");
            between.len() <= 2 && !between.contains(',')
        })
    }

    fn is_beside(&self) -> bool {
        self.reaching(Role::Beside, 5, false).is_some() || self.is_behind(Role::BesideBehind)
    }

    /// True for `~~[3]~~`.
    fn is_struck(&self) -> bool {
        let before = &self.text[self.before.clone()];
        let after = &self.text[self.after.clone()];
        before.matches("~~").count() % 2 == 1 && after.contains("~~")
    }
}

/// True if the words in `gap` take back what was said before it.
fn is_corrected(text: &str, cues: &Cues, gap: Range<usize>) -> bool {
    if cues.any(gap.clone(), Role::Corrects) {
        return true;
    }
    // "No, …" answers what was said; "no [3]" denies what follows.
    cues.all(gap.clone(), Role::Denies).any(|cue| {
        let word = text.get(cue.start..cue.end).unwrap_or("");
        let after = text.get(cue.end..gap.end).unwrap_or("");
        let begins = text[..cue.start].trim_end_matches([' ', '*', '"']);
        let begins = begins.is_empty() || begins.ends_with(['.', '?', '!', '…', '\n', '—', '–', ',', ';']);
        word.eq_ignore_ascii_case("no") && begins && after.starts_with([',', '.', '!', '—', ' ', '-'])
            && (!after.starts_with(' ') || after.trim_start().starts_with(['—', '–', '-']))
    })
}

/// Mention number `index` corrects what was said before of the same thing.
fn take_back(text: &str, cues: &Cues, mentions: &mut [Mention], index: usize) {
    let marks = mentions[index].marks.clone();
    let recent = index.saturating_sub(RECENT)..index;
    let subject = content(text, cues, subject_of(text, mentions, index));
    let same: Vec<usize> = recent
        .clone()
        .filter(|&other| {
            let words = content(text, cues, subject_of(text, mentions, other));
            words.iter().any(|word| subject.contains(word))
        })
        .collect();
    let taken = if same.is_empty() {
        // "Wait, it is [4]": the last one that was named, and those it was listed with.
        let mut taken = Vec::new();
        for other in recent.rev() {
            let listed = taken.is_empty() || {
                let gap = mentions[other].span.end..mentions[other + 1].span.start;
                let between = text.get(gap.clone()).unwrap_or("");
                let short = words::words(between).all(|word| {
                    words::at(between, word.start, Role::Joins).is_some()
                        || words::at(between, word.start, Role::Announces).is_some()
                });
                let vague = content(text, cues, subject_of(text, mentions, other + 1)).is_empty();
                short || vague && between.len() < NEAR && !between.contains("\n\n")
            };
            if !listed {
                break;
            }
            taken.push(other);
        }
        taken
    } else {
        same
    };
    for other in taken {
        let earlier = &mut mentions[other];
        if earlier.polarity == Polarity::Asserted && earlier.marks != marks {
            earlier.polarity = Polarity::Replaced;
        }
    }
}

/// What stands before a mention in its sentence.
fn subject_of(text: &str, mentions: &[Mention], index: usize) -> Range<usize> {
    let span = &mentions[index].span;
    let last = index.checked_sub(1).map_or(0, |last| mentions[last].span.end);
    let start = floor(text, last.max(span.start.saturating_sub(NEAR)));
    sentence_start(text, start..span.start)..span.start
}

/// The words in `part` that say what something is.
fn content(text: &str, cues: &Cues, part: Range<usize>) -> Vec<String> {
    const EMPTY: [&str; 34] = [
        "it", "its", "s", "i", "think", "say", "see", "one", "should", "would", "could", "might",
        "probably", "likely", "looks", "seems", "correct", "right", "let", "me", "at", "again",
        "now", "here", "there", "be", "in", "fact", "seen", "well", "more", "closer", "ll", "d",
    ];
    let inside = text.get(part.clone()).unwrap_or("");
    let found = cues.within(part.clone());
    let says = |word: &Range<usize>| {
        let at = part.start + word.start;
        found.iter().any(|cue| cue.start <= at && at < cue.end)
    };
    words::words(inside)
        .filter(|word| !says(word))
        .map(|word| inside[word].to_lowercase())
        .filter(|word| !EMPTY.contains(&word.as_str()))
        .collect()
}

/// "3 to 6 except 5": takes what is excepted or denied out of a list that was named just before
/// it, or behind.
fn except(text: &str, mentions: &mut [Mention], index: usize) {
    let polarity = mentions[index].polarity;
    if !matches!(polarity, Polarity::Excepted | Polarity::Denied) {
        return;
    }
    let excepted = mentions[index].marks.clone();
    let near = |range: Range<usize>| {
        let between = text.get(range).unwrap_or("");
        between.len() < NEAR && !between.contains("\n\n")
    };
    let holds = |mention: &Mention| {
        mention.polarity == Polarity::Asserted
            && mention.marks.len() > excepted.len()
            && !excepted.is_empty()
            && excepted.iter().all(|id| mention.marks.contains(id))
    };
    let start = mentions[index].span.start;
    let before = mentions[index.saturating_sub(4)..index]
        .iter()
        .rposition(|mention| holds(mention) && near(mention.span.end..start))
        .map(|place| index.saturating_sub(4) + place);
    let behind = mentions.get(index + 1).is_some_and(|next| {
        polarity == Polarity::Excepted && holds(next) && near(mentions[index].span.end..next.span.start)
    });
    let Some(list) = before.or(behind.then_some(index + 1)) else {
        return;
    };
    mentions[list].marks.retain(|id| !excepted.contains(id));
    mentions[index].polarity = Polarity::Excepted;
}

/// What is denied in the end was not meant before: "It is [3]. … It is not [3] but [4]."
fn deny_earlier(mentions: &mut [Mention]) {
    for index in 1..mentions.len() {
        if mentions[index].polarity != Polarity::Denied {
            continue;
        }
        let marks = mentions[index].marks.clone();
        let again = mentions.get(index + 1..index + 4).unwrap_or(&[]);
        if again.iter().any(|later| later.is_meant() && later.marks == marks) {
            continue;
        }
        // Only what was said just before: further off, something else may have been asked.
        if let Some(earlier) = mentions[index.saturating_sub(3)..index]
            .iter_mut()
            .rev()
            .find(|earlier| earlier.marks == marks && earlier.is_meant())
        {
            earlier.polarity = Polarity::Replaced;
        }
    }
}

/// Where the last sentence of a part begins.
fn sentence_start(text: &str, part: Range<usize>) -> usize {
    let inside = text.get(part.clone()).unwrap_or("");
    let mut start = 0;
    for (at, c) in inside.char_indices() {
        let after = &inside[at + c.len_utf8()..];
        let before = &inside[..at];
        let ends = match c {
            '\n' | ';' | '{' | '}' => true,
            '.' | '!' | '?' | '…' => {
                after.starts_with([' ', '\n', '"', ')', '*']) && !is_abbreviation(before)
                    || c == '…' && after.is_empty()
            }
            ':' => before.ends_with('"') && before.len() > 1,
            '|' => true,
            _ => false,
        };
        if ends {
            start = at + c.len_utf8();
        }
    }
    part.start + start
}

fn is_abbreviation(before: &str) -> bool {
    let word = before.rsplit(|c: char| !words::is_word(c)).next().unwrap_or("");
    matches!(
        word.to_lowercase().as_str(),
        "no" | "nr" | "vs" | "e.g" | "i.e" | "approx" | "núm" | "nro" | "fig"
    )
}

/// Where the first sentence of a part ends.
fn sentence_end(text: &str, part: Range<usize>) -> usize {
    let inside = text.get(part.clone()).unwrap_or("");
    for (at, c) in inside.char_indices() {
        let after = &inside[at + c.len_utf8()..];
        let ends = match c {
            '\n' | ';' | '|' | '{' | '}' => true,
            '.' | '!' | '?' => after.is_empty() || after.starts_with([' ', '\n', '"', ')', '*']),
            _ => false,
        };
        if ends {
            return part.start + at;
        }
    }
    part.end
}

/// The boundary of a character at or after `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}
