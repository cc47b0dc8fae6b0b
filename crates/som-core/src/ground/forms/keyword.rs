//! `mark 3`, `regions 1, 2 and 4`, `the answer is 3`, `#3`.

use super::{Found, Reader, starts_with_digit};
use crate::ground::names::{Setting, list_at, skip};

/// Words that announce names.
pub(super) const KEYWORDS: [&str; 28] = [
    "mark", "marks", "marker", "markers", "marked", "region", "regions", "label", "labels",
    "labeled", "labelled", "number", "numbers", "numbered", "object", "objects", "segment",
    "segments", "id", "ids", "tag", "tags", "mask", "masks", "answer", "answers", "no", "area",
];

/// What may stand between a keyword and its names.
const FILLERS: [&str; 11] = [
    "is ",
    "are ",
    "id ",
    "ids ",
    "number ",
    "numbers ",
    "numbered ",
    "no. ",
    "No. ",
    "with ",
    "as ",
];

pub(super) fn keyword(reader: &Reader<'_>) -> Found {
    let &Reader {
        text, at, names, ..
    } = reader;
    let Some((word, start)) = keyword_end(text, at) else {
        // Skip the word at once: a keyword does not start in the middle of one.
        return Found::Skip(skip(text, at, char::is_alphanumeric));
    };
    let start = skip(text, start, |c| c == '#');
    match list_at(text, start, names, Setting::Open) {
        Some((reading, end)) if reading.resolves() || starts_with_digit(text, start) => {
            let written = text[start..end].trim_end_matches(['*', '`', '"', '\'', '”']);
            Found::Mention(reading.mention(start..start + written.len()))
        }
        _ => Found::Skip(at + word.len()),
    }
}

/// If a keyword starts at `at`: the word, and where names may follow.
pub(super) fn keyword_end(text: &str, at: usize) -> Option<(&str, usize)> {
    let rest = text.get(at..)?;
    let length = rest
        .find(|c: char| !c.is_alphabetic())
        .unwrap_or(rest.len());
    let word = &rest[..length];
    if !KEYWORDS.contains(&word.to_lowercase().as_str()) {
        return None;
    }
    let mut end = at + length;
    let gap = |c: char| c == ' ' || matches!(c, ':' | '=' | '*' | '`' | '"' | '\'' | '_' | '“');
    loop {
        let next = skip(text, end, gap);
        let rest = &text[next..];
        match FILLERS.iter().find(|filler| rest.starts_with(**filler)) {
            Some(filler) => end = next + filler.len(),
            None if word.eq_ignore_ascii_case("no") => {
                // "No. 3" names; "no 3" does not.
                return rest
                    .strip_prefix(". ")
                    .map(|after| (word, text.len() - after.len()));
            }
            None => return (next > at + length).then_some((word, next)),
        }
    }
}

pub(super) fn hash(reader: &Reader<'_>) -> Found {
    let &Reader {
        text, at, names, ..
    } = reader;
    let Some(name) = names.name_at(text, at + 1) else {
        return Found::Nothing;
    };
    let inside_word = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '&');
    if inside_word || names.get(&text[name.clone()]).is_empty() && matches!(name.len(), 3 | 6) {
        return Found::Skip(name.end); // An entity or a colour.
    }
    match list_at(&text[..name.end], name.start, names, Setting::Open) {
        Some((reading, end)) => Found::Mention(reading.mention(at..end)),
        None => Found::Nothing,
    }
}
