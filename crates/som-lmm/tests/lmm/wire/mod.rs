mod anthropic;
mod gemini;
mod openai;

use std::fmt::Debug;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::fake::{Fake, KEY_ENV, Reply};

pub(crate) const OPENAI: &dyn Wire = &openai::OpenAi;
pub(crate) const ANTHROPIC: &dyn Wire = &anthropic::Anthropic;
pub(crate) const GEMINI: &dyn Wire = &gemini::Gemini;

/// Every interface.
pub(crate) const WIRES: [&dyn Wire; 3] = [OPENAI, ANTHROPIC, GEMINI];

/// A provider's interface, as the tests speak it.
pub(crate) trait Wire: Debug + Sync {
    /// The provider, as the settings have it.
    fn provider(&self) -> &'static str;

    /// Where a request goes.
    fn path(&self, stream: bool) -> &'static str;

    /// The header with the key, and what stands before the key.
    fn key(&self) -> (&'static str, &'static str);

    /// The words for: complete, too long.
    fn finishes(&self) -> (&'static str, &'static str);

    /// The body that asks for everything there is: "Be brief." above "hi", `schema` called
    /// "marks", at most 99 tokens, temperature 0.5, seed 7, to stop at "END", in pieces.
    fn full(&self, schema: &Value) -> Value;

    /// The keys of the body of a plain question.
    fn least(&self) -> &'static [&'static str];

    /// The content of turn number `turn` of a request.
    fn content<'a>(&self, body: &'a Value, turn: usize) -> &'a Value;

    /// The media type and the Base64 of an image in a content.
    fn image<'a>(&self, part: &'a Value) -> (&'a str, &'a str);

    /// The message that a stream begins with, without a word of the answer.
    fn start(&self) -> Value;

    /// A message of a stream with some text.
    fn piece(&self, text: &str) -> Value;

    /// The messages that end a stream of 123 tokens in, 20 of them kept, and 7 out.
    fn end(&self, finish: &str) -> Vec<Value>;

    /// What comes after the last message of a stream.
    fn mark_of_the_end(&self) -> &'static str {
        ""
    }

    /// An answer in one piece, of as many tokens.
    fn whole(&self, text: &str, finish: &str) -> Value;

    /// Answers in one piece that decline, and the reason as it is told.
    fn refusals(&self) -> Vec<(Value, &'static str)>;

    /// The body of an error.
    fn error_body(&self, status: u16, message: &str) -> Value;

    /// The message in a stream that says "busy": the server is overloaded.
    fn busy(&self) -> Value {
        json!({"error": {"code": 503, "message": "busy"}})
    }
}

impl dyn Wire + '_ {
    /// The table of a model behind `fake`, called `x`.
    pub(crate) fn table(&self, fake: &Fake, more: &str) -> String {
        let (provider, url) = (self.provider(), fake.url());
        format!(
            "[lmm.x]\nprovider = '{provider}'\nbase_url = '{url}/v1'\nmodel = 'm'\n\
             api_key_env = '{KEY_ENV}'\nstructured = true\nbackoff_ms = 1\n{more}\n"
        )
    }

    /// Messages of a stream with `pieces` of text, without its end.
    pub(crate) fn pieces(&self, pieces: &[&str]) -> Vec<Value> {
        let texts = pieces.iter().map(|text| self.piece(text));
        std::iter::once(self.start()).chain(texts).collect()
    }

    /// A whole stream.
    pub(crate) fn stream(&self, pieces: &[&str]) -> Reply {
        let messages = self
            .pieces(pieces)
            .into_iter()
            .chain(self.end(self.finishes().0));
        self.closed(Reply::events(messages))
    }

    /// With what comes after the last message.
    pub(crate) fn closed(&self, reply: Reply) -> Reply {
        match self.mark_of_the_end() {
            "" => reply,
            mark => reply.then(mark),
        }
    }

    /// An error as the provider writes it.
    pub(crate) fn error(&self, status: u16, message: &str) -> Reply {
        Reply::json(&self.error_body(status, message)).status(status)
    }

    /// The parts of turn number `turn` of a request, in order.
    pub(crate) fn parts(&self, body: &Value, turn: usize) -> Vec<SentPart> {
        let content = self.content(body, turn);
        if let Some(text) = content.as_str() {
            return vec![SentPart::Text(text.into())];
        }
        let parts = content.as_array().unwrap().iter();
        parts.map(|part| SentPart::read(self, part)).collect()
    }
}

/// A part of a turn as it was sent: words, or the media type and the bytes of an image.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SentPart {
    Text(String),
    Image(String, Vec<u8>),
}

impl SentPart {
    fn read(wire: &dyn Wire, part: &Value) -> Self {
        if let Some(text) = part["text"].as_str() {
            return Self::Text(text.into());
        }
        let (media_type, data) = wire.image(part);
        Self::Image(media_type.into(), STANDARD.decode(data).unwrap())
    }
}
