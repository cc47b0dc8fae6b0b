//! `track`: where are the objects of the first image in the others?

use std::ops::Range;

use super::{
    grounded::{Finding, Named},
    json,
    said::{is_conjunction, names_behind_tie, says_none},
};
use crate::{
    Scene,
    ground::{Mention, Names, Status},
};

/// The marks that are looked for: those chosen, or all of the first image.
pub(super) fn targets(chosen: &[u32], scene: &Scene<'_>) -> Vec<u32> {
    if chosen.is_empty() {
        scene.on_image(0).map(|mark| mark.id).collect()
    } else {
        chosen.to_vec()
    }
}

/// The marks of all further images.
pub(super) fn elsewhere(scene: &Scene<'_>) -> Vec<u32> {
    let marks = scene.marks.iter().filter(|mark| mark.image > 0);
    marks.map(|mark| mark.id).collect()
}

/// One finding for each mark that was looked for.
pub(super) fn read(
    answer: &str,
    mentions: &[Mention],
    chosen: &[u32],
    scene: &Scene<'_>,
) -> Vec<Finding> {
    let elsewhere = elsewhere(scene);
    let targets = targets(chosen, scene);
    let mut found: Vec<(u32, Named)> = Vec::new();
    let names = Names::new(scene);
    if let Some(value) = json::value_in(answer) {
        for pair in json::pairs(&value, &names) {
            found.extend(pair.of.marks.iter().map(|&of| (of, pair.found.clone())));
        }
    }
    if found.is_empty() {
        found = written(answer, mentions, &targets, &names);
    }
    targets
        .into_iter()
        .map(|of| {
            let named = found.iter().find(|(id, _)| *id == of);
            let mut named = named.map_or(Named::MISSING, |(_, named)| named.clone());
            let all = named.marks.len();
            named.marks.retain(|id| elsewhere.contains(id));
            if named.marks.len() < all {
                // A mark of the first image is not where the object went.
                named.status = named.status.max(Status::Unknown);
            }
            Finding {
                of: Some(of),
                ..Finding::new("", named)
            }
        })
        .collect()
}

/// `[1]: [9]`, `mark 1 is mark 9 in image 2`, `[1] → none`: in each line, a mark that is looked
/// for opens an entry, and other marks fill it.
fn written(
    answer: &str,
    mentions: &[Mention],
    targets: &[u32],
    names: &Names,
) -> Vec<(u32, Named)> {
    let mut found: Vec<(u32, Named)> = Vec::new();
    let mut rest = mentions;
    let mut end = 0;
    for line in answer.split_inclusive('\n') {
        end += line.len();
        let (inside, later) = rest.split_at(rest.partition_point(|m| m.span.start < end));
        rest = later;
        let mut entries = opened(answer, inside, end, targets);
        let mut none = false;
        for entry in entries
            .iter_mut()
            .rev()
            .filter(|entry| entry.found.is_none())
        {
            let tail = answer.get(entry.tail.clone()).unwrap_or("");
            // "[1] and [2] are gone": what is said of the next is said of this one, too.
            none = says_none(tail) || none && is_conjunction(tail);
            let listed = names_behind_tie(tail, names);
            entry.found = listed.or_else(|| none.then_some(Named::NONE));
        }
        let said = |entry: Entry| (entry.of, entry.found.unwrap_or(Named::MISSING));
        found.extend(entries.into_iter().map(said));
    }
    found
}

/// A mark that is looked for, and what its line says of it.
struct Entry {
    of: u32,
    /// The marks that fill it.
    found: Option<Named>,
    /// What stands behind its mention, up to the next one.
    tail: Range<usize>,
}

/// The entries of the line that ends at `end`, filled by its other marks.
fn opened(answer: &str, mentions: &[Mention], end: usize, targets: &[u32]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    // "[9] is the same as [1]": found before it is said what.
    let mut early: Option<Named> = None;
    for (index, mention) in mentions.iter().enumerate() {
        let (of, there): (Vec<u32>, Vec<u32>) =
            mention.marks.iter().partition(|id| targets.contains(id));
        let next = mentions.get(index + 1).map_or(end, |next| next.span.start);
        let opens = !of.is_empty();
        entries.extend(of.into_iter().map(|of| Entry {
            of,
            found: early.take(),
            tail: mention.span.end..next,
        }));
        if opens && there.is_empty() && mention.status == Status::Resolved {
            continue;
        }
        // Once an entry is filled, the next sentence is about another one.
        let previous = index.checked_sub(1).map(|previous| &mentions[previous]);
        let between = previous.and_then(|last| answer.get(last.span.end..mention.span.start));
        let apart = between.is_some_and(|between| between.contains(". ") || between.contains("; "));
        let into = match entries.last_mut() {
            Some(entry) if entry.found.is_none() || !apart && early.is_none() => &mut entry.found,
            _ => &mut early,
        };
        fill(into, mention.status, there);
    }
    if let (Some(entry), Some(early)) = (entries.last_mut(), early) {
        fill(&mut entry.found, early.status, early.marks);
    }
    entries
}

fn fill(into: &mut Option<Named>, status: Status, marks: Vec<u32>) {
    let into = into.get_or_insert(Named::NONE);
    into.status = into.status.max(status);
    into.marks.extend(marks);
}
