use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::fake::{Fake, KEY_ENV, Reply};

/// An interface, as the tests speak it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    OpenAi,
    Anthropic,
    Gemini,
}

pub(crate) const WIRES: [Wire; 3] = [Wire::OpenAi, Wire::Anthropic, Wire::Gemini];

impl Wire {
    /// The table of a model behind `fake`, called `x`.
    pub(crate) fn table(self, fake: &Fake, more: &str) -> String {
        let (provider, url) = (self.provider(), fake.url());
        format!(
            "[lmm.x]\nprovider = '{provider}'\nbase_url = '{url}/v1'\nmodel = 'm'\n\
             api_key_env = '{KEY_ENV}'\nstructured = true\nbackoff_ms = 1\n{more}\n"
        )
    }

    fn provider(self) -> &'static str {
        match self {
            Wire::OpenAi => "openai-compatible",
            Wire::Anthropic => "anthropic",
            Wire::Gemini => "gemini",
        }
    }

    /// The path of the interface.
    pub(crate) fn path(self, stream: bool) -> &'static str {
        match (self, stream) {
            (Wire::OpenAi, _) => "/v1/chat/completions",
            (Wire::Anthropic, _) => "/v1/messages",
            (Wire::Gemini, true) => "/v1/models/m:streamGenerateContent?alt=sse",
            (Wire::Gemini, false) => "/v1/models/m:generateContent",
        }
    }

    /// The header with the key, and what stands before the key.
    pub(crate) fn key(self) -> (&'static str, &'static str) {
        match self {
            Wire::OpenAi => ("authorization", "Bearer "),
            Wire::Anthropic => ("x-api-key", ""),
            Wire::Gemini => ("x-goog-api-key", ""),
        }
    }

    /// The words for: complete, too long.
    pub(crate) fn finishes(self) -> (&'static str, &'static str) {
        match self {
            Wire::OpenAi => ("stop", "length"),
            Wire::Anthropic => ("end_turn", "max_tokens"),
            Wire::Gemini => ("STOP", "MAX_TOKENS"),
        }
    }

    /// Messages of a stream with `pieces` of text, without its end.
    pub(crate) fn pieces(self, pieces: &[&str]) -> Vec<Value> {
        let start = match self {
            Wire::OpenAi => {
                json!({"choices": [{"delta": {"role": "assistant", "content": ""}, "finish_reason": null}]})
            }
            Wire::Anthropic => json!({"type": "message_start", "message": {
                "usage": {"input_tokens": 100, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 3, "output_tokens": 1}
            }}),
            Wire::Gemini => {
                json!({"candidates": [{"content": {"parts": [{"text": "hm", "thought": true}]}}]})
            }
        };
        let piece = |text: &&str| match self {
            Wire::OpenAi => {
                json!({"choices": [{"delta": {"content": text}, "finish_reason": null}]})
            }
            Wire::Anthropic => {
                json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})
            }
            Wire::Gemini => {
                json!({"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}}]})
            }
        };
        std::iter::once(start)
            .chain(pieces.iter().map(piece))
            .collect()
    }

    /// Messages that end a stream of 123 tokens in, 20 of them kept, and 7 out.
    pub(crate) fn end(self, finish: &str) -> Vec<Value> {
        match self {
            Wire::OpenAi => vec![
                json!({"choices": [{"delta": {}, "finish_reason": finish}]}),
                json!({"choices": [], "usage": {"prompt_tokens": 123, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 20}}}),
            ],
            Wire::Anthropic => vec![
                json!({"type": "content_block_stop", "index": 0}),
                json!({"type": "message_delta", "delta": {"stop_reason": finish}, "usage": {"output_tokens": 7}}),
                json!({"type": "message_stop"}),
            ],
            Wire::Gemini => vec![json!({
                "candidates": [{"finishReason": finish}],
                "usageMetadata": {"promptTokenCount": 123, "candidatesTokenCount": 5, "thoughtsTokenCount": 2, "cachedContentTokenCount": 20}
            })],
        }
    }

    /// A whole stream.
    pub(crate) fn stream(self, pieces: &[&str]) -> Reply {
        let messages = self
            .pieces(pieces)
            .into_iter()
            .chain(self.end(self.finishes().0));
        self.closed(Reply::events(messages))
    }

    /// With what OpenAI closes a stream with.
    pub(crate) fn closed(self, reply: Reply) -> Reply {
        match self {
            Wire::OpenAi => reply.then("data: [DONE]\n\n"),
            _ => reply,
        }
    }

    /// The same in one piece.
    pub(crate) fn whole(self, text: &str, finish: &str) -> Value {
        match self {
            Wire::OpenAi => json!({
                "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": finish}],
                "usage": {"prompt_tokens": 123, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 20}}
            }),
            Wire::Anthropic => json!({
                "type": "message", "role": "assistant", "stop_reason": finish,
                "content": [{"type": "text", "text": text}],
                "usage": {"input_tokens": 100, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 3, "output_tokens": 7}
            }),
            Wire::Gemini => json!({
                "candidates": [{"content": {"parts": [{"text": text}]}, "finishReason": finish}],
                "usageMetadata": {"promptTokenCount": 123, "candidatesTokenCount": 7, "cachedContentTokenCount": 20}
            }),
        }
    }

    /// An error as the provider writes it.
    pub(crate) fn error(self, status: u16, message: &str) -> Reply {
        let body = match self {
            Wire::OpenAi => json!({"error": {"message": message, "type": "e", "code": null}}),
            Wire::Anthropic => json!({"type": "error", "error": {"type": "e", "message": message}}),
            Wire::Gemini => json!({"error": {"code": status, "message": message, "status": "E"}}),
        };
        Reply::json(&body).status(status)
    }

    /// The parts of turn number `turn` of a request, in order: words, or bytes and media type.
    pub(crate) fn parts(self, body: &Value, turn: usize) -> Vec<SentPart> {
        let parts = match self {
            Wire::OpenAi | Wire::Anthropic => &body["messages"][turn]["content"],
            Wire::Gemini => &body["contents"][turn]["parts"],
        };
        if let Some(text) = parts.as_str() {
            return vec![SentPart::Text(text.into())];
        }
        parts
            .as_array()
            .unwrap()
            .iter()
            .map(|part| self.part(part))
            .collect()
    }

    fn part(self, part: &Value) -> SentPart {
        if let Some(text) = part["text"].as_str() {
            return SentPart::Text(text.into());
        }
        let (media_type, data) = match self {
            Wire::OpenAi => {
                let url = part["image_url"]["url"].as_str().unwrap();
                url.strip_prefix("data:")
                    .unwrap()
                    .split_once(";base64,")
                    .unwrap()
            }
            Wire::Anthropic => {
                let source = &part["source"];
                assert_eq!(
                    (&part["type"], &source["type"]),
                    (&json!("image"), &json!("base64"))
                );
                (
                    source["media_type"].as_str().unwrap(),
                    source["data"].as_str().unwrap(),
                )
            }
            Wire::Gemini => {
                let data = &part["inlineData"];
                (
                    data["mimeType"].as_str().unwrap(),
                    data["data"].as_str().unwrap(),
                )
            }
        };
        SentPart::Image(media_type.into(), STANDARD.decode(data).unwrap())
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SentPart {
    Text(String),
    Image(String, Vec<u8>),
}
