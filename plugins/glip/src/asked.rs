//! The text that a call is about, and the phrases in it that are looked for.
//!
//! As the official project puts them to the network: `predictor_glip.py`, `compute_prediction`, for
//! captions, and `maskrcnn_benchmark/engine/inference.py`, `create_queries_and_maps`, for classes.

use std::ops::Range;

use som_core::{Call, Error, Result};
use som_torch::text::Class;

use crate::{nouns::noun_phrases, params::CallParams};

/// What ends a phrase where a text is a list.
const END: char = '.';

/// A text, and what of it is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    pub text: String,
    /// In bytes of the text.
    pub phrases: Vec<Range<usize>>,
}

/// What a network's config tells of texts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wording<'a> {
    /// What stands between phrases that are given one by one.
    pub separation: &'a str,
    /// A text whose phrases are known.
    pub caption: Option<&'a (String, Vec<String>)>,
}

impl Query {
    /// The text hints of a call, or else its classes.
    ///
    /// # Errors
    /// Invalid, if there is neither, a text names nothing, a phrase is not in it, or classes are not as
    /// [`Class::all`] has them.
    pub(crate) fn of(params: &CallParams, wording: Wording<'_>, call: &Call<'_>) -> Result<Self> {
        let texts = call.hints()?.map(|hints| hints.texts).unwrap_or_default();
        match (&texts[..], &params.phrases) {
            ([], Some(_)) => Err(Error::invalid(
                "phrases: there is no text in which they stand: give --hint text:\"…\"",
            )),
            ([], None) => Self::classes(params, wording),
            (texts, Some(phrases)) => {
                Self::given(texts.join(wording.separation), phrases).map_err(|it| it.at("phrases"))
            }
            ([text], None) => match wording.caption.filter(|(caption, _)| caption == text) {
                Some((_, spans)) => Self::given(text.clone(), spans).map_err(|it| it.at("spans")),
                None => Self::found(text),
            },
            (texts, None) => Self::list(texts.iter().map(String::as_str), wording.separation),
        }
    }

    fn classes(params: &CallParams, wording: Wording<'_>) -> Result<Self> {
        let Some(asked) = &params.classes else {
            return Err(Error::invalid(
                "there is no text that says what to look for: give --hint text:\"a cup on a table\", or classes",
            ));
        };
        let classes = Class::all(Some(asked), None)?;
        let names: Vec<String> = classes.iter().map(|class| cleaned(&class.name)).collect();
        if let Some(index) = names.iter().position(|name| name.trim().is_empty()) {
            let name = &classes[index].name;
            return Err(Error::invalid(format!(
                "class {name:?} has no words outside of parentheses"
            ))
            .at("classes"));
        }
        Self::list(names.iter().map(String::as_str), wording.separation)
    }

    /// Phrases one after the other.
    fn list<'a>(phrases: impl Iterator<Item = &'a str>, separation: &str) -> Result<Self> {
        let mut query = Self {
            text: String::new(),
            phrases: Vec::new(),
        };
        for phrase in phrases {
            let phrase = phrase.trim();
            if phrase.is_empty() {
                return Err(Error::invalid("hints: a text has no words"));
            }
            if !query.text.is_empty() {
                query.text.push_str(separation);
            }
            let start = query.text.len();
            query.text.push_str(phrase);
            query.phrases.push(start..query.text.len());
        }
        Ok(query)
    }

    /// Phrases of `text`, each where it first stands.
    fn given(text: String, phrases: &[String]) -> Result<Self> {
        if phrases.is_empty() {
            return Err(Error::invalid("there is none"));
        }
        let place = |phrase: &String| {
            let start = text
                .find(phrase.as_str())
                .filter(|_| !phrase.trim().is_empty());
            let start = start
                .ok_or_else(|| Error::invalid(format!("{phrase:?} is not in the text {text:?}")))?;
            Ok(start..start + phrase.len())
        };
        Ok(Self {
            phrases: phrases.iter().map(place).collect::<Result<_>>()?,
            text,
        })
    }

    /// The phrases between full stops, if there are several, or else the noun phrases of a caption.
    fn found(text: &str) -> Result<Self> {
        let listed = between_stops(text);
        let phrases = match listed.len() {
            0 => return Err(Error::invalid("hints: a text has no words")),
            1 => noun_phrases(text),
            _ => listed,
        };
        if phrases.is_empty() {
            return Err(Error::invalid(format!(
                "the text {text:?} names nothing that could be looked for: it has no nouns (phrases says what to look for in it)"
            )));
        }
        Ok(Self {
            text: text.to_owned(),
            phrases,
        })
    }

    /// A phrase as it stands in the text.
    pub(crate) fn phrase(&self, index: usize) -> &str {
        let place = self.phrases.get(index).cloned().unwrap_or_default();
        self.text.get(place).unwrap_or_default()
    }
}

/// What stands between full stops, without space around it. One between digits is none.
fn between_stops(text: &str) -> Vec<Range<usize>> {
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let stops = text.match_indices(END).map(|(place, _)| place);
    let stops = stops.filter(|&place| {
        let behind = place + END.len_utf8();
        !(is_digit(text[..place].chars().next_back()) && is_digit(text[behind..].chars().next()))
    });
    let mut phrases = Vec::new();
    let mut start = 0;
    for stop in stops.chain([text.len()]) {
        let part = &text[start..stop];
        let first = start + part.len() - part.trim_start().len();
        let length = part.trim().len();
        if length > 0 {
            phrases.push(first..first + length);
        }
        start = stop + END.len_utf8();
    }
    phrases
}

/// The name of a class in words: without what stands in parentheses, and with spaces for underscores.
fn cleaned(name: &str) -> String {
    let without = match (name.find('('), name.rfind(')')) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &name[..from], &name[to + 1..]),
        _ => name.to_owned(),
    };
    without
        .replace('_', " ")
        .replace("  ", " ")
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use som_core::{ErrorKind, Params};

    use super::*;

    fn asked(params: &Value) -> Result<Query> {
        let mut all: Params = params.as_object().cloned().unwrap_or_default();
        all.insert("threshold".to_owned(), json!(0.5));
        let call = Call::uncancellable(&all);
        let known = ("cup of tea".to_owned(), vec!["cup of tea".to_owned()]);
        let wording = Wording {
            separation: ". ",
            caption: Some(&known),
        };
        Query::of(&call.parse()?, wording, &call)
    }

    #[test]
    fn texts_stand_as_they_are_and_their_phrases_are_found() {
        for (params, text, phrases) in [
            (
                json!({"hints": {"text": "A cup on the table."}}),
                "A cup on the table.",
                &["A cup", "the table"][..],
            ),
            (
                json!({"hints": {"text": "cat. dining table . cup"}}),
                "cat. dining table . cup",
                &["cat", "dining table", "cup"],
            ),
            (
                json!({"hints": {"text": "a 2.5 inch nail. the hammer."}}),
                "a 2.5 inch nail. the hammer.",
                &["a 2.5 inch nail", "the hammer"],
            ),
            (
                json!({"hints": {"text": ["a cup of tea ", "spoon"]}}),
                "a cup of tea. spoon",
                &["a cup of tea", "spoon"],
            ),
            (
                json!({"hints": {"text": "a cup of tea"}, "phrases": ["cup of tea", "tea"]}),
                "a cup of tea",
                &["cup of tea", "tea"],
            ),
            (
                json!({"hints": {"text": "cup of tea"}}),
                "cup of tea",
                &["cup of tea"],
            ),
            (
                json!({"classes": ["cup", "dining_table", "mouse_(computer)"]}),
                "cup. dining table. mouse",
                &["cup", "dining table", "mouse"],
            ),
            (
                json!({"classes": ["cup"], "hints": {"text": "spoon"}}),
                "spoon",
                &["spoon"],
            ),
        ] {
            let query = asked(&params).unwrap();
            assert_eq!(query.text, text);
            let count = query.phrases.len();
            let found: Vec<&str> = (0..count).map(|index| query.phrase(index)).collect();
            assert_eq!(found, phrases);
        }
    }

    #[test]
    fn a_call_about_nothing_is_refused() {
        for (params, told) in [
            (json!({}), "give --hint text:"),
            (json!({"hints": {"text": " . "}}), "no words"),
            (json!({"hints": {"text": ["cup", " "]}}), "no words"),
            (json!({"hints": {"text": "of the and"}}), "names nothing"),
            (json!({"classes": []}), "classes is empty"),
            (json!({"classes": ["(computer)"]}), "outside of parentheses"),
            (json!({"phrases": ["cup"]}), "no text in which they stand"),
            (
                json!({"hints": {"text": "a cup"}, "phrases": ["spoon"]}),
                "phrases: \"spoon\" is not in the text",
            ),
            (
                json!({"hints": {"text": "a cup"}, "phrases": [" "]}),
                "is not in the text",
            ),
            (
                json!({"hints": {"text": "a cup"}, "phrases": []}),
                "phrases: there is none",
            ),
        ] {
            let error = asked(&params).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.message().contains(told), "{error}");
        }
    }
}
