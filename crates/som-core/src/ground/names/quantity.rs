//! Numbers that count or measure, and name no mark: "5 people", "5 km".

use crate::ground::words::{self, Role};

/// True if the number that ends at `at` counts what follows: "5 people". A counted noun is in the
/// plural; a verb after several marks does not end in s.
pub(crate) fn is_quantity(text: &str, at: usize) -> bool {
    if is_measure(text, at) {
        return true;
    }
    let Some(word) = text[at..].strip_prefix(' ') else {
        return false;
    };
    // "3 mais 5", "3 dans le coin"
    const LEADS: [Role; 7] = [
        Role::Opinion,
        Role::Contrasts,
        Role::Joins,
        Role::Ranges,
        Role::Denies,
        Role::Beside,
        Role::Article,
    ];
    if LEADS.iter().any(|role| words::at(word, 0, *role).is_some()) {
        return false;
    }
    let end = word
        .find(|c: char| !c.is_alphabetic())
        .unwrap_or(word.len());
    let word = &word[..end];
    let says = |role| words::at(word, 0, role) == Some(end);
    let plural = word.ends_with(['s', 'S']) && !says(Role::Singular);
    end > 0 && (says(Role::Crowd) || plural)
}

/// True if a unit follows the number that ends at `at`: "5 km", "3个".
pub(in crate::ground) fn is_measure(text: &str, at: usize) -> bool {
    let rest = &text[at..];
    let after = rest.trim_start_matches(' ');
    if after.starts_with([
        '%', '°', '€', '个', '個', '只', '张', '辆', '件', '名', '本', '枚', '人', '匹', '개',
        '명', '마',
    ]) {
        return true;
    }
    after.len() < rest.len() && words::at(after, 0, Role::Unit).is_some()
}
