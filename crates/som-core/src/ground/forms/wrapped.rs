//! `<mark>3</mark>`, `<3>`, `**3**`, `` `3` ``, `the cup (3)`.

use super::{Found, Reader, is_lower_letter, json::MARK_KEYS};
use crate::ground::{
    coordinates,
    names::{Setting, is_quantity, list_at},
};

/// Longer ones, in bytes, are no tag and no emphasis of a name.
const LONGEST: usize = 200;

pub(super) fn tag(reader: &Reader<'_>) -> Found {
    let &Reader {
        text, at, names, ..
    } = reader;
    if let Some(found) = coordinates::tag(reader) {
        return found;
    }
    let Some(inside) = before(&text[at + 1..], ">") else {
        return Found::Nothing;
    };
    let close = at + 1 + inside.len() + 1;
    if inside == "|begin_of_box|" {
        return match list_at(text, close, names, Setting::Enclosed) {
            Some((reading, end)) if text[end..].starts_with("<|end_of_box|>") => {
                Found::Mention(reading.mention(close..end))
            }
            _ => Found::Skip(close),
        };
    }
    if let Some((reading, end)) = list_at(inside, 0, names, Setting::Enclosed)
        && end == inside.len()
        && reading.resolves()
    {
        return Found::Mention(reading.mention(at..close));
    }
    let word = inside.split([' ', '=']).next().unwrap_or("").to_lowercase();
    if MARK_KEYS.contains(&word.as_str())
        && let Some((reading, end)) = list_at(text, close, names, Setting::Enclosed)
        && text[end..].starts_with("</")
    {
        return Found::Mention(reading.mention(close..end));
    }
    Found::Nothing
}

pub(super) fn emphasis(reader: &Reader<'_>) -> Found {
    let &Reader {
        text, at, names, ..
    } = reader;
    let fence: &str = ["**", "*", "`"]
        .into_iter()
        .find(|fence| text[at..].starts_with(fence))
        .unwrap_or("*");
    let start = at + fence.len();
    let Some(inside) = before(&text[start..], fence) else {
        return Found::Nothing;
    };
    let end = start + inside.len() + fence.len();
    match list_at(inside, 0, names, Setting::Enclosed) {
        Some((reading, list_end))
            if list_end == inside.len()
                && reading.resolves()
                && reading.misses() == 0
                && !is_lower_letter(inside)
                && !is_quantity(text, end) =>
        {
            Found::Mention(reading.mention(start..start + inside.len()))
        }
        _ => Found::Skip(start),
    }
}

pub(super) fn parenthesis(reader: &Reader<'_>) -> Found {
    let &Reader {
        text, at, names, ..
    } = reader;
    if let Some(found) = coordinates::plain(reader) {
        return found;
    }
    let (open, close) = if text[at..].starts_with('(') {
        ("(", ")")
    } else {
        ("（", "）")
    };
    let start = at + open.len();
    let Some((reading, end)) = list_at(text, start, names, Setting::Enclosed) else {
        return Found::Nothing;
    };
    if !text[end..].starts_with(close) {
        return Found::Nothing;
    }
    let end = end + close.len();
    // "the cup (3)" names a mark; "(1) first, (2) second" enumerates.
    let before = text[..at].trim_end_matches(' ');
    let follows_word =
        before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '*' | '"' | '”' | '`'));
    let spaced = before.len() < at || open == "（";
    if follows_word
        && spaced
        && !enumerates(reader, &text[start..end - close.len()])
        && reading.resolves()
        && reading.misses() == 0
        && !is_lower_letter(&text[start..end - close.len()])
    {
        Found::Mention(reading.mention(at..end))
    } else {
        Found::Skip(end)
    }
}

/// True if `inside` counts on what the line began to count: "(1) a cup (2) a plate".
fn enumerates(reader: &Reader<'_>, inside: &str) -> bool {
    let line = reader.line_so_far(LONGEST);
    let begins = line.head.trim_start().starts_with("(1)");
    let number = inside.parse::<u32>().unwrap_or(0);
    begins && number > 1 && line.tail.contains(&format!("({})", number - 1))
}

/// What comes before `end`, which is ASCII, if that is not far.
fn before<'a>(text: &'a str, end: &str) -> Option<&'a str> {
    let near = &text.as_bytes()[..text.len().min(LONGEST)];
    let length = near
        .windows(end.len())
        .position(|window| window == end.as_bytes())?;
    text.get(..length)
}
