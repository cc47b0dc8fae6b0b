//! JSON in answers: its tree, and what its keys say.

mod flags;
mod keys;
mod parse;

use std::ops::Range;

pub(super) use self::{
    flags::{is_flag, is_nothing, is_verdict, says_no},
    parse::parse,
};
pub(crate) use self::{
    keys::{Key, PlaceKey},
    parse::{Entry, Node, Value},
};

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
