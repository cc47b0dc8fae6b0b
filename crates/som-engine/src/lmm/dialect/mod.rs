//! What providers differ in: the address, the headers, the body, and how an answer is written.

mod anthropic;
mod gemini;
mod openai;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Url;
use serde_json::Value;
use som_core::{Error, Params, Prompt, PromptImage, ProviderInfo, Result};

use super::{reading::Reading, retry::Failure};
use crate::settings::{LmmSettings, ProviderKind};

/// The interface of one provider, for one model.
pub(super) trait Dialect: Send + Sync {
    /// Where requests go.
    fn url(&self) -> &Url;

    /// Headers that every request has, the one with the key among them.
    fn headers(&self, key: Option<&str>) -> Vec<(&'static str, String)>;

    /// The body that asks `prompt`, for which the model is fit.
    fn body(&self, prompt: &Prompt) -> Params;

    /// Reads one message: an event of a stream, or a whole answer.
    fn read(&self, message: &Value, reading: &mut Reading) -> Result<(), Failure>;
}

/// What every dialect needs to know.
struct Model {
    name: String,
    max_tokens: u32,
    stream: bool,
    detail: Option<String>,
}

impl Model {
    /// The most tokens of one answer: the model's own limit, or less for this prompt.
    fn limit(&self, prompt: &Prompt) -> u32 {
        let wanted = prompt.max_tokens.unwrap_or(self.max_tokens);
        wanted.min(self.max_tokens)
    }
}

/// The dialect of the provider of a table.
///
/// # Errors
/// Invalid, if the address is malformed.
pub(super) fn new(info: &ProviderInfo, lmm: &LmmSettings) -> Result<Box<dyn Dialect>> {
    let model = Model {
        name: lmm.model.clone(),
        max_tokens: lmm.max_tokens,
        stream: lmm.stream,
        detail: info.images.detail.clone(),
    };
    Ok(match lmm.provider {
        ProviderKind::OpenAi | ProviderKind::OpenAiCompatible | ProviderKind::Azure => {
            Box::new(openai::OpenAi::new(model, lmm)?)
        }
        ProviderKind::Anthropic => Box::new(anthropic::Anthropic::new(model, lmm)?),
        ProviderKind::Gemini => Box::new(gemini::Gemini::new(model, lmm)?),
        ProviderKind::Attributes => {
            return Err(Error::internal("attributes are not asked over HTTP"));
        }
    })
}

/// The address of a table, or `usual` where it gives none, with `path` after it.
fn address(lmm: &LmmSettings, usual: &str, path: &[&str]) -> Result<Url> {
    let text = match lmm.base_url.trim() {
        "" => usual,
        text => text,
    };
    if text.is_empty() {
        let provider = lmm.provider.name();
        return Err(Error::invalid(format!(
            "base_url is not set, which {provider} needs"
        )));
    }
    // Neither is repeated in the message, for it may hold a key.
    let malformed = || Error::invalid("base_url is not an address like https://host:8000/v1");
    let mut url = Url::parse(text).map_err(|_| malformed())?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    if !is_plain || url.query().is_some() || url.fragment().is_some() {
        return Err(Error::invalid(
            "base_url holds more than an address (keys go to api_key_env or header_env)",
        ));
    }
    if !["http", "https"].contains(&url.scheme()) {
        return Err(malformed());
    }
    let mut segments = url.path_segments_mut().map_err(|()| malformed())?;
    segments.pop_if_empty().extend(path);
    drop(segments);
    Ok(url)
}

fn base64(image: &PromptImage) -> String {
    STANDARD.encode(&image.bytes)
}

/// The number at `path` of a message.
fn number(message: &Value, path: &str) -> Option<u64> {
    message.pointer(path).and_then(Value::as_u64)
}

/// The text at `path` of a message.
fn text<'a>(message: &'a Value, path: &str) -> Option<&'a str> {
    message.pointer(path).and_then(Value::as_str)
}
