//! What ties a mark to a text that stands right beside it.

use crate::ground::{Role, words};

/// What ties a mark to a text that stands right beside it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tie {
    /// A verb or a colon.
    Strong,
    /// No word that matters.
    Weak,
}

/// The tie that `between` is, if it is nothing else.
pub(super) fn tie(between: &str) -> Option<Tie> {
    const LONGEST: usize = 80;
    if between.len() > LONGEST || between.contains(['\n', ';', '{', '}']) {
        return None;
    }
    let mut kind = Tie::Weak;
    let mut passed = 0;
    for word in words::words(between) {
        if word.start < passed {
            continue;
        }
        let role = |role| words::at(between, word.start, role);
        if let Some(end) = role(Role::Is).or_else(|| role(Role::For)) {
            kind = Tie::Strong;
            passed = end;
        } else if let Some(end) = role(Role::Announces)
            .or_else(|| role(Role::Article))
            .or_else(|| role(Role::Each))
            .or_else(|| role(Role::Itself))
            .or_else(|| role(Role::Remarks))
        {
            passed = end;
        } else if role(Role::Ties).is_none() {
            return None;
        }
    }
    if between.contains([':', '=', '→', '|', '–', '—']) || between.contains(" - ") {
        kind = Tie::Strong;
    }
    // "the spoon, [5] the saucer": what a comma parts is not tied.
    (kind == Tie::Strong || !between.contains(',')).then_some(kind)
}
