//! The text that a call is about.
//!
//! As the official project and Hugging Face put it to the network: `groundingdino/util/inference.py`,
//! `preprocess_caption`, and `GroundingDinoProcessor`.

use som_core::{Call, Error, Result};
use som_torch::text::Class;

use crate::params::CallParams;

/// What ends a text.
const END: char = '.';

/// The text hints of a call, or else its classes, as one text whose phrases end with full stops.
///
/// # Errors
/// Invalid, if there is neither, a text hint is empty, or classes are not as [`Class::all`] has them.
pub(crate) fn text(params: &CallParams, call: &Call<'_>) -> Result<String> {
    let hints = call.hints()?;
    let Some(hints) = hints.filter(|hints| !hints.texts.is_empty()) else {
        return classes(params);
    };
    let texts = hints.texts.iter().map(|text| {
        let text = text.trim();
        match text {
            "" => Err(Error::invalid("hints: a text has no words")),
            _ => Ok(ended(text)),
        }
    });
    Ok(texts.collect::<Result<Vec<String>>>()?.join(" "))
}

fn classes(params: &CallParams) -> Result<String> {
    let Some(asked) = &params.classes else {
        return Err(Error::invalid(
            "there is no text that says what to look for: give --hint text:\"a cup. a spoon.\", or classes",
        ));
    };
    let classes = Class::all(Some(asked), None)?;
    let names: Vec<String> = classes
        .iter()
        .map(|class| ended(class.name.trim()))
        .collect();
    Ok(names.join(" "))
}

/// With a full stop, unless there is one.
fn ended(text: &str) -> String {
    let mut text = text.to_owned();
    if !text.ends_with(END) {
        text.push(END);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use som_core::{ErrorKind, Params};

    use super::*;

    fn asked(params: &serde_json::Value) -> Result<String> {
        let Some(params) = params.as_object() else {
            return Err(Error::internal("no object"));
        };
        let mut all: Params = params.clone();
        all.insert("box_threshold".to_owned(), json!(0.35));
        all.insert("text_threshold".to_owned(), json!(0.25));
        let call = Call::uncancellable(&all);
        text(&call.parse()?, &call)
    }

    #[test]
    fn texts_stand_as_they_are_but_for_a_full_stop_at_the_end() {
        for (params, expected) in [
            (json!({"hints": {"text": "A cup. spoon."}}), "A cup. spoon."),
            (
                json!({"hints": {"text": " a cup; the spoon "}}),
                "a cup; the spoon.",
            ),
            (
                json!({"hints": {"text": ["a cup", "a spoon."]}}),
                "a cup. a spoon.",
            ),
            (
                json!({"classes": ["cup", "wooden table"]}),
                "cup. wooden table.",
            ),
            (
                json!({"classes": ["cup"], "hints": {"text": "spoon"}}),
                "spoon.",
            ),
        ] {
            assert_eq!(asked(&params).unwrap(), expected);
        }
    }

    #[test]
    fn a_call_about_nothing_is_refused() {
        for (params, told) in [
            (json!({}), "give --hint text:"),
            (json!({"hints": {"text": [" "]}}), "no words"),
            (json!({"classes": []}), "classes is empty"),
        ] {
            let error = asked(&params).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.message().contains(told), "{error}");
        }
    }
}
