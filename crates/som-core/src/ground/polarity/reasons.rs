//! Reasons: "[5], since [1] and [2] are smaller", "since [1] is a plate, it's [5]". What they name is
//! named for comparison.

use std::ops::Range;

use super::{
    NEAR,
    sentence::{floor, sentence_end, sentence_start},
};
use crate::ground::{
    Mention, Polarity,
    words::{self, Cue, Cues, Role},
};

/// Sets aside what reasons say of other marks than the one they are given for, and tells which
/// mentions that were.
pub(in crate::ground) fn compare_reasons(
    text: &str,
    cues: &Cues,
    mentions: &mut [Mention],
) -> Vec<usize> {
    let mut compared: Vec<usize> = Vec::new();
    for cue in cues.all(0..text.len(), Role::Reason) {
        let next = mentions.partition_point(|mention| mention.span.start < cue.end);
        let Some(range) = subjects(text, cues, mentions, cue, next) else {
            continue;
        };
        let near = floor(text, cue.start.saturating_sub(NEAR));
        let begin = sentence_start(text, near..cue.start);
        let given = mentions[..next]
            .iter()
            .rev()
            .take_while(|mention| mention.span.start >= begin)
            .find(|mention| mention.is_meant());
        let (kept, range) = match given {
            Some(given) => (given.marks.clone(), range),
            None => {
                let lead = text.get(begin..cue.start).unwrap_or("x");
                let leads = !lead.contains(char::is_alphanumeric);
                match main_clause(text, cues, &mentions[range.clone()]).filter(|_| leads) {
                    Some(main) => {
                        let main = range.start + main;
                        (mentions[main].marks.clone(), range.start..main)
                    }
                    None => continue,
                }
            }
        };
        let others = range.filter(|&index| {
            let mention = &mentions[index];
            mention.is_meant() && mention.marks.iter().any(|id| !kept.contains(id))
        });
        for other in others.collect::<Vec<usize>>() {
            mentions[other].polarity = Polarity::Compared;
            compared.push(other);
        }
    }
    for index in 1..mentions.len() {
        if let Some(range) = explained(text, mentions, index - 1) {
            let others = range.filter(|&other| {
                mentions[other].is_meant() && mentions[other].marks != mentions[index - 1].marks
            });
            for other in others.collect::<Vec<usize>>() {
                mentions[other].polarity = Polarity::Compared;
                compared.push(other);
            }
        }
    }
    compared
}

/// The mentions behind "It must be [6]: [1] is a bowl and [2] is a plate", where number `index` is all
/// that stands before the colon.
fn explained(text: &str, mentions: &[Mention], index: usize) -> Option<Range<usize>> {
    const LEADS: [Role; 5] = [
        Role::Pronoun,
        Role::Copula,
        Role::Opinion,
        Role::Announces,
        Role::Article,
    ];
    let (given, next) = (&mentions[index], mentions.get(index + 1)?);
    let between = text.get(given.span.end..next.span.start)?;
    let colon = between.trim_matches([' ', '*', '[', ']']) == ":" && given.is_meant();
    if !colon {
        return None;
    }
    let begin = floor(text, given.span.start.saturating_sub(NEAR));
    let lead = &text[sentence_start(text, begin..given.span.start)..given.span.start];
    let mut passed = 0;
    let mut itself = false;
    let leads = words::words(lead).all(|word| {
        let at = |role: Role| words::at(lead, word.start, role);
        itself |= at(Role::Pronoun).is_some();
        passed = LEADS
            .into_iter()
            .filter_map(at)
            .max()
            .unwrap_or(0)
            .max(passed);
        word.start < passed
    });
    let verb = text[next.span.end..].trim_start_matches([' ', '*', ']']);
    let is = words::at(verb, 0, Role::Copula).is_some();
    let near = floor(text, next.span.end + NEAR);
    let end = sentence_end(text, next.span.end..near.max(next.span.end));
    let last = mentions.partition_point(|mention| mention.span.start < end);
    (itself && leads && is).then_some(index + 1..last)
}

/// The mentions behind the word `cue`, from number `next` on, up to the end of the sentence or to a
/// word of contrast, if the clause begins with one.
fn subjects(
    text: &str,
    cues: &Cues,
    mentions: &[Mention],
    cue: Cue,
    next: usize,
) -> Option<Range<usize>> {
    const LEADS: [Role; 3] = [Role::Announces, Role::Article, Role::All];
    let first = mentions.get(next)?;
    let lead = text.get(cue.end..first.span.start)?;
    let direct = lead.len() < NEAR / 4
        && !lead.contains(['.', '\n', ':', ';'])
        && words::words(lead).all(|word| {
            LEADS
                .iter()
                .any(|role| words::at(lead, word.start, *role).is_some())
        });
    /// What is shorter, in bytes, means other things, too, where no sign stands before it.
    const SHORT: usize = 4;
    // "The same as [3]"; ", as [3] is smaller"
    let vague = cue.end - cue.start <= SHORT;
    let parted = text[..cue.start]
        .trim_end_matches(' ')
        .ends_with([',', '(', '—', '–', ';']);
    let begins = text[..cue.start].trim_end_matches([' ', '\n']).is_empty()
        || text[..cue.start].trim_end().ends_with(['.', '!', '?']);
    if !direct || vague && !parted && !begins {
        return None;
    }
    let near = floor(text, cue.end + NEAR);
    let end = sentence_end(text, first.span.end..near.max(first.span.end));
    let contrast = cues
        .all(first.span.end..end, Role::Contrasts)
        .find(|contrast| {
            let at = contrast.start..contrast.start + 1;
            !cues.any(at.clone(), Role::Because) && !cues.any(at, Role::Reason)
        });
    let end = contrast.map_or(end, |contrast| contrast.start);
    let last = mentions.partition_point(|mention| mention.span.start < end);
    (last > next).then_some(next..last)
}

/// Which of `mentions`, all of one sentence that begins with a reason, ends its main clause: "…, it's
/// [5]".
fn main_clause(text: &str, cues: &Cues, mentions: &[Mention]) -> Option<usize> {
    let index = mentions.len().checked_sub(1).filter(|last| *last > 0)?;
    let before = mentions[index - 1].span.end..mentions[index].span.start;
    let comma = before.start + text.get(before.clone())?.rfind([',', '，', '、'])?;
    let verb = [Role::Is, Role::Copula, Role::Selects]
        .iter()
        .any(|role| cues.any(comma..before.end, *role));
    verb.then_some(index)
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
    fn what_is_only_a_reason_is_not_meant() {
        let texts = ["1", "2", "3", "4", "5"];
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
            ("It's [5], since [1], [2] and [3] are smaller.", vec![5]),
            ("[4], because [2] is a bowl.", vec![4]),
            ("Since [1] is a plate, it's [5].", vec![5]),
            ("[4] because [4] is red.", vec![4, 4]),
            ("[3], weil [2] kleiner ist.", vec![3]),
            ("The same as [3] and [4].", vec![3, 4]),
            ("It must be [5]: [1] is a bowl and [2] is a plate.", vec![5]),
        ] {
            let (mut mentions, _) = scan(text, &names, &scene);
            compare_reasons(text, &Cues::of(text), &mut mentions);
            let meant = mentions.iter().filter(|mention| mention.is_meant());
            let meant: Vec<u32> = meant.flat_map(|mention| mention.marks.clone()).collect();
            assert_eq!(meant, expected, "{text}");
        }
    }
}
