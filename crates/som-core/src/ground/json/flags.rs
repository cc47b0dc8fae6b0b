//! Values that say yes, no or nothing, and keys under which they decide whether marks are meant.

use super::{
    keys::plain,
    parse::{Node, Value},
};
use crate::ground::words::{self, Role};

/// What says of a mark whether it is meant: "is_target".
const VERDICTS: [&str; 28] = [
    "istarget",
    "target",
    "ismatch",
    "match",
    "matches",
    "matched",
    "ismatched",
    "selected",
    "isselected",
    "chosen",
    "ischosen",
    "correct",
    "iscorrect",
    "answer",
    "isanswer",
    "relevant",
    "isrelevant",
    "isreferent",
    "ismeant",
    "meant",
    "qualifies",
    "satisfies",
    "fits",
    "applies",
    "verdict",
    "decision",
    "include",
    "included",
];

/// True for a key whose value says whether the marks beside it are meant.
pub(in crate::ground) fn is_verdict(key: &str) -> bool {
    VERDICTS.contains(&plain(key).as_str())
}

/// True for a value that says no: `false`, `0`, "no".
pub(in crate::ground) fn says_no(node: &Node, text: &str) -> bool {
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
pub(in crate::ground) fn is_flag(node: &Node, text: &str) -> bool {
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
pub(in crate::ground) fn is_nothing(node: &Node) -> bool {
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
