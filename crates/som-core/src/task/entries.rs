//! The marks that are looked for in a line, and what the line says that each became.

use std::{collections::HashSet, ops::Range};

use super::{grounded::Named, said::is_conjunction, spoken::Spoken};
use crate::ground::{Mention, Role, Status};

/// A mark that is looked for, and what its line says of it.
pub(super) struct Entry {
    pub(super) of: u32,
    /// The marks that fill it.
    pub(super) found: Option<Named>,
    /// What stands before its mention in its sentence, and behind it, up to the next one.
    pub(super) head: Range<usize>,
    pub(super) tail: Range<usize>,
}

/// The entries of the line that ends at `end`, filled by its other marks.
pub(super) fn opened(
    spoken: &Spoken<'_>,
    mentions: &[Mention],
    end: usize,
    first: &HashSet<u32>,
) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    // "[9] is the same as [1]": found before it is said what.
    let mut early: Option<Named> = None;
    // "[5] was [1], [4] was [2]": so is the whole line.
    let is_target = |mention: &Mention| mention.marks.iter().any(|id| first.contains(id));
    let reversed = matches!(mentions, [there, of, ..] if !is_target(there) && is_target(of));
    for (index, mention) in mentions.iter().enumerate() {
        let (of, there): (Vec<u32>, Vec<u32>) =
            mention.marks.iter().partition(|id| first.contains(id));
        let next = mentions.get(index + 1).map_or(end, |next| next.span.start);
        let opens = !of.is_empty();
        // What the sentence before named is not what this mark became.
        let ended = index.checked_sub(1).is_some_and(|last| {
            let between = spoken.get(mentions[last].span.end..mention.span.start);
            between.contains(". ") || between.contains(['\n', ';'])
        });
        if opens && ended {
            early = None;
        }
        entries.extend(of.into_iter().map(|of| Entry {
            of,
            found: early.take(),
            head: head_of(spoken, mentions, index),
            tail: mention.span.end..next,
        }));
        if opens && there.is_empty() && mention.status == Status::Resolved {
            continue;
        }
        // Once an entry is filled, the next sentence is about another one.
        let previous = index.checked_sub(1).map(|previous| &mentions[previous]);
        let between = previous.map(|last| spoken.get(last.span.end..mention.span.start));
        let apart = between.is_some_and(|between| {
            [". ", "; ", ", ", "|"]
                .iter()
                .any(|end| between.contains(end))
                && !is_conjunction(between)
        });
        // "[3] is occluded by [7]": what hides it is not what it became.
        let hidden = entries.last().filter(|entry| entry.found.is_none());
        if !opens
            && let Some(entry) = hidden
            && spoken
                .cues
                .any(entry.tail.start..mention.span.start, Role::Leaves)
        {
            continue;
        }
        // "It moved behind [6], now [5]"
        let now = !reversed
            && previous.is_some_and(|last| {
                let between = last.span.end..mention.span.start;
                spoken.cues.any(between, Role::Now)
            });
        let free = !reversed && !apart && early.is_none();
        let into = match entries.last_mut() {
            Some(entry) if entry.found.is_none() || free || now => &mut entry.found,
            _ => &mut early,
        };
        // "[5] or [6]"
        let wavers = into.is_some()
            && previous.is_some_and(|last| {
                let between = last.span.end..mention.span.start;
                spoken.cues.any(between, Role::Hedges)
            });
        if now {
            *into = None;
        }
        let status = if wavers {
            mention.status.max(Status::Ambiguous)
        } else {
            mention.status
        };
        fill(into, status, there);
    }
    if let (Some(entry), Some(early)) = (entries.last_mut(), early)
        && entry.found.is_none()
    {
        fill(&mut entry.found, early.status, early.marks);
    }
    entries
}

/// What stands before a mention in its sentence: "there is no counterpart for".
fn head_of(spoken: &Spoken<'_>, mentions: &[Mention], index: usize) -> Range<usize> {
    /// What is further off, in bytes, is said of something else.
    const NEAR: usize = 80;
    let end = mentions[index].span.start;
    let last = index
        .checked_sub(1)
        .map_or(0, |last| mentions[last].span.end);
    let mut start = last.max(end.saturating_sub(NEAR));
    while !spoken.text.is_char_boundary(start) {
        start += 1;
    }
    let text = spoken.get(start..end);
    let sentence = text.rfind(['.', '\n', ';', '|']).map_or(0, |end| end + 1);
    // Behind another mark it is said of that one.
    let free = index == 0 || sentence > 0;
    if free {
        start + sentence..end
    } else {
        end..end
    }
}

fn fill(into: &mut Option<Named>, status: Status, marks: Vec<u32>) {
    let into = into.get_or_insert(Named::NONE);
    into.status = into.status.max(status);
    into.marks.extend(marks);
}

/// "[1] and [2] became [5]", "[1] and [2] are [5] and [4]": what stands behind the last of several
/// that are listed is said of all of them, or of each.
pub(super) fn share(spoken: &Spoken<'_>, entries: &mut [Entry]) {
    let mut last = entries.len();
    while last > 1 {
        last -= 1;
        let listed =
            |entry: &Entry| entry.found.is_none() && is_conjunction(spoken.get(entry.tail.clone()));
        let mut from = last;
        // "1 and 2" in one: what follows stands behind both.
        let same = |at: usize| entries[at - 1].tail == entries[at].tail;
        while from > 0 && (listed(&entries[from - 1]) || same(from)) {
            from -= 1;
        }
        let listed = from..=last;
        let group = last - from + 1;
        let named = entries[last].found.clone().filter(|_| group > 1);
        last = from;
        // What each was given before stays.
        let given = |entry: &Entry| entry.found.is_some() && entry.found != named;
        if entries[listed.clone()].iter().any(given) {
            continue;
        }
        let Some(named) = named else {
            continue;
        };
        for (index, entry) in entries[listed].iter_mut().enumerate() {
            let marks = match named.marks[..] {
                [one] => vec![one],
                ref each if each.len() == group => vec![each[index]],
                _ => continue,
            };
            let status = named.status;
            entry.found = Some(Named { marks, status });
        }
    }
}
