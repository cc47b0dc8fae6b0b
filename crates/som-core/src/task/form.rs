//! The form of an answer: what its words ask for, and the JSON Schema that says the same.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{Task, describe, track};
use crate::{AnswerSchema, Scene, prompt::example_on};

impl Task {
    /// The form of the answer, for models that keep to one: a JSON Schema in which marks are an
    /// enumeration of their labels. `None` without labels.
    ///
    /// `required` lists the properties in the order in which they are to be written: what is
    /// chosen stands before what is said of it, and before a choice stands what it rests on.
    pub fn schema(&self, scene: &Scene<'_>) -> Option<AnswerSchema> {
        if !scene.has_names() {
            return None;
        }
        let marks = |ids: &[u32]| choice(ids.iter().filter_map(|&id| Some(scene.mark(id)?.text)));
        let any = || {
            let all: Vec<u32> = scene.marks.iter().map(|mark| mark.id).collect();
            json!({"type": "array", "items": marks(&all)})
        };
        let texts = |texts: &[String]| choice(texts.iter().map(String::as_str));
        let text = || json!({"type": "string"});
        let schema = match self {
            Task::Ask { .. } => {
                object([("evidence", text()), ("marks", any()), ("answer", text())])
            }
            Task::Describe {
                marks: ids,
                vocabulary,
            } => list(
                "regions",
                [
                    ("mark", marks(&describe::targets(ids, scene))),
                    ("evidence", text()),
                    ("label", texts(vocabulary)),
                ],
            ),
            Task::Refer { expressions } => list(
                "matches",
                [
                    ("expression", texts(expressions)),
                    ("evidence", text()),
                    ("marks", any()),
                ],
            ),
            Task::Phrases { phrases, .. } => list(
                "phrases",
                [
                    ("phrase", texts(phrases)),
                    ("evidence", text()),
                    ("marks", any()),
                ],
            ),
            Task::Track { marks: ids } => {
                let elsewhere = marks(&track::elsewhere(scene));
                list(
                    "objects",
                    [
                        ("mark", marks(&track::targets(ids, scene))),
                        ("evidence", text()),
                        ("found", json!({"type": "array", "items": elsewhere})),
                    ],
                )
            }
        };
        Some(AnswerSchema {
            name: self.name().to_owned(),
            schema,
        })
    }

    /// The words that ask for the form of the answer: lines, or the JSON of
    /// [`schema`](Self::schema); none for a question that is answered freely.
    pub(super) fn form(&self, scene: &Scene<'_>, structured: bool) -> String {
        let example = example_on(scene);
        match (self, structured) {
            (Task::Ask { .. }, false) => String::new(),
            (Task::Ask { .. }, true) => format!(
                "Answer in JSON: first {EVIDENCE}, then \"marks\", the labels of the regions that \
                 the answer is about, then \"answer\"."
            ),
            (Task::Describe { vocabulary, .. }, _) => {
                let label = match vocabulary.is_empty() {
                    true => "a short name of what the region shows".to_owned(),
                    false => format!("exactly one of these names: {}", vocabulary.join(", ")),
                };
                match (structured, vocabulary.is_empty()) {
                    (true, _) => format!(
                        "Answer in JSON: \"regions\" has one entry for each label, first \"mark\", \
                         the label, then {EVIDENCE}, then \"label\", {label}."
                    ),
                    (false, true) => format!(
                        "Answer with one line for each label: the label in brackets, a colon, and \
                         {label}, as in \"{example}: white cup\"."
                    ),
                    (false, false) => format!(
                        "Answer with one line for each label: the label in brackets, a colon, and \
                         {label}."
                    ),
                }
            }
            (Task::Refer { .. }, true) => format!(
                "Answer in JSON: \"matches\" has one entry for each expression, first \
                 \"expression\", as it stands above, then {EVIDENCE}, then \"marks\", the labels of \
                 its regions; an empty list where there is none. {ONLY_WHAT_IS_MEANT}"
            ),
            (Task::Refer { .. }, false) => format!(
                "Answer with one line for each expression: the expression as it stands above, a \
                 colon, and the labels of its regions in brackets, as in {example}; or the word \
                 none. {ONLY_WHAT_IS_MEANT}"
            ),
            (Task::Phrases { .. }, true) => format!(
                "Answer in JSON: \"phrases\" has one entry for each phrase, first \"phrase\", as it \
                 stands in the sentence, then {EVIDENCE}, then \"marks\", the labels of its regions; \
                 an empty list where there is none."
            ),
            (Task::Phrases { .. }, false) => format!(
                "Answer with one line for each phrase: the phrase as it stands in the sentence, a \
                 colon, and the labels of its regions in brackets, as in {example}; or the word \
                 none."
            ),
            (Task::Track { .. }, true) => format!(
                "Answer in JSON: \"objects\" has one entry for each of these labels, first \
                 \"mark\", the label, then {EVIDENCE}, then \"found\", the labels of the same object \
                 in the other images; an empty list where it is gone."
            ),
            (Task::Track { marks }, false) => {
                let name = |ids: Vec<u32>| {
                    let mark = scene.mark(*ids.first()?)?;
                    Some(format!("[{}]", mark.text))
                };
                let target = name(track::targets(marks, scene)).unwrap_or(example);
                let found = name(track::elsewhere(scene)).unwrap_or_else(|| "none".to_owned());
                format!(
                    "Answer with one line for each of these labels: the label in brackets, a \
                     colon, and the labels of the same object in the other images in brackets, in \
                     the form \"{target}: {found}\"; or the word none."
                )
            }
        }
    }
}

/// What a model writes before it chooses is what it chooses by.
const EVIDENCE: &str = "\"evidence\", in at most ten words what you see there that decides it";

/// Models like to name the table when asked for the cup on the table.
const ONLY_WHAT_IS_MEANT: &str = "An object that an expression names only to tell where another \
                                  one is does not count.";

/// An object with all of these properties, to be written in this order.
fn object<const N: usize>(properties: [(&str, Value); N]) -> Value {
    let required: Vec<&str> = properties.iter().map(|(key, _)| *key).collect();
    let required = json!(required);
    let properties: Map<String, Value> = properties
        .into_iter()
        .map(|(key, schema)| (key.to_owned(), schema))
        .collect();
    json!({
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": false,
    })
}

/// A list, under `key`, of objects with all of these properties.
fn list<const N: usize>(key: &str, properties: [(&str, Value); N]) -> Value {
    object([(key, json!({"type": "array", "items": object(properties)}))])
}

/// One of `texts`, each once and none empty; any text if there are none.
fn choice<'a>(texts: impl Iterator<Item = &'a str>) -> Value {
    let mut seen = HashSet::new();
    let texts: Vec<&str> = texts
        .filter(|text| !text.is_empty() && seen.insert(*text))
        .collect();
    if texts.is_empty() {
        json!({"type": "string"})
    } else {
        json!({"type": "string", "enum": texts})
    }
}
