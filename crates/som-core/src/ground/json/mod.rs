//! JSON in answers: its tree, and what its keys say.

mod keys;
mod parse;

use std::ops::Range;

pub(super) use self::parse::parse;
pub(crate) use self::{
    keys::{Key, PlaceKey},
    parse::{Entry, Node, Value},
};
use super::words::{self, Role};

/// `written` without the decimals of a whole number: "3" of "3.0".
pub(crate) fn whole(written: &str) -> &str {
    match written.split_once('.') {
        Some((whole, zeros))
            if !zeros.is_empty()
                && zeros.bytes().all(|byte| byte == b'0')
                && whole.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            whole
        }
        _ => written,
    }
}

/// True for a value that says no: `false`, `0`, "no".
pub(super) fn says_no(node: &Node, text: &str) -> bool {
    match &node.value {
        Value::Bool => text[node.span.clone()].eq_ignore_ascii_case("false"),
        Value::Number(number) => *number == 0.0,
        Value::Text(said) => {
            is_only(said, Role::Denies)
                || is_only(said, Role::DeniesBehind)
                || said.eq_ignore_ascii_case("false")
        }
        _ => false,
    }
}

/// True for a value that says yes or no, and nothing else.
pub(super) fn is_flag(node: &Node, text: &str) -> bool {
    match &node.value {
        Value::Bool => true,
        Value::Number(number) => [0.0, 1.0].contains(number),
        Value::Text(said) => {
            const TICKS: [&str; 5] = ["✅", "✓", "✔", "☑", "✔️"];
            says_no(node, text)
                || is_only(said, Role::Affirms)
                || said.eq_ignore_ascii_case("true")
                || TICKS.contains(&said.trim())
        }
        _ => false,
    }
}

/// True for a value that says that there is nothing: `null`, `[]`, "none".
pub(super) fn is_nothing(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::List(items) => items.is_empty(),
        Value::Text(said) => is_only(said, Role::None),
        _ => false,
    }
}

/// True if `said` is words of `role`, and nothing else.
fn is_only(said: &str, role: Role) -> bool {
    let said = said.trim_matches([' ', '.']);
    words::at(said, 0, role) == Some(said.len())
}

/// The texts of `node` that stand under keys such as "reasoning".
pub(super) fn thoughts(node: &Node, text: &str) -> Vec<Range<usize>> {
    under(node, text, Key::Thought)
}

/// The texts of `node` that stand under keys such as "reason", in order.
pub(crate) fn notes(node: &Node, text: &str) -> Vec<Range<usize>> {
    under(node, text, Key::Note)
}

fn under(node: &Node, text: &str, key: Key) -> Vec<Range<usize>> {
    match &node.value {
        Value::List(items) => items
            .iter()
            .flat_map(|item| under(item, text, key))
            .collect(),
        Value::Object(entries) => entries
            .iter()
            .flat_map(|entry| {
                if Key::of(&entry.key) == key {
                    vec![entry.node.inside(text)]
                } else {
                    under(&entry.node, text, key)
                }
            })
            .collect(),
        _ => Vec::new(),
    }
}
