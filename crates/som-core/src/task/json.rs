//! Answers that are JSON, as the schemas have it or nearly so.

use serde_json::{Map, Value};

use super::grounded::Named;
use crate::ground::{Names, Setting, list_at};

/// Keys of the text that goes with marks.
const TEXT_KEYS: [&str; 9] = [
    "label",
    "expression",
    "phrase",
    "name",
    "class",
    "description",
    "object",
    "text",
    "category",
];
/// Keys of one mark, or of several.
const MARK_KEYS: [&str; 8] = [
    "marks",
    "mark",
    "id",
    "ids",
    "region",
    "regions",
    "mark_id",
    "region_id",
];

/// A text and the marks that go with it.
pub(super) struct Entry {
    pub(super) text: String,
    pub(super) named: Named,
}

/// A mark, and those it was found as.
pub(super) struct Pair {
    pub(super) of: Named,
    pub(super) found: Named,
}

/// The JSON in `answer`: all of it, a fenced block of it, or what is between its outermost
/// brackets; of JSON that breaks off, what is complete.
pub(super) fn value_in(answer: &str) -> Option<Value> {
    let parse = |text: &str| {
        serde_json::from_str::<Value>(text.trim())
            .ok()
            .filter(|value| value.is_object() || value.is_array())
    };
    let fenced = || {
        let (_, after) = answer.split_once("```")?;
        let (block, _) = after.split_once("```")?;
        parse(block.trim_start_matches(|c: char| c.is_ascii_alphabetic()))
    };
    let bracketed = |open: char, close: char| {
        let (start, end) = (answer.find(open)?, answer.rfind(close)?);
        parse(answer.get(start..=end)?)
    };
    parse(answer)
        .or_else(fenced)
        .or_else(|| bracketed('{', '}'))
        .or_else(|| bracketed('[', ']'))
        .or_else(|| parse(&repaired(begun(answer)?)?))
        .or_else(|| one_after_another(begun(answer)?))
}

/// True if `answer` is JSON from its start or from its first fence on, whole or not.
pub(super) fn is_json(answer: &str) -> bool {
    begun(answer).is_some()
}

/// `answer` from where its JSON begins: at its start, or behind its first fence.
fn begun(answer: &str) -> Option<&str> {
    let fenced = answer
        .split_once("```")
        .map(|(_, block)| block.trim_start_matches(|c: char| c.is_ascii_alphabetic()));
    let begins = |text: &&str| {
        let mut inside = text.chars().filter(|c| !c.is_whitespace());
        match (inside.next(), inside.next()) {
            (Some('{'), second) => matches!(second, None | Some('"' | '}')),
            (Some('['), second) => second == Some('{'),
            _ => false,
        }
    };
    [Some(answer), fenced]
        .into_iter()
        .flatten()
        .map(str::trim_start)
        .find(begins)
}

/// The values that stand one behind the other, as a list.
fn one_after_another(text: &str) -> Option<Value> {
    let values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let values: Vec<Value> = values.map_while(Result::ok).collect();
    (!values.is_empty()).then_some(Value::Array(values))
}

/// `text`, which breaks off, up to its last complete element, with its open brackets closed. An
/// object in a list is complete when it is closed.
fn repaired(text: &str) -> Option<String> {
    let mut open: Vec<char> = Vec::new();
    let mut complete = None;
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        if quoted {
            quoted = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        let in_list = matches!(open.as_slice(), [.., ']', '}']);
        match c {
            '"' => quoted = true,
            '{' => open.push('}'),
            '[' => {
                open.push(']');
                complete = Some((at + 1, open.len()));
            }
            '}' | ']' => {
                open.pop().filter(|&close| close == c)?;
                complete = Some((at + 1, open.len()));
            }
            ',' if !in_list => complete = Some((at, open.len())),
            _ => {}
        }
        if open.is_empty() {
            return None;
        }
    }
    let (end, depth) = complete?;
    let closing = open.get(..depth)?.iter().rev();
    Some(text[..end].chars().chain(closing.copied()).collect())
}

/// Every text that goes with marks, wherever it stands in `value`: `{"label": "cup", "mark": 3}`,
/// `{"cup": [3]}`, `{"3": "cup"}`.
pub(super) fn entries(value: &Value, names: &Names) -> Vec<Entry> {
    let mut entries = Vec::new();
    visit(value, &mut |object| {
        let text = TEXT_KEYS.iter().find_map(|key| object.get(*key)?.as_str());
        let marks = MARK_KEYS.iter().find_map(|key| object.get(*key));
        if let (Some(text), Some(marks)) = (text, marks) {
            entries.push(Entry {
                text: text.to_owned(),
                named: named(marks, names),
            });
            return;
        }
        for (key, value) in object {
            if MARK_KEYS.contains(&key.as_str()) {
                continue;
            }
            match value {
                Value::String(text) if !marks_of(key, names).marks.is_empty() => {
                    entries.push(Entry {
                        text: text.clone(),
                        named: marks_of(key, names),
                    });
                }
                Value::String(_) | Value::Number(_) | Value::Array(_) | Value::Null
                    if is_flat(value) =>
                {
                    entries.push(Entry {
                        text: key.clone(),
                        named: named(value, names),
                    });
                }
                _ => {}
            }
        }
    });
    entries
}

/// Every mark that goes with others: `{"mark": 1, "found": [9]}`, `{"1": [9]}`.
pub(super) fn pairs(value: &Value, names: &Names) -> Vec<Pair> {
    let mut pairs = Vec::new();
    visit(value, &mut |object| {
        if let (Some(of), Some(found)) = (object.get("mark"), object.get("found")) {
            pairs.push(Pair {
                of: named(of, names),
                found: named(found, names),
            });
            return;
        }
        for (key, value) in object {
            let of = marks_of(key, names);
            if !of.marks.is_empty() && is_flat(value) {
                pairs.push(Pair {
                    of,
                    found: named(value, names),
                });
            }
        }
    });
    pairs
}

fn visit(value: &Value, each: &mut impl FnMut(&Map<String, Value>)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| visit(item, each)),
        Value::Object(object) => {
            each(object);
            object.values().for_each(|value| visit(value, each));
        }
        _ => {}
    }
}

/// True if no object is in it.
fn is_flat(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(is_flat),
        Value::Object(_) => false,
        _ => true,
    }
}

/// The marks that a value names; none for null, "none" and the empty list.
fn named(value: &Value, names: &Names) -> Named {
    match value {
        Value::Array(items) => items.iter().fold(Named::NONE, |mut all, item| {
            let named = named(item, names);
            all.status = all.status.max(named.status);
            for id in named.marks {
                if !all.marks.contains(&id) {
                    all.marks.push(id);
                }
            }
            all
        }),
        Value::String(text) => marks_of(text, names),
        Value::Number(number) => marks_of(&number.to_string(), names),
        _ => Named::NONE,
    }
}

/// The marks that a text of nothing but names means.
fn marks_of(text: &str, names: &Names) -> Named {
    let inside = text.trim().trim_matches(['[', ']']);
    if matches!(inside.to_lowercase().as_str(), "" | "none" | "null") {
        return Named::NONE;
    }
    match list_at(inside, 0, names, Setting::Enclosed) {
        Some((reading, end)) if end == inside.len() => {
            let mention = reading.mention(0..end);
            Named {
                marks: mention.marks,
                status: mention.status,
            }
        }
        _ => Named::MISSING,
    }
}
