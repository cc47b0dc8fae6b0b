//! Where sentences begin and end.

use std::ops::Range;

use crate::ground::words::{self, Role};

/// Where the last sentence of a part begins.
pub(super) fn sentence_start(text: &str, part: Range<usize>) -> usize {
    let inside = text.get(part.clone()).unwrap_or("");
    let mut start = 0;
    for (at, c) in inside.char_indices() {
        let after = &inside[at + c.len_utf8()..];
        let before = &inside[..at];
        let ends = match c {
            '\n' | ';' | '{' | '}' => true,
            '.' | '!' | '?' | '…' => {
                let number = after.trim_start().starts_with(|c: char| c.is_ascii_digit());
                after.starts_with([' ', '\n', '"', ')', '*'])
                    && !(number && is_abbreviation(before))
                    || c == '…' && after.is_empty()
            }
            ':' => before.ends_with('"') && before.len() > 1,
            '|' => true,
            _ => false,
        };
        if ends {
            start = at + c.len_utf8();
        }
    }
    part.start + start
}

fn is_abbreviation(before: &str) -> bool {
    let word = before
        .rsplit(|c: char| !words::is_word(c))
        .next()
        .unwrap_or("");
    matches!(
        word.to_lowercase().as_str(),
        "no" | "nr" | "vs" | "e.g" | "i.e" | "approx" | "núm" | "nro" | "fig"
    )
}

/// Where the first sentence of a part ends.
pub(super) fn sentence_end(text: &str, part: Range<usize>) -> usize {
    let inside = text.get(part.clone()).unwrap_or("");
    for (at, c) in inside.char_indices() {
        let after = &inside[at + c.len_utf8()..];
        let ends = match c {
            '\n' | ';' | '|' | '{' | '}' => true,
            '.' | '!' | '?' => after.is_empty() || after.starts_with([' ', '\n', '"', ')', '*']),
            _ => false,
        };
        if ends {
            return part.start + at;
        }
    }
    part.end
}

/// The boundary of a character at or after `at`.
pub(super) fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

/// `between` behind what stands in parentheses at its start.
pub(super) fn without_caption(between: &str) -> &str {
    let inside = between
        .trim_start_matches([' ', '*', ']'])
        .strip_prefix('(');
    let rest = inside.and_then(|inside| inside.split_once(')'));
    rest.map_or(between, |(_, rest)| rest)
}

/// True if a verb ends right before `at`: "is now [5]".
pub(super) fn follows_verb(text: &str, at: usize) -> bool {
    /// A verb is not longer, in bytes.
    const LONGEST: usize = 24;
    const ROLES: [Role; 4] = [Role::Is, Role::Copula, Role::Becomes, Role::Now];
    let near = &text[text.ceil_char_boundary(at.saturating_sub(LONGEST))..at];
    let near = near.trim_end_matches([' ', '*', '[', '`']);
    words::words(near).any(|word| {
        ROLES
            .iter()
            .any(|role| words::at(near, word.start, *role) == Some(near.len()))
    })
}

/// True if a verb begins right behind `at`: "[3] is gone".
pub(super) fn precedes_verb(text: &str, at: usize) -> bool {
    const ROLES: [Role; 5] = [
        Role::Is,
        Role::Copula,
        Role::Becomes,
        Role::None,
        Role::DeniesBehind,
    ];
    let rest = text[at..].trim_start_matches(['*', ']', '`']);
    let verb = rest.trim_start_matches(' ');
    verb.len() < rest.len() && ROLES.iter().any(|role| words::at(verb, 0, *role).is_some())
}
