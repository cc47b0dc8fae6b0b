//! What a request can do without, where a server refuses it.

use std::borrow::Cow;

use som_core::{Params, Part, Prompt, Role};

use super::ordered::Ordered;

/// Something of a request that a server may refuse, though it could answer without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Concession {
    /// The key for the most tokens of an answer: the other one is sent.
    TokenLimit,
    /// Words for the system: they begin the first turn of the user.
    System,
    /// The form of the answer: words ask for it.
    Schema,
    /// A key of the body that only says how to answer: it is left out.
    Key(&'static str),
}

/// Both names of the most tokens of an answer among servers with OpenAI's interface.
const TOKEN_LIMITS: [&str; 2] = ["max_tokens", "max_completion_tokens"];

/// What a body may lack and still ask the same.
const SPARE: [&str; 4] = ["temperature", "seed", "stop", "stream_options"];

/// What servers say of that which they do not take, rather than of a value that is too large.
const REFUSING: [&str; 15] = [
    "unsupported",
    "not support",
    "n't support",
    "unrecognized",
    "unknown",
    "unexpected",
    "not permitted",
    "extra_forbidden",
    "not allowed",
    "not enabled",
    "not available",
    "not implemented",
    "invalid parameter",
    "invalid schema",
    "must alternate",
];

/// How servers call a system turn, in lower case.
const SYSTEM: [&str; 8] = [
    "'system'",
    "\"system\"",
    "system role",
    "system message",
    "system prompt",
    "system instruction",
    "developer instruction",
    // A template without system turns sees one as a turn out of order.
    "roles must alternate",
];

/// How servers call the form of an answer, in lower case.
const SCHEMA: [&str; 8] = [
    "response_format",
    "json_schema",
    "json schema",
    "json mode",
    "structured output",
    "output_config",
    "responsejsonschema",
    "response_json_schema",
];

impl Concession {
    /// What a server asks to leave out that answers with the HTTP status `code`, as far as what
    /// it `said` tells.
    pub(super) fn asked_for(code: u16, said: &str) -> Option<Self> {
        let said = said.to_lowercase();
        let names = |words: &[&str]| words.iter().any(|word| said.contains(word));
        // A template that knows no system turns fails with 500 in some servers.
        if !matches!(code, 400 | 422 | 500) || !names(&REFUSING) {
            return None;
        }
        if names(&SYSTEM) {
            return Some(Self::System);
        }
        if code == 500 {
            return None;
        }
        if names(&TOKEN_LIMITS) {
            return Some(Self::TokenLimit);
        }
        if names(&SCHEMA) {
            return Some(Self::Schema);
        }
        let quoted = |key: &&&str| {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            said.split(|c| !is_word(c)).any(|word| word == **key)
        };
        SPARE.iter().find(quoted).map(|key| Self::Key(key))
    }

    /// What is sent now, for people.
    pub(crate) fn told(self) -> String {
        match self {
            Self::TokenLimit => "with the other name of the token limit".to_owned(),
            Self::System => "with the words for the system in the user's turn".to_owned(),
            Self::Schema => "with the form of the answer in words".to_owned(),
            Self::Key(key) => format!("without {key}"),
        }
    }
}

/// `prompt` without what was conceded.
pub(crate) fn conceding<'a>(prompt: &'a Prompt, conceded: &[Concession]) -> Cow<'a, Prompt> {
    let mut prompt = Cow::Borrowed(prompt);
    if conceded.contains(&Concession::System) && prompt.system.is_some() {
        let prompt = prompt.to_mut();
        let first = prompt.turns.iter_mut().find(|turn| turn.role == Role::User);
        if let (Some(words), Some(turn)) = (prompt.system.take(), first) {
            turn.parts.insert(0, Part::Text(words));
        }
    }
    if conceded.contains(&Concession::Schema) && prompt.schema.is_some() {
        let prompt = prompt.to_mut();
        if let (Some(form), Some(turn)) = (prompt.schema.take(), prompt.turns.last_mut()) {
            let schema = serde_json::to_string(&Ordered(&form.schema)).unwrap_or_default();
            let words = format!(
                "Answer with one JSON object and nothing else. It must fit this JSON schema:\n{schema}"
            );
            turn.parts.push(Part::Text(words));
        }
    }
    prompt
}

/// Makes `body` one without what was conceded.
pub(crate) fn concede(body: &mut Params, conceded: &[Concession]) {
    for concession in conceded {
        match concession {
            Concession::TokenLimit => {
                let [older, newer] = TOKEN_LIMITS;
                for (from, to) in [(older, newer), (newer, older)] {
                    if let Some(limit) = body.remove(from) {
                        body.insert(to.into(), limit);
                        break;
                    }
                }
            }
            Concession::Key(key) => {
                body.remove(*key);
            }
            Concession::System | Concession::Schema => {}
        }
    }
}

/// Puts the fields that the settings add on top of `body`: a limit of tokens under one name takes
/// the place of the other's.
pub(crate) fn extend(body: &mut Params, more: &Params) {
    if TOKEN_LIMITS.iter().any(|name| more.contains_key(*name)) {
        for name in TOKEN_LIMITS {
            body.remove(name);
        }
    }
    body.extend(more.clone());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_refuse_is_known_by_their_words() {
        use Concession::{Key, Schema, System, TokenLimit};
        for (said, asked) in [
            // OpenAI's reasoning models.
            (
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
                Some(TokenLimit),
            ),
            (
                "max_completion_tokens: Extra inputs are not permitted",
                Some(TokenLimit),
            ),
            (
                "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.",
                Some(Key("temperature")),
            ),
            (
                "[{\"loc\":[\"body\",\"stream_options\"],\"type\":\"extra_forbidden\"}]",
                Some(Key("stream_options")),
            ),
            ("unknown field: seed", Some(Key("seed"))),
            // Templates of Gemma and of older Mistral models.
            ("System role not supported", Some(System)),
            (
                "Conversation roles must alternate user/assistant/user/assistant/...",
                Some(System),
            ),
            (
                "Developer instruction is not enabled for models/gemma-3-27b-it",
                Some(System),
            ),
            (
                "'response_format' of type 'json_schema' is not supported with this model",
                Some(Schema),
            ),
            ("Invalid schema for response_format 'marks'", Some(Schema)),
            // What another form of the same request would not mend.
            (
                "max_tokens is too large: 99999. This model supports at most 4096 completion tokens",
                None,
            ),
            ("temperature must be at most 2", None),
            ("unknown model", None),
            ("seedling is not supported", None),
            ("", None),
        ] {
            assert_eq!(Concession::asked_for(400, said), asked, "{said}");
        }
        // Elsewhere the same words mean that the server has failed, or knows no such model.
        let said = "System role not supported";
        assert_eq!(Concession::asked_for(500, said), Some(System));
        assert_eq!(Concession::asked_for(404, said), None);
        assert_eq!(Concession::asked_for(500, "unexpected stop"), None);
    }
}
