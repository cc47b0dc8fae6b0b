//! What providers differ in: the address, the headers, the body, and how an answer is written.

mod concession;
mod failure;
mod ordered;
mod reading;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Url;
use serde_json::Value;
use som_core::{Error, Params, Prompt, PromptImage, Result};

pub(crate) use self::{
    concession::{Concession, concede, conceding, extend},
    failure::{Failure, Retry, explanation},
    ordered::Ordered,
    reading::{Instead, Reading},
};

/// The interface of one provider, for one model.
pub(crate) trait Dialect: Send + Sync {
    /// Where requests go.
    fn url(&self) -> &Url;

    /// Headers that every request has beside the key's.
    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// The body that asks `prompt`, for which the model is fit.
    fn body(&self, prompt: &Prompt) -> Params;

    /// Reads one message: an event of a stream, or a whole answer.
    fn read(&self, message: &Value, reading: &mut Reading) -> Result<(), Failure>;
}

/// The model that is spoken to: what every dialect needs to know of it.
pub(crate) struct Model {
    /// As the server knows it.
    pub(crate) name: String,
    /// Where the server is.
    pub(crate) base_url: Url,
    /// Version of the interface; empty for the dialect's own.
    pub(crate) api_version: String,
    /// Most tokens of an answer, whatever a prompt allows.
    pub(crate) max_tokens: u32,
    /// What the API of its family calls that limit, if that is known.
    pub(crate) token_limit: Option<&'static str>,
    /// Answers are asked for piece by piece.
    pub(crate) stream: bool,
    /// How closely to look at images, in the provider's own word.
    pub(crate) detail: Option<String>,
}

impl Model {
    /// The most tokens of one answer: the model's own maximum, or less for this prompt.
    pub(crate) fn max_tokens(&self, prompt: &Prompt) -> u32 {
        let wanted = prompt.max_tokens.unwrap_or(self.max_tokens);
        wanted.min(self.max_tokens)
    }

    /// The address with `path` after it.
    pub(crate) fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base_url.clone();
        // What `address` lets through has a path.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }
}

/// `text` as the address of a server.
///
/// # Errors
/// Invalid, if it is none, or more than one.
pub(crate) fn address(text: &str) -> Result<Url> {
    // The text is not repeated in the message, for it may hold a key.
    let malformed = || Error::invalid("base_url is not an address like https://host:8000/v1");
    let url = Url::parse(text).map_err(|_| malformed())?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    if !is_plain || url.query().is_some() || url.fragment().is_some() {
        return Err(Error::invalid(
            "base_url holds more than an address (keys go to api_key_env or header_env)",
        ));
    }
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => Err(malformed()),
    }
}

/// The file of an image as text.
pub(crate) fn base64(image: &PromptImage) -> String {
    STANDARD.encode(&image.bytes)
}

/// The number at `path` of a message.
pub(crate) fn number(message: &Value, path: &str) -> Option<u64> {
    message.pointer(path).and_then(Value::as_u64)
}

/// The text at `path` of a message.
pub(crate) fn text<'a>(message: &'a Value, path: &str) -> Option<&'a str> {
    message.pointer(path).and_then(Value::as_str)
}
