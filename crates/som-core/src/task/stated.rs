//! An answer whose first sentence is a mark and nothing else, and goes on to explain it: "[6]. (Marks 1
//! and 2 are cups, too.)", "It's [2]; [3] and [4] are bowls".

use super::{grounded::Named, spoken::Spoken};
use crate::ground::{Mention, Role, words};

/// "[6]. (Marks 1 and 2 are cups, too.)", "[4] — it sits left of the laptop [7].": an answer whose
/// first sentence is a mark and nothing else goes on to explain it.
pub(super) fn stated_first(spoken: &Spoken<'_>) -> Option<Named> {
    /// Less is not an explanation, in words.
    const LEAST: usize = 3;
    const DASHES: [&str; 4] = [" — ", " – ", " - ", "\n\n"];
    const LEADS: [Role; 7] = [
        Role::Announces,
        Role::Article,
        Role::Answers,
        Role::Is,
        Role::Copula,
        Role::Pronoun,
        Role::Opinion,
    ];
    let (first, others) = spoken.mentions.split_first()?;
    let before = spoken.get(spoken.part.start..first.span.start);
    let alone = words::is_made_of(before, &LEADS);
    let rest = spoken.get(first.span.end..spoken.part.end);
    let rest = rest.trim_start_matches(['*', ']', '"', ')']);
    let stop = rest
        .strip_prefix('.')
        .filter(|rest| rest.starts_with([' ', '\n']));
    let dash = || {
        // Where others begin lines and clauses of their own, each of them is listed.
        let listed = others.iter().any(|other| begins_clause(spoken, other));
        let dash = DASHES.iter().find_map(|dash| rest.strip_prefix(dash));
        dash.filter(|_| !listed)
    };
    // "It's [2]. [3] is a glass", "[2]; [3] and [4] are bowls"
    let sign = || {
        let sign = [": ", "; ", " (", ", "]
            .iter()
            .find_map(|sign| rest.strip_prefix(sign));
        sign.filter(|next| tells_others_apart(spoken, others, next))
    };
    let next = stop.or_else(dash).or_else(sign)?.trim_start();
    let begun = next.starts_with(|c: char| c.is_alphabetic() || c == '(')
        || tells_others_apart(spoken, others, next);
    let explains = begun && words::words(next).take(LEAST).count() == LEAST;
    (first.is_meant() && alone && explains)
        .then(|| Named::by([first]))
        .flatten()
}

/// True if `next`, which goes on behind an answer, says of every other mark that it is something, and
/// that it is not the same: "[3] and [4] are bowls", "the others, [1] and [2], are smaller".
fn tells_others_apart(spoken: &Spoken<'_>, others: &[Mention], next: &str) -> bool {
    const LEADS: [Role; 4] = [Role::All, Role::Article, Role::Announces, Role::Joins];
    // What is denied behind them is not told apart: "It is not [5]".
    let said = others.iter().take_while(|other| other.is_meant()).count();
    let end = others.get(said).map_or(spoken.part.end, |denied| {
        let lead = spoken.get(spoken.part.start..denied.span.start);
        spoken.part.start
            + lead
                .trim_end()
                .rfind(['.', '\n', ';'])
                .map_or(0, |end| end + 1)
    });
    let others = &others[..said];
    let (Some(first), Some(last)) = (others.first(), others.last()) else {
        return false;
    };
    if end < last.span.end {
        return false;
    }
    let start = spoken.part.end - next.len();
    let lead = spoken.get(start..first.span.start.max(start));
    let leads = words::words(lead).all(|word| {
        LEADS
            .iter()
            .any(|role| words::at(lead, word.start, *role).is_some())
            || matches!(&lead[word], "others" | "other" | "ones" | "rest")
    });
    let behind = spoken.get(last.span.end..end);
    let verb = behind.trim_start_matches([' ', ',', '*', ']']);
    let says = [Role::Is, Role::Copula, Role::DeniesBehind, Role::Denies]
        .iter()
        .any(|role| words::at(verb, 0, *role).is_some());
    let line = spoken.get(start..end).trim_end();
    let alike = spoken.cues.any(start..end, Role::Resembles)
        || words::words(behind).any(|word| matches!(&behind[word], "too" | "also" | "well"));
    leads && says && !alike && !line.contains('\n')
}

/// True if a line, sentence or clause begins with the mention, or it goes on with a list.
fn begins_clause(spoken: &Spoken<'_>, mention: &Mention) -> bool {
    let before = spoken.get(spoken.part.start..mention.span.start);
    let near = before.ceil_char_boundary(before.len().saturating_sub(24));
    let before = before[near..].trim_end_matches([' ', '*', '-', '"']);
    let word = words::words(before).last();
    let joins = word.is_some_and(|word| {
        word.end == before.len() && words::at(before, word.start, Role::Joins) == Some(word.end)
    });
    joins || before.is_empty() || before.ends_with(['.', '\n', ';', ',', ':', '!', '?'])
}
