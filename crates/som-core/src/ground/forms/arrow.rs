//! A number before or behind an arrow, a sign or a verb that says what it became: `1→5; 2→4`, `1=5`,
//! "mark 1 has moved to 5".

use std::ops::Range;

use super::Reader;
use crate::ground::{
    names::{is_quantity, skip},
    words::{self, Role},
};

/// "1→5; 2→4": a number before or behind an arrow.
pub(super) fn is_at_arrow(reader: &Reader<'_>, name: &Range<usize>) -> bool {
    const ARROWS: [&str; 4] = ["→", "->", "=>", "⟶"];
    let &Reader { text, names, .. } = reader;
    let after = text[name.end..].trim_start_matches(' ');
    let before = text[..name.start].trim_end_matches(' ');
    let leads = ARROWS.iter().any(|arrow| after.starts_with(arrow))
        || words::at(after, 0, Role::Becomes).is_some() && !is_of_another(before);
    let follows = (ARROWS.iter().any(|arrow| before.ends_with(arrow)) || became(before))
        && !is_quantity(text, name.end);
    if is_equated(reader, name) {
        return true;
    }
    (leads || follows) && !names.get(&text[name.clone()]).is_empty()
}

/// "1=5, 2 = 7": a mark on either side of a sign, and no calculation.
fn is_equated(reader: &Reader<'_>, name: &Range<usize>) -> bool {
    const SIGNS: [char; 8] = ['+', '-', '*', '/', '×', '÷', '=', '^'];
    let &Reader { text, names, .. } = reader;
    let known =
        |name: &str| name.starts_with(|c: char| c.is_ascii_digit()) && !names.get(name).is_empty();
    let (before, after) = (text[..name.start].trim_end_matches(' '), &text[name.end..]);
    let rest = after.trim_start_matches(' ');
    if let Some(value) = rest.strip_prefix('=') {
        let value = value.trim_start_matches(' ');
        let digits = skip(value, 0, |c| c.is_ascii_digit());
        let ends = value[digits..].trim_start_matches(' ');
        return known(&value[..digits]) && !before.ends_with(SIGNS) && !ends.starts_with(SIGNS);
    }
    let Some(of) = before.strip_suffix('=').map(|of| of.trim_end_matches(' ')) else {
        return false;
    };
    let digits = of.len() - of.bytes().rev().take_while(u8::is_ascii_digit).count();
    let ends = of[..digits].trim_end_matches(' ');
    known(&of[digits..])
        && !ends.ends_with(SIGNS)
        && !ends.ends_with(char::is_alphabetic)
        && !rest.starts_with(SIGNS)
        && !is_quantity(text, name.end)
}

/// True if `before` ends with a word whose number follows, and which is none for marks: "in image 1".
fn is_of_another(before: &str) -> bool {
    const LEADS: [Role; 5] = [
        Role::Joins,
        Role::Announces,
        Role::Article,
        Role::Contrasts,
        Role::Fills,
    ];
    let start = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| words::is_word(*c) && !words::is_unspaced(*c))
        .last()
        .map(|(at, _)| at);
    start.is_some_and(|start| {
        let leads = |role: &Role| words::at(before, start, *role) == Some(before.len());
        !LEADS.iter().any(leads)
    })
}

/// True if `before` ends with what says that something became what follows: "has moved to", "es ahora
/// la", "对应第二张图中的".
fn became(before: &str) -> bool {
    /// Such words, and where what follows is, are not longer, in bytes.
    const LONGEST: usize = 48;
    let near = &before[before.ceil_char_boundary(before.len().saturating_sub(LONGEST))..];
    words::words(near).any(|word| {
        words::at(near, word.start, Role::Becomes).is_some_and(|end| {
            let rest = &near[end..];
            rest.is_empty()
                || rest.ends_with('的') && !rest.contains(['，', '。', ',', '.'])
                || is_article(rest)
        })
    })
}

/// True for an article and nothing else.
fn is_article(text: &str) -> bool {
    let text = text.trim();
    words::at(text, 0, Role::Article) == Some(text.len())
}
