//! Whether a mention goes on with the list of the one before: "[4] and [5]", "[1], the [2]".

use super::{Around, NEAR, sentence::without_caption};
use crate::ground::words::{self, Role};

impl Around<'_> {
    /// True if nothing but "and" or a comma stands between the mention before and this one.
    pub(super) fn is_joined(&self) -> bool {
        let between = without_caption(&self.text[self.before.clone()]);
        if !self.is_preceded || between.len() > 32 || self.begins {
            return false;
        }
        // "Not 3, 5"
        let lead = self.text.get(..self.before.start).unwrap_or("");
        if lead.len() < NEAR / 8 && is_denied_first(lead) && !self.is_followed && is_comma(between)
        {
            return false;
        }
        let mut joined = between.contains([',', '/', '&']);
        let mut by_word = false;
        let mut passed = 0;
        for word in words::words(between) {
            let role = |role| words::at(between, word.start, role);
            if word.start < passed {
                continue;
            } else if role(Role::Bears).is_some() && !by_word {
                // "Behind [3], labelled [1]"
                return false;
            } else if let Some(end) = role(Role::Joins) {
                joined = true;
                by_word = true;
                passed = end;
            } else if role(Role::Denies).is_some()
                || role(Role::Announces).is_none() && role(Role::Article).is_none()
                || role(Role::Pronoun).is_some() && role(Role::Definite).is_none()
                || role(Role::Reason).is_some()
            {
                return false;
            }
        }
        // "not [4], [5] is": a comma alone may begin a clause.
        let after = without_caption(&self.text[self.after.clone()]);
        let ends = after.trim_start_matches(['*', '`', '"', ')', ' ']);
        let goes_on =
            ends.is_empty() || ends.starts_with([',', '.', ';', '&', '/', '\n', '!', '?']);
        let word = words::words(after).next();
        let listed = word.is_some_and(|word| {
            word.start <= 2 && words::at(after, word.start, Role::Joins).is_some()
        });
        joined && (by_word || goes_on || listed)
    }
}

/// True for "not 3", "not D": a denial and one bare name.
fn is_denied_first(lead: &str) -> bool {
    let mut rest = lead.trim();
    let mut denies = false;
    while let Some(end) = words::at(rest, 0, Role::Denies).or_else(|| words::at(rest, 0, Role::No))
    {
        denies = true;
        rest = rest[end..].trim_start_matches([' ', ',']);
    }
    let name = rest[words::at(rest, 0, Role::Article).unwrap_or(0)..].trim_start();
    let letter = name.len() == 1 && name.bytes().all(|byte| byte.is_ascii_uppercase());
    denies && !name.is_empty() && (letter || name.bytes().all(|byte| byte.is_ascii_digit()))
}

/// True for a comma, and an article behind it as it may be.
fn is_comma(between: &str) -> bool {
    between.trim().strip_prefix(',').is_some_and(|rest| {
        let rest = rest.trim();
        rest.is_empty() || words::at(rest, 0, Role::Article) == Some(rest.len())
    })
}
