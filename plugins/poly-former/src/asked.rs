//! The expressions that a call is about.
//!
//! As the official project puts them to the network: `data/base_dataset.py`, `pre_caption`.

use som_core::{Call, Error, Result};

/// What an expression may begin with that does not belong to it.
const BEFORE: [char; 9] = [',', '.', '!', '?', '*', '#', ':', ';', '~'];

/// Words that name nothing by themselves: an expression has others.
const FUNCTION_WORDS: [&str; 14] = [
    "a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with",
];

/// Words that refer to one thing in an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expression {
    /// As it was given, without the white space around it.
    pub given: String,
    /// As the network reads it: in lower case, with one space between two words.
    pub words: String,
}

/// The text hints of a call, each an expression.
///
/// # Errors
/// Invalid, if there are none, or one of them names nothing.
pub(crate) fn expressions(call: &Call<'_>) -> Result<Vec<Expression>> {
    let texts = call.hints()?.map(|hints| hints.texts).unwrap_or_default();
    if texts.is_empty() {
        return Err(Error::invalid(
            "there is no text that says what to look for: give --hint text:\"the cup on the left\"",
        ));
    }
    texts.iter().map(|text| Expression::of(text)).collect()
}

impl Expression {
    fn of(text: &str) -> Result<Self> {
        let expression = Self {
            given: text.trim().to_owned(),
            words: cleaned(text),
        };
        let is_word = |word: &&str| word.contains(char::is_alphanumeric);
        let mut words = expression.words.split(' ').filter(is_word).peekable();
        if words.peek().is_none() {
            return Err(Error::invalid(format!(
                "hints: the text {text:?} has no words"
            )));
        }
        let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
        if words.all(|word| FUNCTION_WORDS.contains(&bare(word).as_str())) {
            return Err(Error::invalid(format!(
                "hints: the text {text:?} names nothing (say what it is that you look for)"
            )));
        }
        Ok(expression)
    }
}

fn cleaned(text: &str) -> String {
    let text = text.to_lowercase();
    let text = text.trim_start_matches(BEFORE).replace(['-', '/'], " ");
    let text = text.replace("<person>", "person");
    text.split_whitespace().collect::<Vec<&str>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use som_core::ErrorKind;

    use super::*;

    fn asked(params: &Value) -> Result<Vec<Expression>> {
        let params = params.as_object().unwrap();
        expressions(&Call::uncancellable(params))
    }

    #[test]
    fn expressions_are_cleaned_as_in_the_official_project() {
        for (text, words) in [
            ("the white cup of coffee", "the white cup of coffee"),
            (
                "Small SPOON, on-the  wooden table next to a saucer",
                "small spoon, on the wooden table next to a saucer",
            ),
            ("...~the left/right <person>\n", "the left right person"),
            // Only what an expression begins with is taken off.
            (" .cup.", ".cup."),
        ] {
            let found = asked(&json!({"hints": {"text": text}})).unwrap();
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].words, words);
            assert_eq!(found[0].given, text.trim());
        }
    }

    #[test]
    fn each_text_is_an_expression_of_its_own() {
        let found = asked(&json!({"hints": {"text": ["a cup", "The one on the left"]}})).unwrap();
        let words: Vec<&str> = found.iter().map(|it| it.words.as_str()).collect();
        assert_eq!(words, ["a cup", "the one on the left"]);
    }

    #[test]
    fn a_call_about_nothing_is_refused() {
        for (params, told) in [
            (json!({}), "give --hint text:"),
            (json!({"hints": {"text": [" "]}}), "no words"),
            (
                json!({"hints": {"text": ["a cup", "?!"]}}),
                "\"?!\" has no words",
            ),
            (json!({"hints": {"text": "On the, of"}}), "names nothing"),
        ] {
            let error = asked(&params).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.message().contains(told), "{error}");
        }
    }
}
