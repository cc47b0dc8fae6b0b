//! What later words do to earlier mentions: corrections, exceptions, denials.

use std::ops::Range;

use super::{
    NEAR,
    sentence::{floor, sentence_start},
};
use crate::ground::{
    Mention, Polarity,
    forms::takes_back,
    words::{self, Cue, Cues, Role},
};

/// Mentions before a correction that it may take back.
const RECENT: usize = 16;

/// True if the words in `gap` take back what was said before it.
pub(super) fn is_corrected(text: &str, cues: &Cues, gap: Range<usize>) -> bool {
    let denies_there = |cue: &Cue| {
        // "Wait, there is no spoon; [2] is a fork"
        let said = text.get(cue.end..gap.end).unwrap_or("");
        let ended = said.trim_end().ends_with([';', '.', ':']);
        ended && cues.any(cue.end..gap.end, Role::None)
    };
    let corrects = cues.all(gap.clone(), Role::Corrects).next_back();
    if corrects.is_some_and(|cue| !denies_there(&cue)) {
        return true;
    }
    // "7, sorry meant 8"
    let terse = gap.len() < NEAR / 4 && gap.start + NEAR / 4 > text.len() - gap.len();
    if terse && takes_back(text.get(gap.clone()).unwrap_or("")) {
        return true;
    }
    // "No, …" answers what was said; "no [3]" denies what follows.
    cues.all(gap.clone(), Role::Denies).any(|cue| {
        let word = text.get(cue.start..cue.end).unwrap_or("");
        let after = text.get(cue.end..gap.end).unwrap_or("");
        let begins = text[..cue.start].trim_end_matches([' ', '*', '"']);
        let begins =
            begins.is_empty() || begins.ends_with(['.', '?', '!', '…', '\n', '—', '–', ',', ';']);
        word.eq_ignore_ascii_case("no")
            && begins
            && after.starts_with([',', '.', '!', '—', ' ', '-'])
            && (!after.starts_with(' ') || after.trim_start().starts_with(['—', '–', '-']))
    })
}

/// Mention number `index` corrects what was said before of the same thing.
pub(super) fn take_back(text: &str, cues: &Cues, mentions: &mut [Mention], index: usize) {
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
    // "The cup is [2]... wait, [2] is a bowl": it is said to be something else.
    let end = mentions[index].span.end;
    let renames = words::at(
        text,
        end + usize::from(text[end..].starts_with(' ')),
        Role::Is,
    )
    .is_some();
    for other in taken {
        let earlier = &mut mentions[other];
        if earlier.polarity == Polarity::Asserted && (earlier.marks != marks || renames) {
            earlier.polarity = Polarity::Replaced;
        }
    }
}

/// "[4] and [5] are wrong": denies the mentions that number `index`, which is denied, goes on with.
pub(super) fn deny_list(mentions: &mut [Mention], joined: &[bool], index: usize) {
    let mut last = index;
    while last > 0 && joined.get(last).copied().unwrap_or(false) {
        last -= 1;
        if mentions[last].polarity != Polarity::Asserted {
            return;
        }
        mentions[last].polarity = Polarity::Denied;
    }
}

/// "[2]? It is a bowl. [3]? Yes.": what is asked and not affirmed is no longer meant once something
/// else is.
pub(super) fn answer_questions(text: &str, mentions: &mut [Mention]) {
    /// What answers the question is not further off, in mentions.
    const NEXT: usize = 3;
    for index in 0..mentions.len() {
        let after = &text[mentions[index].span.end..];
        let reply = after.trim_start_matches([')', '*', ']', '"']);
        let reply = reply
            .strip_prefix('?')
            .map(|reply| reply.trim_start_matches([' ', '*', '\n', '–', '—', '-']));
        // "5? Or maybe 2" wavers.
        let kept = [Role::Affirms, Role::Joins];
        let asked = reply.map(|reply| kept.iter().all(|role| words::at(reply, 0, *role).is_none()));
        let denied = reply.is_some_and(|reply| {
            let role = |role| words::at(reply, 0, role).is_some();
            role(Role::Denies) || role(Role::Corrects)
        });
        let later = index + 1..mentions.len().min(index + 1 + NEXT);
        let answered = mentions[later]
            .iter()
            .any(|later| later.is_meant() && later.marks != mentions[index].marks);
        if asked == Some(true) && answered && mentions[index].is_meant() {
            mentions[index].polarity = Polarity::Replaced;
        }
        // "2? No, 2 is the shadow."
        let marks = mentions[index].marks.clone();
        if let Some(next) = mentions.get_mut(index + 1)
            && denied
            && answered
            && next.marks == marks
            && next.is_meant()
        {
            next.polarity = Polarity::Replaced;
        }
    }
}

/// Takes back the list of mentions that ends before number `index`.
pub(super) fn replace_list(text: &str, mentions: &mut [Mention], index: usize) {
    for other in (index.saturating_sub(RECENT)..index).rev() {
        let listed = other + 1 == index || {
            let gap = mentions[other].span.end..mentions[other + 1].span.start;
            let between = text.get(gap).unwrap_or("");
            between.len() < 16
                && words::words(between)
                    .all(|word| words::at(between, word.start, Role::Joins).is_some())
        };
        if !listed || !mentions[other].is_meant() {
            return;
        }
        mentions[other].polarity = Polarity::Replaced;
    }
}

/// What stands before a mention in its sentence.
fn subject_of(text: &str, mentions: &[Mention], index: usize) -> Range<usize> {
    let span = &mentions[index].span;
    let last = index
        .checked_sub(1)
        .map_or(0, |last| mentions[last].span.end);
    let start = floor(text, last.max(span.start.saturating_sub(NEAR)));
    sentence_start(text, start..span.start)..span.start
}

/// The words that say what mention number `index` is said of: before it, or before those that it
/// goes on with in its sentence.
fn clause_content(text: &str, cues: &Cues, mentions: &[Mention], index: usize) -> Vec<String> {
    /// A clause names no more marks before it.
    const MOST: usize = 3;
    let mut at = index;
    loop {
        let subject = subject_of(text, mentions, at);
        let words = content(text, cues, subject.clone());
        let last = at.checked_sub(1).map(|last| mentions[last].span.end);
        if !words.is_empty() || last != Some(subject.start) || at + MOST == index {
            return words;
        }
        at -= 1;
    }
}

/// The words in `part` that say what something is.
fn content(text: &str, cues: &Cues, part: Range<usize>) -> Vec<String> {
    let inside = text.get(part.clone()).unwrap_or("");
    let found = cues.within(part.clone());
    let says = |word: &Range<usize>| {
        let at = part.start + word.start;
        let does = |cue: &&Cue| !cue.role.names_thing();
        let mut found = found.iter().filter(does);
        found.any(|cue| cue.start <= at && at < cue.end)
    };
    words::words(inside)
        .filter(|word| !says(word) && words::at(inside, word.start, Role::Vague).is_none())
        .map(|word| inside[word].to_lowercase())
        .collect()
}

/// "3 to 6 except 5": takes what is excepted or denied out of a list that was named just before
/// it, or behind.
pub(super) fn except(text: &str, mentions: &mut [Mention], index: usize) {
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
        polarity == Polarity::Excepted
            && holds(next)
            && near(mentions[index].span.end..next.span.start)
    });
    let Some(list) = before.or(behind.then_some(index + 1)) else {
        return;
    };
    mentions[list].marks.retain(|id| !excepted.contains(id));
    mentions[index].polarity = Polarity::Excepted;
}

/// What is denied in the end was not meant before: "It is [3]. … It is not [3] but [4]."
/// What is said of another thing takes nothing back: "the cat is not [1] but [3], the dog not [3] but
/// [1]".
pub(super) fn deny_earlier(text: &str, cues: &Cues, mentions: &mut [Mention]) {
    for index in 1..mentions.len() {
        if mentions[index].polarity != Polarity::Denied {
            continue;
        }
        let marks = mentions[index].marks.clone();
        let again = mentions.get(index + 1..index + 4).unwrap_or(&[]);
        // What leads nowhere is not the same as anything.
        if marks.is_empty()
            || again
                .iter()
                .any(|later| later.is_meant() && later.marks == marks)
        {
            continue;
        }
        // Only what was said just before: further off, something else may have been asked.
        let near = index.saturating_sub(3);
        let Some(earlier) = mentions[near..index]
            .iter()
            .rposition(|earlier| earlier.marks == marks && earlier.is_meant())
            .map(|place| near + place)
        else {
            continue;
        };
        let denied = clause_content(text, cues, mentions, index);
        let said = clause_content(text, cues, mentions, earlier);
        // Each of them is told from the other.
        let contrasted = [earlier.checked_sub(1), Some(earlier + 1)]
            .into_iter()
            .flatten()
            .any(|next| next != index && mentions[next].polarity == Polarity::Denied);
        // "The taller child: [2]. The child with glasses: [4], not [2]."
        let instead = mentions[index - 1].is_meant()
            && index - 1 != earlier
            && !text[mentions[index - 1].span.end..mentions[index].span.start]
                .contains(['.', '\n']);
        let told_apart = denied.iter().any(|word| !said.contains(word))
            && said.iter().any(|word| !denied.contains(word));
        let other = !denied.is_empty()
            && !said.is_empty()
            && (contrasted && !denied.iter().any(|word| said.contains(word))
                || instead && told_apart);
        if !other {
            mentions[earlier].polarity = Polarity::Replaced;
        }
    }
}
