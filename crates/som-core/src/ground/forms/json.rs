//! The marks and places that JSON names, by its keys.

use std::ops::Range;

use super::{Reader, named, part};
use crate::ground::{
    Mention, Polarity,
    json::{Entry, Key, Node, Value},
    names::Reading,
    places,
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
    for Entry { key, span, node } in entries {
        let key_names = named(reader.text, span.clone(), reader.names);
        if let Some(reading) = key_names.filter(Reading::resolves) {
            found.push(reading.mention(span.clone()));
            visit(node, reader, found);
            continue;
        }
        match Key::of(key) {
            Key::Thought => {}
            Key::Place(_) => objects_in(node, reader, found),
            Key::Marks => marks(node, reader, found),
            Key::MarksOrText | Key::From | Key::To if !has_marks && names_marks(node, reader) => {
                marks(node, reader, found);
            }
            Key::Note if is_rejection(key) => {
                let from = found.len();
                marks(node, reader, found);
                for mention in &mut found[from..] {
                    mention.polarity = Polarity::Denied;
                }
            }
            Key::Other if Key::named_in(key).is_some() && names_marks(node, reader) => {
                marks(node, reader, found);
            }
            // An array under another key (a colour, a list of counts) names nothing; what its
            // texts and objects say may.
            _ => visit(node, reader, found),
        }
    }
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
    let trimmed = written.trim_matches([' ', '\n', '.']);
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
