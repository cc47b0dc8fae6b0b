//! `"mark": 3`, `"marks": [3, 4]`, `{"3": "cup"}`.

use super::{Found, Reader, bracket::bracketed};
use crate::ground::{
    coordinates,
    names::{Setting, list_at, skip},
};

/// Keys whose values name marks.
pub(super) const MARK_KEYS: [&str; 26] = [
    "mark",
    "marks",
    "mark_id",
    "mark_ids",
    "id",
    "ids",
    "region",
    "regions",
    "region_id",
    "region_ids",
    "number",
    "numbers",
    "object_id",
    "object_ids",
    "segment",
    "segments",
    "segment_id",
    "index",
    "answer",
    "answers",
    "target",
    "targets",
    "selected",
    "tag",
    "found",
    "matches",
];

pub(super) fn key(reader: &Reader<'_>) -> Found {
    let &Reader {
        text, at, names, ..
    } = reader;
    let Some(length) = text[at + 1..].find(['"', '\n']) else {
        return Found::Nothing;
    };
    let key = &text[at + 1..at + 1 + length];
    let close = at + 1 + length + 1;
    let colon = skip(text, close.min(text.len()), char::is_whitespace);
    if !text[colon..].starts_with(':') {
        return Found::Nothing;
    }
    if let Some((reading, end)) = list_at(key, 0, names, Setting::Enclosed)
        && end == key.len()
        && reading.resolves()
    {
        return Found::Mention(reading.mention(at + 1..at + 1 + length));
    }
    let value = skip(text, colon + 1, char::is_whitespace);
    if let Some(found) = coordinates::json(reader, key, value) {
        return found;
    }
    if MARK_KEYS.contains(&key.to_lowercase().as_str()) {
        return marks(reader, value);
    }
    // An array under another key (a colour, a list of counts) names nothing; its objects may.
    if text[value..].starts_with('[') && bracketed(text, value, names).is_some() {
        let end = text[value..]
            .find(']')
            .map_or(text.len(), |end| value + end + 1);
        return Found::Skip(end);
    }
    Found::Skip(value.max(at + 1))
}

/// The value of a key that names marks.
fn marks(reader: &Reader<'_>, value: usize) -> Found {
    let &Reader { text, names, .. } = reader;
    if text[value..].starts_with('[') {
        return match bracketed(text, value, names) {
            Some((reading, end)) => Found::Mention(reading.mention(value..end)),
            None => Found::Skip(value + 1),
        };
    }
    let start = skip(text, value, |c| c == '"');
    match list_at(text, start, names, Setting::Enclosed) {
        // The value of "id" may be anything: what leads nowhere and is no number is not a name.
        Some((reading, end)) if reading.resolves() || super::starts_with_digit(text, start) => {
            let written = text[start..end].trim_end_matches(['"', ',', ' ', '\n']);
            Found::Mention(reading.mention(start..start + written.len()))
        }
        _ => Found::Skip(value),
    }
}
