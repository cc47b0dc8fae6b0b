//! JSON in answers: its tree, what its keys say, and the mentions in it.

mod keys;
mod mentions;
mod parse;

use std::ops::Range;

pub(crate) use self::{
    keys::{Key, PlaceKey},
    mentions::mentions,
    parse::{Entry, Node, Value, parse},
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
