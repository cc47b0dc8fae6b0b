//! `#3`, `№ 3`.

use super::{Found, Reader};
use crate::ground::names::{Reading, Setting, list_at, skip};

pub(super) fn hash(reader: &Reader<'_>) -> Found {
    let &Reader {
        text, at, names, ..
    } = reader;
    let sign = text[at..].chars().next().map_or(1, char::len_utf8);
    let start = skip(text, at + sign, |c| c == ' ');
    let spaced = start > at + sign;
    let Some(name) = names.name_at(text, start).filter(|_| !spaced || sign > 1) else {
        // A heading.
        return Found::Skip(at + sign);
    };
    let inside_word = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '&');
    if inside_word || names.get(&text[name.clone()]).is_empty() && matches!(name.len(), 3 | 6) {
        return Found::Skip(name.end); // An entity or a colour.
    }
    let list: Option<(Reading, usize)> =
        list_at(&text[..name.end], name.start, names, Setting::Open);
    match list {
        Some((reading, end)) => Found::Mention(reading.mention(at..end)),
        None => Found::Skip(at + sign),
    }
}
