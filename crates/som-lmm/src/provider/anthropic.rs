//! Anthropic's Messages.
//!
//! Source: Anthropic, *API reference*, Messages; *Streaming Messages*; *Structured outputs*.

use reqwest::Url;
use serde_json::{Value, json};
use som_core::{Finish, Params, Part, Prompt, Role, Turn};

use super::row::{Api, Provider, Reach};
use crate::dialect::{Dialect, Failure, Instead, Model, Reading, base64, number, text};

pub(super) static ANTHROPIC: Provider = Provider {
    name: "anthropic",
    reach: Reach::Http(Api {
        base_url: "https://api.anthropic.com/v1",
        key_env: "ANTHROPIC_API_KEY",
        key_header: ("x-api-key", ""),
        structured: true,
        dialect: |model| {
            let url = model.url(&["messages"]);
            Box::new(Anthropic { model, url })
        },
    }),
};

struct Anthropic {
    model: Model,
    url: Url,
}

fn message(turn: &Turn) -> Value {
    let role = match turn.role {
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    let parts = turn.parts.iter().map(|part| match part {
        Part::Text(text) => json!({"type": "text", "text": text}),
        Part::Image(image) => json!({
            "type": "image",
            "source": {
                "type": "base64",
                "media_type": image.format.media_type(),
                "data": base64(image),
            },
        }),
    });
    json!({"role": role, "content": parts.collect::<Value>()})
}

impl Dialect for Anthropic {
    fn url(&self) -> &Url {
        &self.url
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[("anthropic-version", "2023-06-01")]
    }

    fn body(&self, prompt: &Prompt) -> Params {
        let mut body = Params::new();
        body.insert("model".into(), json!(self.model.name));
        let max_tokens = self.model.max_tokens(prompt);
        body.insert("max_tokens".into(), json!(max_tokens));
        if let Some(system) = &prompt.system {
            body.insert("system".into(), json!(system));
        }
        body.insert(
            "messages".into(),
            prompt.turns.iter().map(message).collect(),
        );
        if let Some(temperature) = prompt.temperature {
            body.insert("temperature".into(), json!(temperature));
        }
        if !prompt.stop.is_empty() {
            body.insert("stop_sequences".into(), json!(prompt.stop));
        }
        if let Some(form) = &prompt.schema {
            let format = json!({"type": "json_schema", "schema": form.schema});
            body.insert("output_config".into(), json!({"format": format}));
        }
        if self.model.stream {
            body.insert("stream".into(), json!(true));
        }
        body
    }

    fn read(&self, message: &Value, reading: &mut Reading) -> Result<(), Failure> {
        match text(message, "/type") {
            Some("error") => {
                let status = match text(message, "/error/type") {
                    Some("overloaded_error") => Some(529),
                    Some("rate_limit_error") => Some(429),
                    Some("api_error") => Some(500),
                    _ => Some(400),
                };
                return Err(Failure::of_message(message, status));
            }
            Some("message_start") => count(message.pointer("/message/usage"), reading),
            Some("content_block_start") => {
                let kind = message.pointer("/content_block").unwrap_or(&Value::Null);
                instead(kind, reading);
            }
            Some("content_block_delta") => {
                if let Some(more) = text(message, "/delta/text") {
                    reading.text(more);
                }
            }
            Some("message_delta") => {
                finish(message.get("delta"), reading);
                count(message.get("usage"), reading);
            }
            Some("message_stop") => reading.end(),
            // A whole answer.
            Some("message") => {
                for block in message["content"].as_array().into_iter().flatten() {
                    instead(block, reading);
                    if let Some(more) = text(block, "/text") {
                        reading.text(more);
                    }
                }
                finish(Some(message), reading);
                count(message.get("usage"), reading);
            }
            _ => {}
        }
        Ok(())
    }
}

/// A block of content that is no text.
fn instead(block: &Value, reading: &mut Reading) {
    match text(block, "/type") {
        Some("thinking" | "redacted_thinking") => reading.instead(Instead::Thoughts),
        Some("tool_use") => reading.instead(Instead::ToolCall),
        _ => {}
    }
}

fn finish(said: Option<&Value>, reading: &mut Reading) {
    let reason = said.and_then(|said| text(said, "/stop_reason"));
    match reason {
        Some("max_tokens" | "model_context_window_exceeded") => reading.finish(Finish::Length),
        Some("refusal") => reading.finish(Finish::Refusal("the model declined".into())),
        Some(_) => reading.finish(Finish::Stop),
        None => {}
    }
}

/// Later counts hold only what has changed; what was kept or is now kept is counted apart.
fn count(usage: Option<&Value>, reading: &mut Reading) {
    let Some(usage) = usage.filter(|usage| usage.is_object()) else {
        return;
    };
    reading.count(|count| {
        if let Some(fresh) = number(usage, "/input_tokens") {
            let tokens = |path: &str| number(usage, path).unwrap_or(0);
            count.cached_tokens = tokens("/cache_read_input_tokens");
            count.input_tokens = fresh
                .saturating_add(count.cached_tokens)
                .saturating_add(tokens("/cache_creation_input_tokens"));
        }
        if let Some(output) = number(usage, "/output_tokens") {
            count.output_tokens = output;
        }
    });
}
