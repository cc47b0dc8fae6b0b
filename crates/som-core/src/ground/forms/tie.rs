//! What ties a name to what is said of it: "1: a cup", "1 (a cup)", "1 is a cup".

use crate::ground::{
    names::skip,
    words::{self, Role},
};

/// What stands between two names of a series is not longer, in bytes.
pub(super) const LONGEST: usize = 120;

/// What ties a name to what is said of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tie {
    Colon,
    Dash,
    Equals,
    Arrow,
    Caption,
    Verb,
}

impl Tie {
    /// The tie at `at`, and where it ends.
    pub(super) fn at(text: &str, at: usize) -> Option<(Self, usize)> {
        const SIGNS: [(&str, Tie); 11] = [
            (": ", Tie::Colon),
            ("：", Tie::Colon),
            (" (", Tie::Caption),
            ("（", Tie::Caption),
            (" - ", Tie::Dash),
            (" – ", Tie::Dash),
            (" — ", Tie::Dash),
            (" = ", Tie::Equals),
            ("=", Tie::Equals),
            (" -> ", Tie::Arrow),
            (" → ", Tie::Arrow),
        ];
        let start = skip(text, at, |c| matches!(c, '*' | '`' | ']' | '"'));
        let rest = &text[start..];
        if let Some((sign, tie)) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign)) {
            return Some((*tie, start + sign.len()));
        }
        let verb = skip(text, start, |c| c == ' ');
        let apart = verb > start || text[verb..].starts_with(words::is_unspaced);
        let end = words::at(text, verb, Role::Is)
            .or_else(|| words::at(text, verb, Role::None))
            .or_else(|| words::at(text, verb, Role::Becomes));
        end.filter(|_| apart).map(|end| (Tie::Verb, end))
    }
}
