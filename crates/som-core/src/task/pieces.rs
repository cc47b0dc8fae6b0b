//! Several texts, each with its marks in a piece of the answer that speaks of nothing else: "2 for the
//! lamp, 7 for the pillow, no rug", "1 is the dog, 4 the cat and 7 the ball".

use std::ops::Range;

use super::{grounded::Named, said::only_name, spoken::Spoken};
use crate::ground::{Role, words};

/// A longer answer, in bytes, says more.
const LONGEST: usize = 400;

/// What is said of each text, if every piece of the answer speaks of one of them, and names marks or
/// says that there are none.
pub(super) fn piece_by_piece(spoken: &Spoken<'_>, keys: &[String]) -> Option<Vec<Option<Named>>> {
    if spoken.part.len() > LONGEST {
        return None;
    }
    let mut said: Vec<Option<Named>> = vec![None; keys.len()];
    for piece in pieces(spoken) {
        let text = words::lowered(spoken.get(piece.clone()));
        let mut found = keys.iter().enumerate().filter(|(_, key)| holds(&text, key));
        let (index, None) = (found.next().map(|(index, _)| index), found.next()) else {
            return None;
        };
        // "It is not [1]" denies something else.
        let denied = spoken.cues.any(piece.clone(), Role::Denies);
        let Some(index) = index else {
            if denied {
                continue;
            }
            return None;
        };
        let named = only_name(&spoken.part(piece.clone())).or_else(|| none_of(spoken, piece))?;
        if said[index].replace(named).is_some() {
            return None;
        }
    }
    said.iter().all(Option::is_some).then_some(said)
}

/// The lines of the answer, parted at commas, semicolons and sentences, and at words that join.
fn pieces(spoken: &Spoken<'_>) -> Vec<Range<usize>> {
    let part = spoken.part.clone();
    let mut ends: Vec<Range<usize>> = spoken
        .get(part.clone())
        .char_indices()
        .filter(|(_, c)| matches!(c, ',' | ';' | '\n' | '.'))
        .map(|(at, c)| part.start + at..part.start + at + c.len_utf8())
        .collect();
    let joins = spoken.cues.all(part.clone(), Role::Joins);
    ends.extend(joins.map(|cue| cue.start..cue.end));
    ends.sort_by_key(|end| end.start);
    let mut pieces = Vec::new();
    let mut from = part.start;
    for end in ends {
        if end.start >= from {
            pieces.push(from..end.start);
            from = end.end;
        }
    }
    pieces.push(from..part.end);
    pieces.retain(|piece| spoken.get(piece.clone()).contains(char::is_alphanumeric));
    pieces
}

/// "No rug", "the rug isn't there".
fn none_of(spoken: &Spoken<'_>, piece: Range<usize>) -> Option<Named> {
    let text = spoken.get(piece.clone());
    let no = words::words(text).any(|word| words::at(text, word.start, Role::No).is_some());
    let named = text.contains(|c: char| c.is_ascii_digit());
    ((no || spoken.says_none(piece)) && !named).then_some(Named::NONE)
}

/// True if the words of `key` stand in `text`, one by one.
fn holds(text: &str, key: &str) -> bool {
    let found = text.match_indices(key);
    let letter = |c: char| c.is_alphanumeric();
    !key.is_empty()
        && found.into_iter().any(|(at, _)| {
            !text[..at].ends_with(letter) && !text[at + key.len()..].starts_with(letter)
        })
}
