//! `[3]`, `[1, 2]`, `[1–4]`, `[1]-[4]`, `\[3\]`, `【3】`, `［3］`, `\boxed{3}`.

use super::{Found, Names, Reader, keyword::keyword_end};
use crate::ground::{
    coordinates,
    names::{Reading, Setting, list_at, skip},
};

const PAIRS: [(&str, &str); 4] = [("[", "]"), ("\\[", "\\]"), ("【", "】"), ("［", "］")];

pub(super) fn bracket(reader: &Reader<'_>) -> Found {
    let &Reader {
        text, at, names, ..
    } = reader;
    if let Some(found) = coordinates::plain(reader) {
        return found;
    }
    let Some((reading, end)) = bracketed(text, at, names) else {
        return if text[at..].starts_with("\\\\") {
            Found::Skip(at + 2)
        } else {
            Found::Nothing
        };
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
            .filter(|c| !matches!(c, '[' | ']' | '【' | '】' | '［' | '］' | '\\'))
            .collect();
        if let Some((range, _)) = list_at(&inner, 0, names, Setting::Enclosed) {
            return Found::Mention(range.mention(at..close));
        }
    }
    Found::Mention(reading.mention(at..end))
}

/// The list between the brackets that open at `at`, and the place behind the closing one.
pub(super) fn bracketed(text: &str, at: usize, names: &Names) -> Option<(Reading, usize)> {
    let (open, close) = PAIRS
        .into_iter()
        .find(|(open, _)| text[at..].starts_with(open))?;
    let mut start = skip(text, at + open.len(), char::is_whitespace);
    // [mark 3], [id: 3], [#3]
    if let Some((_, after)) = keyword_end(text, start) {
        start = after;
    }
    let (reading, end) = list_at(text, start, names, Setting::Bracketed)?;
    let end = skip(text, end, char::is_whitespace);
    text[end..]
        .starts_with(close)
        .then(|| (reading, end + close.len()))
}

/// The end of the bracket that closes a range whose first one ended at `end`.
fn range_close(reader: &Reader<'_>, end: usize) -> Option<usize> {
    let &Reader {
        text, at, names, ..
    } = reader;
    let next = skip(text, end, |c| c == ' ');
    let dash = ["-", "–", "—", "~", "through ", "thru "]
        .iter()
        .find_map(|dash| text[next..].strip_prefix(dash));
    // "Drag [1] to [4]" names two marks, "labels [1] to [4]" those between them, too.
    let to = || {
        text[next..]
            .strip_prefix("to ")
            .filter(|_| follows_plural(&text[..at]))
    };
    let after = dash.or_else(to)?;
    let second = text.len() - after.trim_start_matches(' ').len();
    let (last, close) = bracketed(text, second, names)?;
    (last.names == 1).then_some(close)
}

/// True if `text` ends with a keyword for several marks.
fn follows_plural(text: &str) -> bool {
    const PLURALS: [&str; 8] = [
        "marks", "markers", "regions", "labels", "numbers", "objects", "segments", "tags",
    ];
    let text = text.trim_end_matches(' ').as_bytes();
    PLURALS.iter().any(|plural| {
        let start = text.len().saturating_sub(plural.len());
        let whole = start == 0 || !text[start - 1].is_ascii_alphabetic();
        whole && text[start..].eq_ignore_ascii_case(plural.as_bytes())
    })
}

/// `\boxed{3}`.
pub(super) fn boxed(reader: &Reader<'_>) -> Found {
    let &Reader {
        text, at, names, ..
    } = reader;
    let start = at + "\\boxed{".len();
    let list = list_at(text, start, names, Setting::Enclosed);
    match list.filter(|&(_, end)| text[end..].starts_with('}')) {
        Some((reading, end)) => Found::Mention(reading.mention(start..end)),
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
