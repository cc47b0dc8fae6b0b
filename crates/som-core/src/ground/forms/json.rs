//! The marks and places that JSON names, by its keys.

use std::ops::Range;

use super::{Reader, named, part};
use crate::ground::{
    Mention, Polarity,
    json::{Entry, Key, Node, PlaceKey, Value, is_flag, is_nothing, is_verdict, says_no, whole},
    names::Reading,
    places,
    words::{self, Role},
};

/// The mentions in `node`, in order.
pub(super) fn mentions(node: &Node, reader: &Reader<'_>) -> Vec<Mention> {
    let mut found = Vec::new();
    visit(node, reader, &mut found);
    found.sort_by_key(|mention| (mention.span.start, mention.span.end));
    // A place may be written by entries between which others stand.
    let mut end = 0;
    found.retain(|mention| {
        let apart = mention.span.start >= end && !mention.span.is_empty();
        end = if apart { mention.span.end } else { end };
        apart
    });
    found
}

fn visit(node: &Node, reader: &Reader<'_>, found: &mut Vec<Mention>) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| visit(item, reader, found)),
        Value::Object(entries) => object(entries, reader, found),
        Value::Text(_) => found.extend(part(reader, node.inside(reader.text))),
        _ => {}
    }
}

fn object(entries: &[Entry], reader: &Reader<'_>, found: &mut Vec<Mention>) {
    found.extend(places::of_object(entries, reader.scene).unwrap_or_default());
    let has_marks = entries
        .iter()
        .any(|entry| Key::of(&entry.key) == Key::Marks && names_marks(&entry.node, reader));
    let from = found.len();
    let values = Values::of(entries, reader);
    for Entry { key, span, node } in entries {
        if let Some(reading) = key_names(span, reader) {
            let mut mention = reading.mention(span.clone());
            // {"3": false}, {"3": {"is_target": false}}
            let inner = node.object().unwrap_or(&[]);
            if values == Values::Flags && says_no(node, reader.text) || turns_down(inner, reader) {
                mention.polarity = Polarity::Denied;
            }
            found.push(mention);
            match values {
                Values::Marks => marks(node, reader, found),
                _ => visit(node, reader, found),
            }
            continue;
        }
        match Key::of(key) {
            Key::Thought => {}
            Key::Place(_) => objects_in(node, reader, found),
            Key::Marks => marks(node, reader, found),
            Key::MarksOrText | Key::From | Key::To
                if !has_marks && (names_marks(node, reader) || is_mapping(node, reader)) =>
            {
                marks(node, reader, found);
            }
            Key::Note if is_rejection(key) => {
                let from = found.len();
                marks(node, reader, found);
                for mention in &mut found[from..] {
                    mention.polarity = Polarity::Denied;
                }
            }
            // What explains the marks that the object names may name others.
            Key::Note if has_marks => {
                let from = found.len();
                visit(node, reader, found);
                for mention in found[from..]
                    .iter_mut()
                    .filter(|mention| mention.is_meant())
                {
                    mention.polarity = Polarity::Compared;
                }
            }
            Key::Other if Key::named_in(key).is_some() && names_marks(node, reader) => {
                marks(node, reader, found);
            }
            Key::Other if Key::is_pairing(key) && !matches!(node.value, Value::Number(_)) => {
                marks(node, reader, found);
            }
            // {"the lamp": [120, 550, 320, 950]}
            Key::Other if !names_marks(node, reader) && is_box(node, reader, found) => {}
            // An array under another key (a colour, a list of counts) names nothing; what its
            // texts and objects say may.
            _ => visit(node, reader, found),
        }
    }
    if turns_down(entries, reader) {
        for mention in &mut found[from..] {
            mention.polarity = Polarity::Denied;
        }
    }
}

/// True for `{"mark": 1, "is_target": false}`: the object's marks are not meant.
fn turns_down(entries: &[Entry], reader: &Reader<'_>) -> bool {
    entries
        .iter()
        .any(|entry| is_verdict(&entry.key) && says_no(&entry.node, reader.text))
}

/// True if four numbers are a box that fits a region: it is found then.
fn is_box(node: &Node, reader: &Reader<'_>, found: &mut Vec<Mention>) -> bool {
    let four = node
        .list()
        .is_some_and(|items| items.len() == 4 && items.iter().all(|item| item.number().is_some()));
    if !four {
        return false;
    }
    let mut boxes = places::under_key(PlaceKey::Box, node, reader.scene);
    boxes.retain(Mention::is_meant);
    boxes.retain(|place| !place.marks.is_empty());
    let fits = !boxes.is_empty();
    found.extend(boxes);
    fits
}

/// What the values are of an object whose keys are marks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Values {
    /// Whether each is meant: `{"3": true, "4": false}`.
    Flags,
    /// Marks that each became: `{"1": 5, "2": null}`.
    Marks,
    Other,
}

impl Values {
    fn of(entries: &[Entry], reader: &Reader<'_>) -> Self {
        let keyed = || {
            let keyed = entries.iter();
            let keyed = keyed.filter(|entry| key_names(&entry.span, reader).is_some());
            keyed.map(|entry| &entry.node)
        };
        if keyed().all(|node| is_flag(node, reader.text))
            && keyed().any(|node| says_no(node, reader.text))
        {
            Self::Flags
        } else if are_marks(keyed(), reader) {
            Self::Marks
        } else {
            Self::Other
        }
    }
}

/// What a key names, if it leads to marks.
fn key_names(span: &Range<usize>, reader: &Reader<'_>) -> Option<Reading> {
    named(reader.text, span.clone(), reader.names).filter(Reading::resolves)
}

/// True if `values` are marks or nothing, and some are marks.
fn are_marks<'a>(mut values: impl Iterator<Item = &'a Node>, reader: &Reader<'_>) -> bool {
    let mut some = false;
    let all = values.all(|node| {
        let marks = names_marks(node, reader);
        some |= marks;
        marks || is_nothing(node)
    });
    all && some
}

/// True for `{"mug": 3, "spoon": null}`: names, and the mark of each.
fn is_mapping(node: &Node, reader: &Reader<'_>) -> bool {
    let is_name = |entry: &Entry| {
        let key = &entry.key;
        // Sizes and counts are of no mark.
        key.chars().count() > 1
            && matches!(Key::of(key), Key::Other | Key::Text)
            && words::at(key, 0, Role::Measures).is_none()
            && key_names(&entry.span, reader).is_none()
    };
    node.object().is_some_and(|entries| {
        entries.iter().all(is_name) && are_marks(entries.iter().map(|entry| &entry.node), reader)
    })
}

fn is_rejection(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["rejected", "excluded", "distractors"].contains(&key.as_str())
}

/// What objects below a key of places say: the places themselves are read with their object.
fn objects_in(node: &Node, reader: &Reader<'_>, found: &mut Vec<Mention>) {
    match &node.value {
        Value::List(items) => items
            .iter()
            .filter(|item| item.object().is_some())
            .for_each(|item| visit(item, reader, found)),
        Value::Object(entries) if entries.iter().all(|entry| entry.node.number().is_none()) => {
            object(entries, reader, found);
        }
        _ => {}
    }
}

/// The value of a key that names marks.
fn marks(node: &Node, reader: &Reader<'_>, found: &mut Vec<Mention>) {
    match &node.value {
        Value::Number(_) | Value::Text(_) => match is_name(node, reader) {
            Some((reading, span)) => found.push(reading.mention(span)),
            None => visit(node, reader, found),
        },
        Value::List(items) => {
            let readings = items.iter().map(|item| is_name(item, reader));
            let readings: Option<Vec<_>> = readings.collect();
            match readings.filter(|readings| !readings.is_empty()) {
                Some(readings) => {
                    let all = readings.into_iter().map(|(reading, _)| reading);
                    found.push(Reading::all(all).mention(node.span.clone()));
                }
                None => items.iter().for_each(|item| marks(item, reader, found)),
            }
        }
        Value::Object(entries) if is_mapping(node, reader) => {
            entries
                .iter()
                .for_each(|entry| marks(&entry.node, reader, found));
        }
        Value::Object(entries) => object(entries, reader, found),
        Value::Null | Value::Bool => {}
    }
}

/// What a number or text names and where, if it is nothing but names; a text that leads nowhere
/// and is no number is not a name.
fn is_name(node: &Node, reader: &Reader<'_>) -> Option<(Reading, Range<usize>)> {
    if !matches!(node.value, Value::Number(_) | Value::Text(_)) {
        return None;
    }
    let inside = node.inside(reader.text);
    let written = &reader.text[inside.clone()];
    let trimmed = whole(written.trim_matches([' ', '\n', '.']));
    let start = inside.start + (written.len() - written.trim_start_matches([' ', '\n', '.']).len());
    let span = start..start + trimmed.len();
    let reading = named(reader.text, span.clone(), reader.names)?;
    let digits = trimmed.contains(|c: char| c.is_ascii_digit());
    (reading.resolves() || digits).then_some((reading, span))
}

/// True if a value is nothing but names of marks that are there.
fn names_marks(node: &Node, reader: &Reader<'_>) -> bool {
    match &node.value {
        Value::Number(_) | Value::Text(_) => {
            let name = is_name(node, reader);
            let upper = |node: &Node| {
                let text = &reader.text[node.inside(reader.text)];
                !text.contains(|c: char| c.is_lowercase())
                    || text.contains(|c: char| c.is_ascii_digit())
            };
            name.is_some_and(|(reading, _)| reading.resolves()) && upper(node)
        }
        Value::List(items) => {
            !items.is_empty() && items.iter().all(|item| names_marks(item, reader))
        }
        _ => false,
    }
}
