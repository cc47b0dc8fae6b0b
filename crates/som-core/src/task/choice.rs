//! The name of a closed vocabulary that a label is, or holds.

use super::{
    Match,
    matching::{plain_words, same, same_words},
};
use crate::ground::{Role, words};

/// What a label chooses among the names of a vocabulary.
pub(super) enum Choice<'a> {
    One(&'a str, Match),
    Several,
    None,
}

/// The name in `vocabulary` that `label` is; else the one that it holds.
pub(super) fn chosen_from<'a>(vocabulary: &'a [String], label: &str) -> Choice<'a> {
    // "A woman holding a phone → person"
    let last = ["→", "->", "=>"]
        .iter()
        .find_map(|sign| Some(label.rsplit_once(sign)?.1));
    let whole = vocabulary.iter().filter_map(|name| {
        let matched = same(label, name).or_else(|| same(last?, name))?;
        Some((matched, name))
    });
    if let Some((matched, name)) = whole.min_by_key(|(matched, _)| *matched) {
        return Choice::One(name, matched);
    }
    /// A name is among the first words of what is said, in bytes.
    const NEAR: usize = 240;
    let clause = affirmed(label);
    let clause = &clause[..clause.floor_char_boundary(NEAR)];
    let plain = plain_words(clause);
    // Names that the label holds as a run of its words, the longest ones, from the first on.
    let mut held: Vec<(usize, usize, &String, Match)> = Vec::new();
    for name in vocabulary {
        let wanted = plain_words(name);
        for length in [
            wanted.len(),
            wanted.len() + 1,
            wanted.len().saturating_sub(1),
        ] {
            if length == 0 || length > plain.len() {
                continue;
            }
            let windows = plain.windows(length).enumerate();
            for (at, window) in windows {
                if let Some(matched) = same_words(window, &wanted) {
                    held.push((at, length, name, matched));
                }
            }
        }
    }
    let inside = |(at, length, ..): &(usize, usize, &String, Match)| {
        held.iter().any(|(other, longer, ..)| {
            longer > length && other <= at && at + length <= other + longer
        })
    };
    let outer: Vec<_> = held.iter().filter(|place| !inside(place)).collect();
    let Some(first) = outer
        .iter()
        .min_by_key(|(at, length, ..)| (*at, std::cmp::Reverse(*length)))
    else {
        return Choice::None;
    };
    let rival = outer.iter().any(|other| other.2 != first.2);
    let wavers = rival
        && words::words(clause).any(|word| {
            words::at(clause, word.start, Role::Hedges).is_some()
                && matches!(&clause[word], "or" | "oder" | "ou" | "o")
        });
    match first {
        _ if wavers => Choice::Several,
        (_, _, name, Match::Synonym) => Choice::One(name, Match::Synonym),
        (_, _, name, _) => Choice::One(name, Match::Normalised),
    }
}

/// `label` without what it denies: "cup" of "cup, not a bowl".
fn affirmed(label: &str) -> &str {
    let lower_at = |needle: &str| words::lowered(label).find(needle);
    let end = [
        ", not ",
        " (not ",
        " and not ",
        " rather than ",
        " instead of ",
        " nicht ",
    ]
    .iter()
    .filter_map(|not| lower_at(not))
    .min();
    &label[..end.unwrap_or(label.len())]
}
