//! JSON in answers: its tree, and what its keys say.

mod keys;
mod parse;

use std::ops::Range;

pub(super) use self::parse::parse;
pub(crate) use self::{
    keys::{Key, PlaceKey},
    parse::{Entry, Node, Value},
};

/// The texts of `node` that stand under keys such as "reasoning".
pub(super) fn thoughts(node: &Node, text: &str) -> Vec<Range<usize>> {
    match &node.value {
        Value::List(items) => items.iter().flat_map(|item| thoughts(item, text)).collect(),
        Value::Object(entries) => entries
            .iter()
            .flat_map(|entry| match Key::of(&entry.key) {
                Key::Thought => vec![entry.node.inside(text)],
                _ => thoughts(&entry.node, text),
            })
            .collect(),
        _ => Vec::new(),
    }
}
