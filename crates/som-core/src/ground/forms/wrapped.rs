//! `<mark>3</mark>`, `<3>`, `**3**`, `` `3` ``, `the cup (3)`.

use super::{Found, Reader, announced::keyword_end, is_lower_letter, named, weak::is_weak};
use crate::ground::{
    json::Key,
    names::{Reading, Setting, is_quantity, list_at},
    places,
    words::{self, Role},
};

/// Longer ones, in bytes, are no tag and no emphasis of a name.
const LONGEST: usize = 200;

pub(super) fn tag(reader: &Reader<'_>) -> Found {
    let &Reader {
        text, at, names, ..
    } = reader;
    if let Some(found) = places::tag(reader) {
        return found;
    }
    let Some(inside) = before(&text[at + 1..], ">") else {
        return Found::Nothing;
    };
    let close = at + 1 + inside.len() + 1;
    if inside == "|begin_of_box|" {
        let start = keyword_end(text, close).map_or(close, |(_, names)| names);
        return match list_at(text, start, names, Setting::Enclosed) {
            Some((reading, end)) if text[end..].trim_start().starts_with("<|end_of_box|>") => {
                Found::Mention(reading.mention(start..end))
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
    let word = inside.split([' ', '=']).next().unwrap_or("");
    let is_mark = |word: &str| matches!(Key::of(word), Key::Marks | Key::MarksOrText);
    // <parameter name="marks">[3]</parameter>, <arg_value>[3]</arg_value>
    let attribute = inside.split_once("name=").map_or("", |(_, name)| name);
    let argument = word == "arg_value"
        || word.starts_with("parameter") && {
            let name = inside.rsplit(['=', ' ']).next().unwrap_or("");
            is_mark(name.trim_matches(['"', '\'']))
        };
    if is_mark(word) || is_mark(attribute.trim_matches(['"', '\''])) || argument {
        if let Some(found) = enclosed(reader, close) {
            return found;
        }
        // <mark id="3"/>
        if let Some(found) = in_attribute(reader, inside) {
            return found;
        }
    }
    Found::Nothing
}

/// The names between a tag that ended at `start` and the next one.
fn enclosed(reader: &Reader<'_>, start: usize) -> Option<Found> {
    let &Reader { text, names, .. } = reader;
    let inside = before(&text[start..], "</")?;
    let trimmed = inside.trim();
    let begin = start + (inside.len() - inside.trim_start().len());
    let span = begin..begin + trimmed.len();
    let reading = named(text, span.clone(), names)?;
    Some(Found::Mention(reading.mention(span)))
}

/// `<mark id="3">`, `<region number=3/>`.
fn in_attribute(reader: &Reader<'_>, inside: &str) -> Option<Found> {
    let &Reader { at, names, .. } = reader;
    let (key, value) = inside.split_once(' ')?.1.split_once('=')?;
    let value = value.trim_start_matches(['"', '\'', ' ']);
    let value = value.split(['"', '\'', ' ', '/']).next().unwrap_or("");
    if !matches!(Key::of(key.trim()), Key::Marks | Key::MarksOrText) {
        return None;
    }
    let (reading, end) = list_at(value, 0, names, Setting::Enclosed)?;
    (end == value.len()).then(|| Found::Mention(reading.mention(at..at + inside.len() + 2)))
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
    // **3:** and **3 -** are followed by what it is.
    let inside = inside.trim_end_matches([':', ' ', '-', '–']);
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
    if let Some(found) = places::plain(reader) {
        return found;
    }
    let start = at + 1;
    // (mark 3), (#3)
    let first = keyword_end(text, start).map_or(start, |(_, names)| names);
    let Some((reading, end)) = list_at(text, first, names, Setting::Enclosed) else {
        return Found::Nothing;
    };
    if !text[end..].starts_with(')') {
        return Found::Nothing;
    }
    let inside = &text[first..end];
    let end = end + 1;
    if first > start {
        // "[2] (number 10)" tells what it shows.
        let shows = weak_before(&text[start..first])
            && reader.last().is_some_and(|last| {
                text[last.end.min(at)..at]
                    .trim_matches([' ', '*'])
                    .is_empty()
            });
        return match shows {
            true => Found::Skip(end),
            false => Found::Mention(reading.mention(first..end - 1)),
        };
    }
    if is_link(reader) && is_meant(&reading, inside) {
        return Found::Mention(reading.mention(at..end));
    }
    // "the cup (3)" names a mark; "(1) first, (2) second" enumerates.
    let before = text[..at].trim_end_matches(' ');
    let last = before.chars().next_back();
    let follows_word = last
        .is_some_and(|c| words::is_word(c) || matches!(c, '*' | '"' | '`' | '\''))
        && !is_keyword(before);
    let spaced = before.len() < at || last.is_some_and(|c| !c.is_ascii());
    if follows_word && spaced && !enumerates(reader, inside) && is_meant(&reading, inside) {
        Found::Mention(reading.mention(at..end))
    } else {
        Found::Skip(end)
    }
}

/// True if a word that a number may follow for other reasons begins `lead`: "number ", "no. ".
fn weak_before(lead: &str) -> bool {
    let word = lead.split([' ', '.']).next().unwrap_or("").to_lowercase();
    is_weak(&word) || matches!(word.as_str(), "no" | "nr")
}

/// `[the cup](3)`: words in brackets right before.
fn is_link(reader: &Reader<'_>) -> bool {
    /// Longer ones, in bytes, are no phrase.
    const LONGEST: usize = 80;
    let Some(before) = reader.text[..reader.at].strip_suffix(']') else {
        return false;
    };
    let near = &before[before.ceil_char_boundary(before.len().saturating_sub(LONGEST))..];
    near.rfind(['[', ']', '\n']).is_some_and(|open| {
        near[open..].starts_with('[') && near[open..].contains(char::is_alphabetic)
    })
}

fn is_meant(reading: &Reading, inside: &str) -> bool {
    reading.resolves() && reading.misses() == 0 && !is_lower_letter(inside)
}

/// True if `before` ends with a word after which a number in parentheses counts: "step (3)".
fn is_keyword(before: &str) -> bool {
    const COUNTED: [&str; 8] = [
        "step", "figure", "fig", "and", "or", "equation", "eq", "page",
    ];
    let last = before
        .rsplit(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or("");
    COUNTED.contains(&last.to_ascii_lowercase().as_str())
        || words::at(last, 0, Role::Hedges) == Some(last.len()) && last == "or"
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
