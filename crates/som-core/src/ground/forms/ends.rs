//! Ranges whose ends are announced each, or stand behind "between": "from mark 4 to mark 8", "de la
//! marque 3 à la marque 6", "标记4到标记8", "everything between mark 3 and mark 6".

use std::ops::Range;

use super::{Found, Reader, announced::keyword_end, bracket::parts_ends};
use crate::ground::{
    names::{Names, Reading, Setting, behind_article, is_quantity, list_at, skip},
    words::{self, Role},
};

/// "From mark 2 to mark 5", "mark 2 through mark 5", "mark 2 to mark 5 are": a range whose first name,
/// at `start` up to `end`, is announced by the word at the reader's place, and the last one, too.
pub(super) fn up_to(reader: &Reader<'_>, start: usize, end: usize) -> Option<Found> {
    let &Reader {
        text, at, names, ..
    } = reader;
    let next = skip(text, end, |c| c == ' ');
    let range = words::at(text, next, Role::Ranges)?;
    let last = announced_again(text, range, names)?;
    let plain = words::at(text, next, Role::UpTo) == Some(range);
    let from = || words_say(&text[at..start], Role::Fills) || follows_from(&text[..at]);
    let subject = || begins_sentence(&text[..at]) && is_followed_by_verb(text, last.end);
    let ranges = (plain || from() || subject()) && !parts_ends(text, start, last.end);
    let reading = range_of(&text[start..end], &text[last.clone()], names)?;
    ranges.then(|| Found::Mention(reading.mention(start..last.end)))
}

/// "All marks between 3 and 6", "everything between mark 3 and mark 6", "marks between 3 and 6,
/// inclusive".
pub(super) fn between(reader: &Reader<'_>) -> Option<Found> {
    /// A word for all of them, or for the ends, is not further off, in bytes.
    const NEAR: usize = 24;
    let &Reader {
        text, at, names, ..
    } = reader;
    let (first, announced) = end_at(text, words::at(text, at, Role::Between)?, names)?;
    let joined = skip(text, first.end, |c| matches!(c, ' ' | ']' | '*'));
    let joined =
        words::at(text, joined, Role::Joins).or_else(|| words::at(text, joined, Role::Ranges))?;
    let (last, _) = end_at(text, joined, names)?;
    let near = text.floor_char_boundary(last.end + NEAR);
    let line = |c: char| matches!(c, '.' | '\n' | ';');
    let before = &text[text.ceil_char_boundary(at.saturating_sub(NEAR))..at];
    let before = before.rsplit(line).next().unwrap_or("");
    let after = text[last.end..near].split(line).next().unwrap_or("");
    let all = words_say(before, Role::All);
    let every = all || words_say(before, Role::Every) || words_say(after, Role::Inclusive);
    let marks = announced || all || words_say(before, Role::Announces);
    if !every || !marks || is_quantity(text, last.end) {
        return None;
    }
    let reading = range_of(&text[first.clone()], &text[last.clone()], names)?;
    Some(Found::Mention(reading.mention(first.start..last.end)))
}

/// The marks from one name to another, if both are there.
fn range_of(first: &str, last: &str, names: &Names) -> Option<Reading> {
    let both = format!("{}-{last}", first.trim_end_matches([' ', '\'']));
    let (reading, _) = list_at(&both, 0, names, Setting::Enclosed)?;
    (reading.names == 2 && reading.misses() == 0).then_some(reading)
}

/// The name behind a word that announces it once more, from `at` on.
fn announced_again(text: &str, at: usize, names: &Names) -> Option<Range<usize>> {
    let start = skip(text, at, |c| c == ' ');
    let article = words::at(text, start, Role::Article).map(|end| skip(text, end, |c| c == ' '));
    let announced = article.and_then(|noun| keyword_end(text, noun));
    let (_, name) = announced.or_else(|| keyword_end(text, start))?;
    names.name_at(text, name)
}

/// The name at `at`, and whether a word or brackets say that it is one.
fn end_at(text: &str, at: usize, names: &Names) -> Option<(Range<usize>, bool)> {
    let start = skip(text, at, |c| c == ' ');
    if let Some(name) = announced_again(text, at, names) {
        return Some((name, true));
    }
    let start = behind_article(text, start).unwrap_or(start);
    let name = skip(text, start, |c| matches!(c, '[' | '*'));
    let bracketed = text[start..name].contains('[');
    let digit = text[name..].starts_with(|c: char| c.is_ascii_digit());
    let found = names.name_at(text, name)?;
    (digit || bracketed).then_some((found, bracketed))
}

fn words_say(text: &str, role: Role) -> bool {
    words::words(text).any(|word| words::at(text, word.start, role).is_some())
}

/// True if `before` ends with "from", and an article as it may be.
fn follows_from(before: &str) -> bool {
    /// Such words are not longer, in bytes.
    const LONGEST: usize = 24;
    let near = &before[before.ceil_char_boundary(before.len().saturating_sub(LONGEST))..];
    words::words(near).any(|word| {
        let end = words::at(near, word.start, Role::Fills);
        end.is_some_and(|end| {
            let rest = near[end..].trim();
            rest.is_empty() || words::at(rest, 0, Role::Article) == Some(rest.len())
        })
    })
}

/// True if nothing but an article stands between the start of a sentence and here.
fn begins_sentence(before: &str) -> bool {
    /// An article is not longer, in bytes.
    const LONGEST: usize = 12;
    let near = &before[before.ceil_char_boundary(before.len().saturating_sub(LONGEST))..];
    let start = near.rfind(['.', '\n', '!', '?', ':']);
    let lead = near[start.map_or(0, |sign| sign + 1)..].trim();
    (start.is_some() || near.len() == before.len())
        && (lead.is_empty() || words::at(lead, 0, Role::Article) == Some(lead.len()))
}

fn is_followed_by_verb(text: &str, at: usize) -> bool {
    let verb = skip(text, at, |c| c == ' ');
    verb > at
        && [Role::Is, Role::Copula]
            .iter()
            .any(|role| words::at(text, verb, *role).is_some())
}
