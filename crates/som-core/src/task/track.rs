//! `track`: where are the objects of the first image in the others?

use std::{collections::HashSet, ops::Range};

use super::{
    entries::{Entry, opened, share},
    grounded::{Finding, Named},
    json, mapping, order,
    said::{is_conjunction, names_behind_tie},
    spoken::Spoken,
};
use crate::{
    Scene,
    ground::{Mention, Polarity, Role, Setting, Status, is_quantity, list_at, words},
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
pub(super) fn read(spoken: &Spoken<'_>, chosen: &[u32]) -> Vec<Finding> {
    let elsewhere: HashSet<u32> = elsewhere(spoken.scene).into_iter().collect();
    let first: HashSet<u32> = spoken.scene.on_image(0).map(|mark| mark.id).collect();
    let targets = targets(chosen, spoken.scene);
    let mut found: Vec<(u32, Named)> = Vec::new();
    for pair in json::founds(spoken, &|id| first.contains(&id)) {
        found.extend(pair.of.marks.iter().map(|&of| (of, pair.found.clone())));
    }
    if found.is_empty() {
        found = mapping::in_lists(spoken, &first)
            .or_else(|| mapping::read(spoken, &first))
            .or_else(|| pairs(spoken, &first))
            .unwrap_or_else(|| in_words(spoken, &first));
    }
    if found.iter().all(|(_, named)| *named == Named::MISSING) {
        let gone = all_gone(spoken, &targets);
        found = if gone.is_empty() {
            in_order(spoken, &targets)
        } else {
            gone
        };
    }
    let of_target = |of: u32| {
        // What is said last of it stands, if it says something.
        let own = found.iter().filter(|(id, _)| *id == of);
        let says = |(_, named): &&(u32, Named)| *named != Named::MISSING;
        let mut named = own.clone().rfind(says).map(|(_, named)| named.clone());
        // "[1] → [5]. … [1] is red": what says nothing of where it went takes nothing back.
        if named.as_ref().is_some_and(|named| named.marks.is_empty()) {
            named = own
                .clone()
                .rfind(|(_, named)| named.marks.iter().any(|id| elsewhere.contains(id)))
                .map(|(_, named)| named.clone())
                .filter(|_| !says_gone_last(&found, of))
                .or(named);
        }
        let mut named = named.unwrap_or(Named::MISSING);
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
    };
    targets.into_iter().map(of_target).collect()
}

/// What the answer's mentions say; nothing of it is sure where others were passed over.
fn in_words(spoken: &Spoken<'_>, first: &HashSet<u32>) -> Vec<(u32, Named)> {
    let mut found = written(spoken, first);
    if leaves_names(spoken) {
        let named = found
            .iter_mut()
            .filter(|(_, named)| !named.marks.is_empty());
        named.for_each(|(_, named)| named.status = named.status.max(Status::Ambiguous));
    }
    found
}

/// True if a number that begins a clause, and of which it speaks, was not read: what stands beside it may
/// be said of another mark.
fn leaves_names(spoken: &Spoken<'_>) -> bool {
    let text = spoken.get(spoken.part.clone());
    words::words(text).any(|word| {
        let at = spoken.part.start + word.start;
        let next = spoken
            .mentions
            .partition_point(|mention| mention.span.end <= at);
        let read = spoken
            .mentions
            .get(next)
            .is_some_and(|mention| mention.span.start <= at);
        let number = text[word.clone()].bytes().all(|byte| byte.is_ascii_digit());
        if read || !number || is_quantity(text, word.end) {
            return false;
        }
        let before = text[..word.start].trim_end_matches([' ', '&']);
        let begins = before.is_empty() || before.ends_with([',', '.', ';', ':', '\n']);
        let rest = text[word.end..].trim_start_matches(' ');
        let told = [Role::Is, Role::Copula, Role::Becomes]
            .iter()
            .any(|role| words::at(rest, 0, *role).is_some());
        let item = rest.starts_with(['.', ')']);
        let name = list_at(&text[word.clone()], 0, spoken.names, Setting::Enclosed);
        let known = name.is_some_and(|(name, _)| !name.mention(0..1).marks.is_empty());
        known && !item && begins && told
    })
}

/// True if the last thing that is said of a mark is that it is gone.
fn says_gone_last(found: &[(u32, Named)], of: u32) -> bool {
    let last = found.iter().rfind(|(id, _)| *id == of);
    last.is_some_and(|(_, named)| *named == Named::NONE)
}

/// `[[1, 5], [2, 4]]` and nothing else.
fn pairs(spoken: &Spoken<'_>, first: &HashSet<u32>) -> Option<Vec<(u32, Named)>> {
    let text = spoken.get(spoken.part.clone()).trim();
    if !text.starts_with("[[") && !text.starts_with("[(") && !text.starts_with('(') {
        return None;
    }
    let pairs: Option<Vec<(u32, Named)>> = spoken
        .mentions
        .iter()
        .map(|mention| match mention.marks[..] {
            [of, to] if first.contains(&of) => {
                let named = Named {
                    marks: vec![to],
                    status: mention.status,
                };
                Some((of, named))
            }
            _ => None,
        })
        .collect();
    pairs.filter(|pairs| !pairs.is_empty())
}

/// `1. [4]`, `2. none`: what is said of each by its order alone.
fn in_order(spoken: &Spoken<'_>, targets: &[u32]) -> Vec<(u32, Named)> {
    let said = order::in_order(spoken, targets.len()).unwrap_or_default();
    let each = targets.iter().zip(said);
    each.filter_map(|(&of, named)| Some((of, named?))).collect()
}

/// "All objects have disappeared."
fn all_gone(spoken: &Spoken<'_>, targets: &[u32]) -> Vec<(u32, Named)> {
    let part = spoken.part.clone();
    let all = spoken.cues.any(part.clone(), Role::All)
        || spoken.cues.any(part.clone(), Role::Neither)
        || spoken.cues.any(part.clone(), Role::Both)
        || spoken
            .cues
            .any(part.start..(part.start + 3).min(part.end), Role::None);
    let text = spoken.get(part.clone()).trim();
    let short = text.len() < 40 && !text.contains(|c: char| c.is_ascii_digit());
    if !spoken.says_none(part) || !(all || short) || !spoken.mentions.is_empty() {
        return Vec::new();
    }
    targets.iter().map(|&of| (of, Named::NONE)).collect()
}

/// `[1]: [9]`, `mark 1 is mark 9 in image 2`, `[1] → none`: in each line, a mark that is looked
/// for opens an entry, and other marks fill it.
fn written(spoken: &Spoken<'_>, first: &HashSet<u32>) -> Vec<(u32, Named)> {
    let mut found: Vec<(u32, Named)> = Vec::new();
    let meant: Vec<Mention> = spoken
        .mentions
        .iter()
        .filter(|mention| {
            // "[1] is not visible" denies where it is, not what is looked for.
            // "[2] is the same as [5]" compares nothing.
            mention.is_meant()
                || mention.polarity == Polarity::Compared
                || mention.marks.iter().any(|id| first.contains(id))
        })
        .cloned()
        .collect();
    let mut rest = &meant[..];
    let mut end = spoken.part.start;
    // The mark of a heading, whose lines follow.
    let mut headed: Option<u32> = None;
    for line in spoken.get(spoken.part.clone()).split_inclusive('\n') {
        let start = end;
        end += line.len();
        let (inside, later) = rest.split_at(rest.partition_point(|m| m.span.start < end));
        rest = later;
        let is_target = |mention: &Mention| mention.marks.iter().any(|id| first.contains(id));
        if let Some(of) = headed.filter(|_| !inside.iter().any(is_target)) {
            let named = below(spoken, inside, start..end);
            headed = headed.filter(|_| named.is_none());
            found.extend(named.map(|named| (of, named)));
            continue;
        }
        headed = None;
        let mut inside = inside;
        if let Some((each, taken)) = respectively(spoken, inside, start..end, first) {
            found.extend(each);
            inside = &inside[taken..];
        }
        let mut entries = opened(spoken, inside, end, first);
        share(spoken, &mut entries);
        let mut none = false;
        for entry in entries
            .iter_mut()
            .rev()
            .filter(|entry| entry.found.is_none())
        {
            let tail = spoken.get(entry.tail.clone());
            // "[1] and [2] are gone": what is said of the next is said of this one, too.
            none = says_gone(spoken, entry.tail.clone())
                || none && is_conjunction(tail)
                || spoken.says_none(entry.head.clone());
            let listed = names_behind_tie(&spoken.part(entry.tail.clone()));
            entry.found = listed.or_else(|| none.then_some(Named::NONE));
        }
        // "1 and 2 are 4 and 5"
        share(spoken, &mut entries);
        if let [entry] = &entries[..]
            && entry.found.is_none()
            && !spoken.get(entry.tail.clone()).contains(char::is_alphabetic)
        {
            headed = Some(entry.of);
        }
        let said = |entry: Entry| (entry.of, entry.found.unwrap_or(Named::MISSING));
        found.extend(entries.into_iter().map(said));
    }
    found
}

/// What a line below a heading says of its mark.
fn below(spoken: &Spoken<'_>, mentions: &[Mention], line: Range<usize>) -> Option<Named> {
    let free = mentions.iter().filter(|mention| mention.is_meant());
    Named::by(free).or_else(|| {
        let says = spoken.get(line.clone()).contains(char::is_alphabetic);
        let colon = spoken.get(line.clone()).find(':').map_or(0, |at| at + 1);
        (says && says_gone(spoken, line.start + colon..line.end)).then_some(Named::NONE)
    })
}

/// True if `range` says that something is not there, or is nothing but a denial: "[3] isn't."
fn says_gone(spoken: &Spoken<'_>, range: Range<usize>) -> bool {
    let text = spoken.get(range.clone());
    if spoken.says_none(range.clone()) || spoken.cues.any(range.clone(), Role::Leaves) {
        return true;
    }
    // "(The object marked 3) left."
    let clause = text.trim_end().trim_end_matches(['.', ',', ';', '!']);
    if words::words(clause).take(4).count() < 4
        && words::words(clause)
            .any(|word| words::at(clause, word.start, Role::Departs) == Some(clause.len()))
    {
        return true;
    }
    let mut denies = false;
    let mut passed = 0;
    for word in words::words(text).filter(|word| text[word.clone()].contains(char::is_alphabetic)) {
        if word.start < passed {
            continue;
        }
        let end = |role| words::at(text, word.start, role);
        let denial = end(Role::DeniesBehind).max(end(Role::Denies));
        let Some(end) = denial.max(end(Role::Is)).max(end(Role::Contrasts)) else {
            return false;
        };
        denies |= denial.is_some();
        passed = end;
    }
    denies
}

/// "[1] and [2] are [5] and [4], respectively": as many marks of the first image, one after the
/// other, as of others; and how many mentions of the line say so.
fn respectively(
    spoken: &Spoken<'_>,
    mentions: &[Mention],
    line: Range<usize>,
    first: &HashSet<u32>,
) -> Option<(Vec<(u32, Named)>, usize)> {
    let each = spoken.cues.all(line.clone(), Role::Each).next()?;
    let sentence = spoken.get(each.end..line.end);
    let end = each.end + sentence.find(['.', ';']).unwrap_or(sentence.len());
    let taken = mentions.partition_point(|mention| mention.span.start < end);
    let mentions = &mentions[..taken];
    let marks: Vec<u32> = mentions
        .iter()
        .flat_map(|mention| mention.marks.clone())
        .collect();
    let (of, to): (Vec<u32>, Vec<u32>) = marks.iter().partition(|id| first.contains(id));
    let split = marks.iter().take_while(|id| first.contains(id)).count();
    let sorted =
        split == of.len() || marks.iter().take_while(|id| !first.contains(id)).count() == to.len();
    (of.len() > 1 && of.len() == to.len() && sorted).then(|| {
        let each = of.into_iter().zip(to);
        let each = each.map(|(of, to)| {
            let named = Named {
                marks: vec![to],
                status: Status::Resolved,
            };
            (of, named)
        });
        (each.collect(), taken)
    })
}
