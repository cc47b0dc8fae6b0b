//! `[3]`, `[1, 2]`, `[1–4]`, `[1]-[4]`, `[3: the cup]`, `\boxed{3}`.

use super::{Found, Names, Reader, announced::keyword_end, starts_with_digit};
use crate::ground::{
    names::{Reading, Setting, list_at, skip},
    places,
    words::{self, Role},
};

pub(super) fn bracket(reader: &Reader<'_>) -> Found {
    let &Reader {
        text, at, names, ..
    } = reader;
    if let Some(found) = places::plain(reader) {
        return found;
    }
    let Some((reading, end)) = bracketed(text, at, names) else {
        return captioned(reader);
    };
    if is_checkbox(reader, end) || is_link(text, end) {
        return Found::Skip(end);
    }
    // [1]-[4] and [1] through [4] are ranges, read as if written [1-4].
    if reading.names == 1
        && let Some(close) = range_close(reader, end)
    {
        let inner: String = text[at..close]
            .chars()
            .filter(|c| !matches!(c, '[' | ']'))
            .collect();
        if let Some((range, _)) = list_at(&inner, 0, names, Setting::Enclosed) {
            return Found::Mention(range.mention(at..close));
        }
    }
    Found::Mention(reading.mention(at..end))
}

/// The list between the brackets that open at `at`, and the place behind the closing one.
pub(super) fn bracketed(text: &str, at: usize, names: &Names) -> Option<(Reading, usize)> {
    let inside = text[at..].strip_prefix('[')?;
    let mut start = skip(text, text.len() - inside.len(), char::is_whitespace);
    // [mark 3], [id: 3], [#3]
    if let Some((_, after)) = keyword_end(text, start) {
        start = after;
    }
    let (reading, end) = list_at(text, start, names, Setting::Bracketed)?;
    let end = skip(text, end, char::is_whitespace);
    text[end..].starts_with(']').then(|| (reading, end + 1))
}

/// `[3: red box]`, `[3 - red box]`, `[3, red box]`: the name that brackets begin with.
fn captioned(reader: &Reader<'_>) -> Found {
    /// A longer caption, in bytes, is none.
    const LONGEST: usize = 80;
    let &Reader {
        text, at, names, ..
    } = reader;
    let start = skip(text, at + 1, |c| c == ' ');
    let start = keyword_end(text, start).map_or(start, |(_, after)| after);
    let Some(name) = names.name_at(text, start) else {
        return Found::Nothing;
    };
    let after = &text[name.end..];
    let tied = [":", " -", " –", " —", ", ", " =", " ("]
        .iter()
        .any(|tie| after.starts_with(tie));
    let near = after.bytes().take(LONGEST);
    let close = near
        .into_iter()
        .position(|byte| matches!(byte, b']' | b'[' | b'\n'));
    let closes = close.is_some_and(|close| after[close..].starts_with(']'));
    let has_words = close.is_some_and(|close| after[..close].contains(char::is_alphabetic));
    let known = !names.get(&text[name.clone()]).is_empty() && starts_with_digit(text, start);
    match list_at(&text[..name.end], name.start, names, Setting::Enclosed) {
        Some((reading, _)) if tied && closes && has_words && known => {
            Found::Mention(reading.mention(name))
        }
        _ => Found::Nothing,
    }
}

/// The end of the bracket that closes a range whose first one ended at `end`.
fn range_close(reader: &Reader<'_>, end: usize) -> Option<usize> {
    let &Reader {
        text, at, names, ..
    } = reader;
    let next = skip(text, end, |c| c == ' ');
    let dash = ["-", "–", "—", "~", "through ", "thru "]
        .iter()
        .find_map(|dash| text[next..].strip_prefix(dash))
        // "It is [8] — [7] is a bowl"
        .filter(|after| !(text[end..].starts_with(" —") && after.starts_with(' ')));
    // "[5] - [3] is red" says what; "Drag [1] to [4]" names two marks, "labels [1] to [4]" those
    // between them, too.
    let to = || {
        let to = words::at(text, next, Role::Ranges)?;
        let article = words::at(text, skip(text, to, |c| c == ' '), Role::Article);
        Some(&text[article.unwrap_or(to)..]).filter(|_| {
            let before = &text[..at];
            let up_to = words::at(text, next, Role::UpTo) == Some(to);
            up_to || follows_plural(before) || is_from_all(before) || begins_range(before)
        })
    };
    let after = dash.or_else(to)?;
    let second = text.len() - after.trim_start_matches(' ').len();
    let (last, close) = bracketed(text, second, names)?;
    let apart = goes_there(text, close) || parts_ends(text, at, close);
    (last.names == 1 && !apart).then_some(close)
}

/// "De la" where a sentence begins: nothing before it says that anything moves.
fn begins_range(before: &str) -> bool {
    /// Longer, in bytes, are no such words.
    const LONGEST: usize = 24;
    let near = &before[before.ceil_char_boundary(before.len().saturating_sub(LONGEST))..];
    let start = near
        .rfind(['.', ':', '\n', '!', '?'])
        .map_or(0, |sign| sign + 1);
    let lead = near[start..].trim();
    let whole = start > 0 || near.len() == before.len();
    let rest = words::at(lead, 0, Role::Fills).map(|end| lead[end..].trim());
    whole
        && rest.is_some_and(|rest| {
            rest.is_empty() || words::at(rest, 0, Role::Article) == Some(rest.len())
        })
}

/// "The distance from [1] to [4]", "[1]到[4]的距离", "schiebe [1] bis [4]": two marks, between which
/// something is measured or moved.
pub(super) fn parts_ends(text: &str, start: usize, end: usize) -> bool {
    /// That is not said further off, in bytes.
    const NEAR: usize = 32;
    let before = &text[text.ceil_char_boundary(start.saturating_sub(NEAR))..start];
    let after = &text[end..text.floor_char_boundary(end + NEAR)];
    let ends = |c: char| matches!(c, '.' | '\n' | ';' | ':' | ',' | '。' | '，');
    let parts = [before.rsplit(ends).next(), after.split(ends).next()];
    parts.into_iter().flatten().any(|part| {
        words::words(part).any(|word| {
            let says = |role| words::at(part, word.start, role).is_some();
            says(Role::Measures) || says(Role::Moves)
        })
    })
}

/// "[1]から[4]に", "[1]から[4]へ": what moves goes to the second one.
fn goes_there(text: &str, end: usize) -> bool {
    words::at(text, end, Role::Toward)
        .is_some_and(|to| text[end..to].starts_with(words::is_unspaced))
}

/// True for "everything from".
fn is_from_all(text: &str) -> bool {
    let text = text.trim_end_matches(' ');
    let Some(before) = text.strip_suffix("from") else {
        return false;
    };
    let last = before
        .rsplit(char::is_whitespace)
        .find(|word| !word.is_empty());
    let last = last.unwrap_or("").to_lowercase();
    let every = before.len() - before.len().min(24);
    let every = before.get(every..).unwrap_or("").to_lowercase();
    matches!(last.as_str(), "everything" | "all" | "marks" | "regions")
        || every.contains("every ")
        || every.contains("all ")
}

/// True if `text` ends with a word that announces several marks.
fn follows_plural(text: &str) -> bool {
    const NEAR: usize = 40;
    let mut start = text.len().saturating_sub(NEAR);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let near = text[start..].trim_end_matches([' ', ':']);
    let Some(last) = words::words(near).last() else {
        return false;
    };
    let singular = [
        "mark", "region", "label", "number", "object", "segment", "tag", "id",
    ];
    let word = near[last.clone()].to_lowercase();
    last.end == near.len()
        && words::at(near, last.start, Role::Announces).is_some()
        && !singular.contains(&word.as_str())
}

/// `\boxed{3}`, `\boxed{Mark 3}`.
pub(super) fn boxed(reader: &Reader<'_>) -> Found {
    let &Reader {
        text, at, names, ..
    } = reader;
    let start = skip(text, at + "\\boxed{".len(), |c| matches!(c, ' ' | '\n'));
    let start = keyword_end(text, start).map_or(start, |(_, after)| after);
    let list = list_at(text, start, names, Setting::Enclosed);
    let closes = |end: usize| text[end..].trim_start().starts_with('}');
    match list.filter(|&(_, end)| closes(end)) {
        Some((reading, end)) => {
            let written = text[start..end].trim_end();
            Found::Mention(reading.mention(start..start + written.len()))
        }
        None => Found::Skip(start),
    }
}

fn is_checkbox(reader: &Reader<'_>, end: usize) -> bool {
    let item = reader
        .indent()
        .is_some_and(|indent| matches!(indent.trim_start(), "- " | "* " | "+ "));
    item && reader.text[reader.at..end].eq_ignore_ascii_case("[x]")
}

fn is_link(text: &str, end: usize) -> bool {
    text[end..].starts_with("(http") || text[end..].starts_with(": http")
}
