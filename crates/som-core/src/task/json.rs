//! What JSON in an answer says: texts and the marks that go with them, marks and those they became.

use super::{grounded::Named, spoken::Spoken};
use crate::ground::{
    Mention, Role, Setting, Status,
    json::{Entry, Key, Node, Value, whole},
    list_at, words,
};

/// A text and the marks that go with it.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) text: String,
    pub(super) named: Named,
}

/// A mark, and those it was found as.
pub(super) struct Found {
    pub(super) of: Named,
    pub(super) found: Named,
}

/// Calls every object of the answer's JSON, from the outside in.
fn visit<'a>(node: &'a Node, each: &mut impl FnMut(&'a [Entry])) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| visit(item, each)),
        Value::Object(entries) => {
            each(entries);
            entries.iter().for_each(|entry| visit(&entry.node, each));
        }
        _ => {}
    }
}

/// Every text that goes with marks, wherever it stands: `{"label": "cup", "mark": 3}`,
/// `{"cup": [3]}`, `{"3": "cup"}`, `{"cup": {"mark": 3}}`, `{"cup_id": 3}`.
pub(super) fn pairs(spoken: &Spoken<'_>) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for document in spoken.documents {
        visit(document, &mut |entries| {
            let marks = marks_of(entries, spoken);
            let text = text_of(entries, spoken, marks.is_some());
            if let (Some(text), Some(named)) = (text, &marks) {
                pairs.push(Pair {
                    text,
                    named: named.clone(),
                });
                return;
            }
            for entry in entries {
                pairs.extend(keyed(entry, spoken));
            }
        });
    }
    pairs
}

/// An entry whose key is a text or a mark.
fn keyed(entry: &Entry, spoken: &Spoken<'_>) -> Option<Pair> {
    let Entry { key, node, .. } = entry;
    let own = of_text(key, spoken).filter(|named| !named.marks.is_empty());
    match (own, &node.value) {
        (Some(named), Value::Text(text)) => {
            return Some(Pair {
                text: text.clone(),
                named,
            });
        }
        // {"3": {"name": "cup"}}
        (Some(named), Value::Object(inner)) => {
            let text = text_of(inner, spoken, true)?;
            return Some(Pair { text, named });
        }
        (Some(named), Value::List(items)) => {
            let text = items.first()?.text()?.to_owned();
            return of_text(&text, spoken)
                .is_none_or(|named| named.marks.is_empty())
                .then_some(Pair { text, named });
        }
        _ => {}
    }
    // What objects say of themselves is theirs.
    let objects: Vec<&[Entry]> = match &node.value {
        Value::List(items) => items.iter().filter_map(Node::object).collect(),
        Value::Object(inner) => vec![inner.as_slice()],
        _ => Vec::new(),
    };
    let names =
        |entry: &Entry| of_text(&entry.key, spoken).is_some_and(|named| !named.marks.is_empty());
    if objects
        .iter()
        .any(|inner| text_of(inner, spoken, true).is_some() || inner.iter().any(names))
    {
        return None;
    }
    let text = match Key::of(key) {
        Key::Other | Key::Text | Key::MarksOrText | Key::To | Key::From => {
            Key::named_in(key).unwrap_or_else(|| key.replace('_', " "))
        }
        _ => Key::named_in(key)?,
    };
    Some(Pair {
        text,
        named: value(node, spoken)?,
    })
}

/// The marks of an object: under keys for them, or the place it gives.
fn marks_of(entries: &[Entry], spoken: &Spoken<'_>) -> Option<Named> {
    let keyed = entries
        .iter()
        .filter(|entry| Key::of(&entry.key) == Key::Marks);
    let mut named: Option<Named> = None;
    for entry in keyed {
        let next = value(&entry.node, spoken);
        named = match (named, next) {
            // An id, and the marks it stands for.
            (Some(named), Some(next)) => Some(named.and(next)),
            (named, next) => named.or(next),
        };
    }
    named
        .or_else(|| {
            let either = |entry: &&Entry| Key::of(&entry.key) == Key::MarksOrText;
            let values = entries.iter().filter(either);
            let mut values = values.filter_map(|entry| match &entry.node.value {
                Value::Text(text) => of_text(text, spoken).filter(|named| !named.marks.is_empty()),
                Value::Number(_) | Value::List(_) => value(&entry.node, spoken),
                _ => None,
            });
            values.next()
        })
        .or_else(|| {
            let span = entries.first()?.span.start..entries.last()?.node.span.end;
            Named::by(
                spoken
                    .part(span)
                    .mentions
                    .iter()
                    .filter(|mention| mention.location.is_some()),
            )
        })
        .or_else(|| {
            // {"label": "cat", "box_2d": null}
            let places = |entry: &&Entry| matches!(Key::of(&entry.key), Key::Place(_));
            let places = entries.iter().filter(places);
            let said: Vec<Option<Named>> = places.map(|entry| value(&entry.node, spoken)).collect();
            let none = said.iter().all(|said| *said == Some(Named::NONE));
            (none && !said.is_empty()).then_some(Named::NONE)
        })
}

/// The text that an object gives: under a key for it, and no mark.
fn text_of(entries: &[Entry], spoken: &Spoken<'_>, has_marks: bool) -> Option<String> {
    let of = |key: Key| {
        let mut entries = entries
            .iter()
            .filter(move |entry| Key::of(&entry.key) == key);
        entries.find_map(|entry| {
            let text = entry.node.text()?;
            let is_mark = of_text(text, spoken).is_some_and(|named| !named.marks.is_empty());
            (!is_mark || !has_marks && key == Key::Text).then(|| text.to_owned())
        })
    };
    of(Key::Text).or_else(|| of(Key::MarksOrText)).or_else(|| {
        // {"mark": 3, "answer": "cup"}
        let words = |entry: &&Entry| {
            matches!(Key::of(&entry.key), Key::Marks)
                && entry.node.text().is_some_and(|text| {
                    text.contains(char::is_alphabetic) && of_text(text, spoken).is_none()
                })
        };
        let found = entries.iter().find(words)?;
        found.node.text().map(str::to_owned)
    })
}

/// The marks that a value names; none for null, "none", false and the empty list. `None` if it
/// says nothing of marks.
pub(super) fn value(node: &Node, spoken: &Spoken<'_>) -> Option<Named> {
    match &node.value {
        Value::Null => Some(Named::NONE),
        Value::Bool => {
            let written = spoken.get(node.span.clone());
            written.eq_ignore_ascii_case("false").then_some(Named::NONE)
        }
        Value::Number(number) if *number < 0.0 => Some(Named::NONE),
        Value::Number(_) => of_text(spoken.get(node.span.clone()), spoken),
        Value::Text(text) => of_text(text, spoken).or_else(|| {
            let inside = node.inside(spoken.text);
            Named::by(spoken.part(inside.clone()).mentions)
                .or_else(|| spoken.says_none(inside).then_some(Named::NONE))
        }),
        Value::List(items) => located(node, spoken).or_else(|| {
            items
                .iter()
                .try_fold(Named::NONE, |all, item| Some(all.and(value(item, spoken)?)))
        }),
        Value::Object(entries) => marks_of(entries, spoken).or_else(|| {
            let span = node.span.clone();
            Named::by(spoken.part(span.clone()).mentions)
                .or_else(|| spoken.says_none(span).then_some(Named::NONE))
        }),
    }
}

/// What the box or point that a list of numbers is leads to.
fn located(node: &Node, spoken: &Spoken<'_>) -> Option<Named> {
    let part = spoken.part(node.span.clone());
    let place = |mention: &Mention| mention.span == node.span && mention.location.is_some();
    Named::by(part.mentions.iter().filter(|mention| place(mention)))
}

/// The marks that a text of nothing but names means.
pub(super) fn of_text(text: &str, spoken: &Spoken<'_>) -> Option<Named> {
    const NONE: [&str; 9] = [
        "",
        "none",
        "null",
        "n/a",
        "nothing",
        "no match",
        "not found",
        "-",
        "[]",
    ];
    let inside = text
        .trim()
        .trim_matches(['[', ']', '(', ')', ' ', '.', '#']);
    let inside = whole(inside);
    if NONE.contains(&inside.to_lowercase().as_str()) {
        return Some(Named::NONE);
    }
    // "mark 3", "region_3"
    let digits = inside.find(|c: char| c.is_ascii_digit());
    let name = digits.map_or(inside, |at| {
        let head = inside[..at].trim_end_matches([' ', '_', '-', ':', '#', '[']);
        let announced = words::at(head, 0, Role::Announces) == Some(head.len());
        if announced { &inside[at..] } else { inside }
    });
    let (reading, end) = list_at(name, 0, spoken.names, Setting::Enclosed)?;
    if end != name.len() {
        return None;
    }
    let mention: Mention = reading.mention(0..end);
    let known = !mention.marks.is_empty() || mention.status == Status::OutOfRange;
    known.then_some(Named {
        marks: mention.marks,
        status: mention.status,
    })
}

/// Every mark that goes with others: `{"mark": 1, "found": [9]}`, `{"1": [9]}`,
/// `{"from": 1, "to": 9}`, `{"image_1": 1, "image_2": 9}`.
pub(super) fn founds(spoken: &Spoken<'_>, is_target: &impl Fn(u32) -> bool) -> Vec<Found> {
    let mut founds = Vec::new();
    for document in spoken.documents {
        founds.extend(paired(document, spoken, is_target));
        visit(document, &mut |entries| {
            let values: Vec<(Key, bool, Named)> = entries
                .iter()
                .filter_map(|entry| {
                    let key = Key::of(&entry.key);
                    let marks = matches!(key, Key::Marks | Key::MarksOrText | Key::From | Key::To)
                        || key == Key::Other && !matches!(entry.node.value, Value::Bool);
                    let is_found = says_found(&entry.key);
                    let gone = || {
                        let inside = entry.node.inside(spoken.text);
                        let leaves = spoken.cues.any(inside, Role::Leaves) && is_found;
                        leaves.then_some(Named::NONE)
                    };
                    let named = value(&entry.node, spoken).or_else(gone);
                    let named = named.filter(|_| marks || is_found)?;
                    Some((key, is_found, named))
                })
                .collect();
            let targets = |named: &Named| named.marks.iter().any(|&id| is_target(id));
            let of = values
                .iter()
                .position(|(key, is_found, named)| !is_found && *key != Key::To && targets(named));
            let own_keys = entries
                .iter()
                .any(|entry| of_text(&entry.key, spoken).is_some_and(|named| targets(&named)));
            if let Some(of) = of.filter(|_| !own_keys) {
                let others = values.iter().enumerate().filter(|(index, _)| *index != of);
                let found = others
                    .map(|(_, (.., named))| named.clone())
                    .reduce(Named::and);
                if let Some(found) = found {
                    founds.extend(each(&values[of].2, found, entries));
                }
                return;
            }
            for entry in entries {
                let of = of_text(&entry.key, spoken).filter(targets);
                if let (Some(of), Some(found)) = (of, value(&entry.node, spoken)) {
                    founds.push(Found { of, found });
                }
            }
        });
    }
    founds
}

/// `{"from": [1, 2], "to": [5, null]}`: as many marks as there are values are found each as its own.
fn each(of: &Named, found: Named, entries: &[Entry]) -> Vec<Found> {
    let count = of.marks.len();
    let one = |marks: &[u32]| Named {
        marks: marks.to_vec(),
        status: found.status,
    };
    let mut lists = entries.iter().filter_map(|entry| entry.node.list());
    let all = lists.all(|items| items.len() == count) && count > 1;
    let to = entries
        .iter()
        .filter_map(|entry| entry.node.list())
        .next_back();
    let Some(to) = to.filter(|_| all) else {
        let of = of.clone();
        return vec![Found { of, found }];
    };
    let mut marks = found.marks.iter();
    let pairs = of.marks.iter().zip(to).map(|(of, node)| Found {
        of: one(&[*of]),
        found: match node.value {
            Value::Null => Named::NONE,
            _ => marks.next().map_or(Named::NONE, |id| one(&[*id])),
        },
    });
    pairs.collect()
}

/// `[[1, 5], [2, null]]` below a key: each a mark of the first image, and what it became.
fn paired(node: &Node, spoken: &Spoken<'_>, is_target: &impl Fn(u32) -> bool) -> Vec<Found> {
    let items = match &node.value {
        Value::Object(entries) => {
            let inner = entries.iter();
            return inner
                .flat_map(|entry| paired(&entry.node, spoken, is_target))
                .collect();
        }
        Value::List(items) => items,
        _ => return Vec::new(),
    };
    let pairs: Option<Vec<Found>> = items
        .iter()
        .map(|item| match item.list()? {
            [of, to] => {
                let of = value(of, spoken)?;
                let targets = of.marks.len() == 1 && of.marks.iter().all(|&id| is_target(id));
                targets.then_some(Found {
                    of,
                    found: value(to, spoken)?,
                })
            }
            _ => None,
        })
        .collect();
    pairs.unwrap_or_default()
}

fn says_found(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    [
        "found", "match", "matches", "status", "result", "present", "visible",
    ]
    .contains(&key.as_str())
}

/// The values of a list, in order, if there are `count` of them that name marks or none:
/// `{"marks": [3, null]}`, `{"1": "none", "2": [5]}`, `[{"mark": 3}, {"mark": 5}]`.
pub(super) fn in_order(spoken: &Spoken<'_>, count: usize) -> Option<Vec<Named>> {
    if count == spoken.documents.len() && count > 1 {
        return spoken
            .documents
            .iter()
            .map(|document| value(document, spoken))
            .collect();
    }
    let mut found = None;
    for document in spoken.documents {
        if let Some(items) = document.list().filter(|items| items.len() == count) {
            found = found.or_else(|| items.iter().map(|item| value(item, spoken)).collect());
        }
        visit(document, &mut |entries| {
            if found.is_some() {
                return;
            }
            let numbered = entries.len() == count
                && entries
                    .iter()
                    .zip(1..)
                    .all(|(entry, number)| is_ordinal(&entry.key, number));
            if numbered {
                found = entries
                    .iter()
                    .map(|entry| value(&entry.node, spoken))
                    .collect();
                return;
            }
            for entry in entries {
                let items = entry.node.list().filter(|items| items.len() == count);
                if let Some(items) = items
                    && found.is_none()
                {
                    found = items.iter().map(|item| value(item, spoken)).collect();
                }
            }
        });
    }
    found
}

/// True for "1", "expression_1", "q1" and "first".
fn is_ordinal(key: &str, number: usize) -> bool {
    let digits = key.trim_start_matches(|c: char| !c.is_ascii_digit());
    let head = &key[..key.len() - digits.len()];
    let ordinal = words::at(key, 0, Role::Ordinal((number - 1) as u8));
    head.len() <= 12 && digits == number.to_string() || ordinal == Some(key.len())
}
