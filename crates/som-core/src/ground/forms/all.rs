//! All marks at once: "All of them.", "All twelve marks are chairs.", "除了3号以外都是".

use super::{Found, Reader};
use crate::ground::{
    names::skip,
    words::{self, Role},
};

/// The words for all marks at the reader's place, if that is what the answer says, and nothing more, or
/// others were taken out right before.
pub(super) fn all(reader: &Reader<'_>) -> Option<Found> {
    let &Reader {
        text, at, names, ..
    } = reader;
    let end = words::at(text, at, Role::All)?;
    let said = reader.begins() && says_all(&text[at..]) || follows_exception(reader, end);
    let whole = names.every();
    (said && whole.resolves()).then(|| Found::Mention(whole.mention(at..end)))
}

/// True for one sentence about all marks, or nothing but words for all of them.
fn says_all(rest: &str) -> bool {
    const ALONE: [Role; 5] = [
        Role::All,
        Role::Of,
        Role::Article,
        Role::Pronoun,
        Role::Opinion,
    ];
    const OTHERS: [Role; 5] = [
        Role::None,
        Role::Denies,
        Role::Excepts,
        Role::But,
        Role::Measures,
    ];
    let said = rest.trim_end_matches([' ', '.', '!', '\n']);
    if words::is_made_of(said, &ALONE) {
        return true;
    }
    if said.contains(|c: char| c.is_ascii_digit() || matches!(c, '[' | '.' | '\n')) {
        return false;
    }
    let verb = words::words(said).find(|word| words::at(said, word.start, Role::Copula).is_some());
    let Some(subject) = verb.map(|verb| &said[..verb.start]) else {
        return false;
    };
    // "All three marks are"
    let marks =
        words::words(subject).any(|word| words::at(subject, word.start, Role::Mark).is_some());
    let does =
        |role: &Role| words::words(said).any(|word| words::at(said, word.start, *role).is_some());
    let behind = &said[subject.len()..];
    marks && !behind.contains([':', ',']) && !OTHERS.iter().any(does)
}

/// "(除了3号以外) 都是", "apart from 4, all of them are": those that were named before are taken out.
fn follows_exception(reader: &Reader<'_>, end: usize) -> bool {
    /// The word that takes them out is not further off, in bytes.
    const NEAR: usize = 32;
    let &Reader { text, at, .. } = reader;
    let Some(last) = reader.last() else {
        return false;
    };
    let start = skip(text, 0, char::is_whitespace);
    if at - start > 2 * NEAR {
        return false;
    }
    let between = text.get(last.end..at).unwrap_or("\n");
    let lead = text[..last.start].trim_start();
    let excepts = words::words(lead).any(|word| {
        words::at(lead, word.start, Role::Excepts)
            .is_some_and(|end| lead.len() - end.min(lead.len()) < 12)
    });
    let rest = &text[end..];
    let names = [rest, lead, between]
        .iter()
        .any(|said| said.contains(|c: char| c.is_ascii_digit()));
    last.start < start + NEAR && excepts && !between.contains(['.', '\n', '。']) && !names
}
