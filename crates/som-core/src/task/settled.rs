//! Which of several marks an answer comes down to, and whether it wavers between them.

use std::ops::Range;

use super::{grounded::Named, said::list_length, spoken::Spoken};
use crate::ground::{Mention, Polarity, Role, Status, words};

/// All that the answer means, without what it names to say where that is. Several marks in running
/// text, or between which it wavers, are ambiguous.
pub(super) fn meant_of_one(spoken: &Spoken<'_>) -> Option<Named> {
    let zipped = spoken.mentions.iter().zip(spoken.beside);
    let free = zipped.filter(|(mention, beside)| mention.is_meant() && !**beside);
    let mut meant: Vec<Mention> = free.map(|(mention, _)| mention.clone()).collect();
    if meant.is_empty() {
        meant = spoken.meant().cloned().collect();
    }
    let named = Named::by(&meant)?;
    let located = meant.iter().all(|mention| mention.location.is_some());
    let one_list = list_length(spoken.text, &meant) == meant.len() || are_items(spoken, &meant);
    let wavers = named.marks.len() > 1 && wavers(spoken, &meant);
    if named.marks.len() > 1 && (!located && !one_list || wavers) {
        return Some(vague(named));
    }
    Some(named)
}

/// "Either [4] or [5], but I'd say [4]", "[2] and [4], only [4] is red": the mark that is named once
/// more in the end.
pub(super) fn settled(spoken: &Spoken<'_>) -> Option<Named> {
    let meant: Vec<&Mention> = spoken.meant().collect();
    let [earlier @ .., before, last] = &meant[..] else {
        return None;
    };
    let again = earlier.iter().any(|other| other.marks == last.marks) || before.marks == last.marks;
    // "[5] is larger than [7], but the ripe one is [7]"
    let compared = spoken.mentions.iter().any(|other| {
        other.polarity == Polarity::Compared
            && other.marks == last.marks
            && other.span.start > before.span.start
    });
    let from = spoken
        .mentions
        .iter()
        .rfind(|other| other.span.end <= last.span.start)
        .map_or(before.span.end, |other| other.span.end);
    let between = from.max(before.span.end)..last.span.start;
    let settled = (again || compared) && settles(spoken, between) || names_again(spoken, &meant);
    settled.then(|| Named::by([*last])).flatten()
}

/// "Of the three dogs, [2], [3] and [7], the leftmost is [3]": behind a list, one of its marks alone is
/// named once more, and ends what is said of it.
fn names_again(spoken: &Spoken<'_>, meant: &[&Mention]) -> bool {
    let [listed @ .., last] = meant else {
        return false;
    };
    let list: Vec<Mention> = listed.iter().map(|mention| (*mention).clone()).collect();
    let marks = Named::by(&list).map_or(Vec::new(), |named| named.marks);
    let one = last.marks.len() == 1 && marks.len() > 1 && marks.contains(&last.marks[0]);
    let end = list.last().map_or(0, |mention| mention.span.end);
    let lead = spoken
        .get(end..last.span.start)
        .trim_end_matches([' ', '*', '[', '"', '(']);
    let named = words::words(lead).any(|word| {
        [Role::Copula, Role::Answers, Role::Announces]
            .iter()
            .any(|role| words::at(lead, word.start, *role) == Some(lead.len()))
    });
    let closed = spoken
        .get(last.span.end..spoken.part.end)
        .trim_start_matches([']', '*', '"', ')']);
    let ends = closed.is_empty() || closed.starts_with(['.', ',', '!', '\n', ';']);
    one && list_length(spoken.text, &list) == list.len() && named && ends
}

/// True if the words in `range` choose one of what was named.
fn settles(spoken: &Spoken<'_>, range: Range<usize>) -> bool {
    spoken.cues.any(range.clone(), Role::Contrasts) || spoken.cues.any(range, Role::Only)
}

pub(super) fn vague(mut named: Named) -> Named {
    named.status = named.status.max(Status::Ambiguous);
    named
}

/// True if each stands at the start of a line of its own.
fn are_items(spoken: &Spoken<'_>, mentions: &[Mention]) -> bool {
    /// What an item begins with is shorter, in characters.
    const SHORT: usize = 16;
    let indent = |c: &char| !c.is_alphabetic() && *c != '\n' && !c.is_ascii_digit();
    mentions.iter().enumerate().all(|(index, mention)| {
        let before = spoken.get(0..mention.span.start).chars().rev();
        let marks = before.clone().take(SHORT).take_while(indent).count();
        let next = before.clone().nth(marks);
        marks < SHORT
            && (next == Some('\n') || next.is_none() && index == 0 || is_numbered(before, marks))
    })
}

/// True if a number and a line's start stand before the marks that an item begins with.
fn is_numbered(before: impl Iterator<Item = char>, marks: usize) -> bool {
    let mut rest = before.skip(marks).skip_while(char::is_ascii_digit);
    matches!(rest.next(), Some('\n') | None)
}

/// True for "[3] or [5]" and "either [3] or [5]".
pub(super) fn wavers(spoken: &Spoken<'_>, mentions: &[Mention]) -> bool {
    let between = mentions.windows(2).any(|pair| {
        let between = pair[0].span.end..pair[1].span.start;
        between.len() < 40 && spoken.cues.any(between, Role::Hedges)
    });
    let within = |mention: &Mention| spoken.cues.any(mention.span.clone(), Role::Hedges);
    between || mentions.iter().any(within)
}
