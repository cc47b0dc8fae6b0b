//! Who answers: a way to reach one large multimodal model.

use futures_core::stream::BoxStream;
use serde::{Deserialize, Serialize};

use super::{AnswerEvent, ImagePolicy, Prompt, Role, Turn, Usage};
use crate::{Cancellation, Error, Result};

/// An answer as it comes in. It ends after [`AnswerEvent::Done`] or after the first error.
pub type AnswerStream<'a> = BoxStream<'a, Result<AnswerEvent>>;

/// Answers a prompt about images. Async, yet usable as `dyn`.
pub trait LmmProvider: Send + Sync {
    /// Which model it is, and what it can do.
    fn info(&self) -> &ProviderInfo;

    /// Answers `prompt`. Nothing is sent before the stream is polled; dropping it calls the
    /// request off, and so does `cancellation`.
    ///
    /// The stream ends with exactly one [`AnswerEvent::Done`], or with one error:
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) soon after cancellation; Unsupported
    /// for what the model cannot take, before anything is sent; Unavailable, Exhausted, NotFound
    /// or Invalid as the far side has it. What breaks off once text has come in is no error, but
    /// [`Finish::Partial`](super::Finish::Partial).
    fn ask<'a>(&'a self, prompt: &'a Prompt, cancellation: &'a Cancellation) -> AnswerStream<'a>;

    /// The request with which [`ask`](Self::ask) would begin; `None` where nothing is sent.
    ///
    /// # Errors
    /// Unsupported for what the model cannot take.
    fn draft(&self, prompt: &Prompt) -> Result<Option<Draft>> {
        self.info().check(prompt).map(|()| None)
    }
}

/// A request as it would be sent, without its headers, which hold secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Where it goes.
    pub url: String,
    /// JSON, to the byte.
    pub body: String,
}

/// What is known about a provider before it is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderInfo {
    /// Its name in the settings, such as "gpt4o".
    pub name: String,
    /// How it is reached, such as "openai".
    pub provider: String,
    /// The model's own name, such as "gpt-4o".
    pub model: String,
    /// It takes images.
    pub vision: bool,
    /// It answers by a JSON schema where the prompt has one.
    pub structured: bool,
    /// What becomes of the images it gets.
    pub images: ImagePolicy,
    /// Most tokens of prompt and answer together; `None` if unknown.
    pub context_tokens: Option<u64>,
    /// What tokens cost; `None` if unknown.
    pub prices: Option<Prices>,
}

impl ProviderInfo {
    /// Checks that `prompt` holds nothing that the model cannot take.
    ///
    /// # Errors
    /// Unsupported, naming the provider and what it does not take.
    pub fn check(&self, prompt: &Prompt) -> Result<()> {
        let refuse = |why: String| Error::unsupported(format!("lmm \"{}\": {why}", self.name));
        let count = prompt.images().count();
        if count > 0 && !self.vision {
            return Err(refuse(format!(
                "{} takes no images (choose a model with vision, or set lmm.{}.vision)",
                self.model, self.name
            )));
        }
        let is_shown_back =
            |turn: &Turn| turn.role == Role::Assistant && turn.images().next().is_some();
        if prompt.turns.iter().any(is_shown_back) {
            return Err(refuse(
                "the model's own turns hold text alone, but one has an image".into(),
            ));
        }
        if prompt.schema.is_some() && !self.structured {
            return Err(refuse(format!(
                "{} does not answer by a JSON schema (ask in free text, or set lmm.{}.structured)",
                self.model, self.name
            )));
        }
        self.images.check(prompt).map_err(refuse)
    }
}

/// What a million tokens cost, in US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// Of the prompt.
    pub input: f64,
    /// Of the answer.
    pub output: f64,
    /// Of the part of the prompt that the far side had kept; as `input`, if not given.
    #[serde(default)]
    pub cached: Option<f64>,
}

impl Prices {
    /// What `usage` costs, in US dollars.
    pub fn cost(&self, usage: &Usage) -> f64 {
        let cached = usage.cached_tokens.min(usage.input_tokens);
        let fresh = usage.input_tokens - cached;
        let of = |tokens: u64, price: f64| tokens as f64 * price / 1e6;
        of(fresh, self.input)
            + of(cached, self.cached.unwrap_or(self.input))
            + of(usage.output_tokens, self.output)
    }
}
