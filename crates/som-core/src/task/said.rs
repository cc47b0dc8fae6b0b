//! What an answer says of a text or a mark right behind it: `: 3, 5`, `→ none`, `is gone`.

use std::ops::Range;

use super::{grounded::Named, spoken::Spoken};
use crate::ground::{Mention, Role, Setting, is_quantity, list_at, words};

/// The names that follow a tie, such as a colon, at the start of the part of `spoken`; "none"
/// counts, too.
pub(super) fn names_behind_tie(spoken: &Spoken<'_>) -> Option<Named> {
    let tie = |c: char| matches!(c, ':' | '=' | '-' | '–' | '—' | '→' | '>' | '|');
    let text = spoken.get(spoken.part.clone());
    if is_empty_cell(text) {
        return Some(Named::NONE);
    }
    let text = text.trim_start_matches(is_closing);
    let mut list = text.trim_start_matches(|c| tie(c) || is_closing(c));
    let mut is_tied = list.len() < text.len();
    // "is 3", "是3"
    if let Some(end) = words::at(list, 0, Role::Is) {
        list = list[end..].trim_start_matches(is_closing);
        // "is now 5"
        let now = words::at(list, 0, Role::Now).map(|end| &list[end..]);
        list = now.and_then(|rest| rest.strip_prefix(' ')).unwrap_or(list);
        is_tied = true;
    }
    if !is_tied {
        return None;
    }
    // An empty cell, "| – |", and "→ ×".
    let sign = list.trim_start_matches(['×', '∅', '✗', '✘', '❌', '∄', 'ø']);
    if list.is_empty() || sign.len() < list.len() && is_end(sign) {
        let cell = text.trim_end_matches([
            ' ', '|', '\n', '*', '.', ',', ';', '×', '∅', '✗', '✘', '❌', '∄', 'ø',
        ]);
        let signed =
            cell.len() < text.len() && sign.len() < list.len() || cell.ends_with(['–', '—', '-']);
        let tied = text.contains(['|', '→', ':', '=', '>']);
        return (signed && tied).then_some(Named::NONE);
    }
    if is_end(list) {
        let dash = text
            .trim_end_matches(['.', ',', ';', ' ', '\n'])
            .ends_with(['–', '—', '-']);
        return (dash && text.contains([':', '→', '='])).then_some(Named::NONE);
    }
    let start = spoken.part.end - list.len();
    let none = spoken.cues.all(start..start + 1, Role::None).next();
    if none.is_some_and(|none| is_alone(spoken, start..none.end)) {
        return Some(Named::NONE);
    }
    // Words may look like names that are letters.
    let setting = match list.starts_with(|c: char| c.is_ascii_alphabetic()) {
        true => Setting::Open,
        false => Setting::Enclosed,
    };
    let (reading, end) = list_at(list, 0, spoken.names, setting)?;
    let ends = list[end..].trim_start_matches(is_closing);
    let ends = is_end(ends) || ends.starts_with('(') || is_followed(ends);
    let by_number = list.starts_with(|c: char| c.is_ascii_digit() || is_closing(c));
    if is_quantity(list, end) || !(by_number || ends) {
        return None;
    }
    if let Some(corrected) = corrected(spoken, spoken.part.end - list.len() + end) {
        return Some(corrected);
    }
    let mention = reading.mention(0..1);
    Named::by([&mention])
}

/// True if `text` ends a cell, and nothing but a dash stands in the next one: "] | — | a car |".
fn is_empty_cell(text: &str) -> bool {
    let Some(cells) = text
        .trim_start_matches([' ', '*', ']', '`'])
        .strip_prefix('|')
    else {
        return false;
    };
    let Some((cell, _)) = cells
        .split('\n')
        .next()
        .and_then(|line| line.split_once('|'))
    else {
        return false;
    };
    let sign = cell.trim_matches([' ', '*', '`', '[', ']', '(', ')']);
    matches!(
        sign,
        "-" | "–" | "—" | "--" | "---" | "×" | "∅" | "✗" | "✘" | "❌" | "∄" | "ø"
    )
}

/// "— no wait, 8": the names that take back those that ended at `at`, in their line.
fn corrected(spoken: &Spoken<'_>, at: usize) -> Option<Named> {
    /// A correction is not further off, in bytes.
    const NEAR: usize = 64;
    let rest = spoken.get(at..spoken.part.end);
    let rest = &rest[..rest.floor_char_boundary(NEAR)];
    let line = rest.split('\n').next().unwrap_or(rest);
    let end = line.find(". ").unwrap_or(line.len());
    let cue = spoken.cues.all(at..at + end, Role::Corrects).next()?;
    only_name(&spoken.part(cue.end..at + end))
}

/// The only number of a part, or the only list of numbers.
pub(super) fn only_name(spoken: &Spoken<'_>) -> Option<Named> {
    let text = spoken.get(spoken.part.clone());
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let apart = !text[..start].ends_with(|c: char| c.is_ascii_alphanumeric());
    let (reading, end) = list_at(text, start, spoken.names, Setting::Open)?;
    let alone = !text[end..].contains(|c: char| c.is_ascii_digit());
    let mention = reading.mention(0..1);
    (apart && alone && !is_quantity(text, end) && mention.unresolved.is_empty())
        .then(|| Named::by([&mention]))
        .flatten()
}

/// "Cup 4, knife 7": the names right behind a text, that end its clause.
pub(super) fn names_right_behind(spoken: &Spoken<'_>) -> Option<Named> {
    let text = spoken.get(spoken.part.clone());
    let list = text.trim_start_matches([' ', '*', '"']);
    if list.len() == text.len() || !list.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    // "Bubbles 3 4"
    let digits = list
        .bytes()
        .take_while(|byte| byte.is_ascii_digit() || *byte == b' ')
        .count();
    let spaced = list[..digits].trim_end();
    let commas = spaced
        .contains(' ')
        .then(|| spaced.split_whitespace().collect::<Vec<_>>().join(", "));
    let (reading, end) = match commas {
        Some(commas) => (
            list_at(&commas, 0, spoken.names, Setting::Enclosed)?.0,
            spaced.len(),
        ),
        None => list_at(list, 0, spoken.names, Setting::Open)?,
    };
    let rest = list[end..].trim_start_matches(['*', ' ']);
    let mention = reading.mention(0..1);
    let ends = is_end(rest) || rest.starts_with('\n') || is_followed(rest);
    (ends && !is_quantity(list, end) && mention.unresolved.is_empty())
        .then(|| Named::by([&mention]))
        .flatten()
}

/// True if the word at `span` says that there is none, and does not begin something else: "no mark
/// matches", not "no doubt it is".
fn is_alone(spoken: &Spoken<'_>, span: Range<usize>) -> bool {
    !spoken.cues.any(span, Role::Keeps)
}

/// True where a clause ends.
fn is_end(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['.', ',', ';', '|', '!'])
}

/// True if the next clause begins: "and the spoon is B".
fn is_followed(rest: &str) -> bool {
    [Role::Joins, Role::Contrasts, Role::Because]
        .iter()
        .any(|role| words::at(rest, 0, *role).is_some())
}

/// What stands behind each verb of `range`, if it is names: "The cup is A and the spoon is B".
pub(super) fn names_behind_verbs(spoken: &Spoken<'_>, range: Range<usize>) -> Vec<Named> {
    let verbs = spoken.cues.all(range.clone(), Role::Is);
    verbs
        .filter_map(|verb| names_behind_tie(&spoken.part(verb.start..range.end)))
        .collect()
}

fn is_closing(c: char) -> bool {
    c.is_whitespace() || matches!(c, '*' | '"' | '\'' | '`' | ')')
}

/// The end of the list of mentions that `mentions` begin with: only "and" and the like stand
/// between them.
pub(super) fn list_length(text: &str, mentions: &[Mention]) -> usize {
    let ties = mentions.windows(2).take_while(|pair| {
        let between = text.get(pair[0].span.end..pair[1].span.start);
        is_conjunction(between.unwrap_or(""))
    });
    mentions.len().min(ties.count() + 1)
}

/// True if no word but "and" or "or", or one that announces a mark, is in it.
pub(super) fn is_conjunction(text: &str) -> bool {
    /// What joins two marks is not longer, in bytes.
    const LONGEST: usize = 48;
    if text.len() > LONGEST
        || text.contains([':', '|', '=', '.', ';', '→', '\n', '(', '—', '–', '{', '}'])
    {
        return false;
    }
    // "Behind [3], labelled [1]"
    let says = |role| words::words(text).any(|word| words::at(text, word.start, role).is_some());
    if says(Role::Bears) && !says(Role::Joins) {
        return false;
    }
    words::words(text).all(|word| {
        words::at(text, word.start, Role::Joins).is_some()
            || words::at(text, word.start, Role::Announces).is_some()
            || words::at(text, word.start, Role::Article).is_some()
            || words::at(text, word.start, Role::Nor).is_some()
            || matches!(&text[word], "also" | "と" | "番")
    })
}
