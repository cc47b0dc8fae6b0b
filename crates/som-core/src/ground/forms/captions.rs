//! The first of several names with captions: "the objects are: 1 (surfboard), 2 (umbrella)".

use std::ops::Range;

use super::{
    Reader,
    tie::{LONGEST, Tie},
};
use crate::ground::{
    names::skip,
    words::{self, Role},
};

/// "The fruit is in 4 (apple), 6 (banana)": captions in running text, with nothing else between.
fn begins_captions(reader: &Reader<'_>, name: &Range<usize>) -> bool {
    let &Reader { text, names, .. } = reader;
    let glued = text[..name.start].ends_with(|c: char| words::is_word(c) || c == '.');
    let near = &text[..text.floor_char_boundary(name.end + LONGEST)];
    let before = text[..name.start].trim_end();
    let before = &before[before.ceil_char_boundary(before.len().saturating_sub(LONGEST / 4))..];
    let counts = words::words(before)
        .any(|word| words::at(before, word.start, Role::Measures) == Some(before.len()));
    let upper =
        |name: &Range<usize>| !text[name.clone()].contains(|c: char| c.is_ascii_lowercase());
    let next = caption_end(near, name.end).and_then(|end| {
        let next = skip(near, end, |c| matches!(c, ',' | ';' | ' '));
        let joined = words::at(near, next, Role::Joins).unwrap_or(next);
        let other = names.name_at(near, skip(near, joined, |c| c == ' '))?;
        let known = !names.get(&near[other.clone()]).is_empty() && upper(&other);
        (known && caption_end(near, other.end).is_some()).then_some(())
    });
    !glued && !counts && upper(name) && next.is_some()
}

/// Where the caption ends that begins at `at`: words in parentheses.
fn caption_end(text: &str, at: usize) -> Option<usize> {
    let start = skip(text, at, |c| matches!(c, '*' | ']' | ' '));
    let inside = text[start..].strip_prefix('(')?;
    let (caption, _) = inside.split_once(')')?;
    let plain = caption.contains(char::is_alphabetic)
        && !caption.contains(|c: char| c.is_ascii_digit() || matches!(c, '(' | '\n'));
    plain.then_some(start + caption.len() + 2)
}

/// True for the first of several captions: "the objects are: 1 (surfboard), 2 (umbrella)".
pub(super) fn begins(reader: &Reader<'_>, name: &Range<usize>) -> bool {
    if begins_captions(reader, name) {
        return true;
    }
    let &Reader { text, names, .. } = reader;
    let before = text[..name.start].trim_end_matches([' ', '*', '[']);
    let opens = before.ends_with(':') || before.is_empty() || before.ends_with('\n');
    if !opens || !text[name.clone()].starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let Some((tie @ (Tie::Caption | Tie::Colon), end)) = Tie::at(text, name.end) else {
        return false;
    };
    let near = text.floor_char_boundary(end + LONGEST / 2);
    let line = text[end..near].split('\n').next().unwrap_or("");
    let mut from = 0;
    while let Some(at) = line[from..].find([',', ';', ')']).map(|at| from + at + 1) {
        let next = end + skip(line, at, |c| matches!(c, ' ' | ',' | ';' | '*' | '['));
        let next =
            words::at(text, next, Role::Joins).map_or(next, |end| skip(text, end, |c| c == ' '));
        let same = names
            .name_at(text, next)
            .filter(|other| !names.get(&text[other.clone()]).is_empty())
            .and_then(|other| Tie::at(text, other.end));
        if same.is_some_and(|(other, _)| other == tie) {
            return true;
        }
        from = at;
    }
    false
}
