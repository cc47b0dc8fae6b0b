//! OpenAI's Chat Completions, as OpenAI and many other servers speak it.
//!
//! Source: OpenAI, *API reference*, Chat Completions.

use reqwest::Url;
use serde_json::{Value, json};
use som_core::{Finish, Params, Part, Prompt, Role, Turn};

use super::row::{Api, Provider, Reach};
use crate::dialect::{
    Dialect, Failure, Instead, Model, Reading, base64, explanation, number, text,
};

pub(super) static OPENAI: Provider = Provider {
    name: "openai",
    reach: Reach::Http(Api {
        base_url: "https://api.openai.com/v1",
        key_env: "OPENAI_API_KEY",
        key_header: ("authorization", "Bearer "),
        structured: true,
        dialect: |model| OpenAi::at_completions(model, MAX_COMPLETION_TOKENS),
    }),
};

/// A server with the same interface: vLLM, Ollama, llama.cpp, LM Studio, OpenRouter,
/// `transformers serve` and many more.
pub(super) static COMPATIBLE: Provider = Provider {
    name: "openai-compatible",
    reach: Reach::Http(Api {
        base_url: "",
        key_env: "",
        key_header: ("authorization", "Bearer "),
        structured: false,
        // A proxy passes on what the model behind it takes.
        dialect: |model| {
            let newer = model.token_limit == Some(MAX_COMPLETION_TOKENS);
            let limit = if newer {
                MAX_COMPLETION_TOKENS
            } else {
                "max_tokens"
            };
            OpenAi::at_completions(model, limit)
        },
    }),
};

/// OpenAI's own key for the most tokens: its reasoning models refuse the older one, which is the
/// one that other servers know.
pub(super) const MAX_COMPLETION_TOKENS: &str = "max_completion_tokens";

/// Chat Completions.
pub(super) struct OpenAi {
    pub(super) model: Model,
    pub(super) url: Url,
    /// The key of the body that limits the answer.
    pub(super) max_tokens: &'static str,
}

impl OpenAi {
    fn at_completions(model: Model, max_tokens: &'static str) -> Box<dyn Dialect> {
        Box::new(Self {
            url: model.url(&["chat", "completions"]),
            model,
            max_tokens,
        })
    }

    fn message(&self, turn: &Turn) -> Value {
        let role = match turn.role {
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        let parts = turn.parts.iter().map(|part| match part {
            Part::Text(text) => json!({"type": "text", "text": text}),
            Part::Image(image) => {
                let url = format!(
                    "data:{};base64,{}",
                    image.format.media_type(),
                    base64(image)
                );
                let mut image_url = json!({"url": url});
                if let Some(detail) = &self.model.detail {
                    image_url["detail"] = json!(detail);
                }
                json!({"type": "image_url", "image_url": image_url})
            }
        });
        // The plain form of plain text: some servers know no other for earlier answers.
        let content = match turn.parts.as_slice() {
            [Part::Text(text)] => json!(text),
            _ => parts.collect(),
        };
        json!({"role": role, "content": content})
    }
}

impl Dialect for OpenAi {
    fn url(&self) -> &Url {
        &self.url
    }

    fn body(&self, prompt: &Prompt) -> Params {
        let system = prompt.system.iter();
        let system = system.map(|text| json!({"role": "system", "content": text}));
        let turns = prompt.turns.iter().map(|turn| self.message(turn));
        let mut body = Params::new();
        body.insert("model".into(), json!(self.model.name));
        body.insert("messages".into(), system.chain(turns).collect());
        let max_tokens = self.model.max_tokens(prompt);
        body.insert(self.max_tokens.into(), json!(max_tokens));
        if let Some(temperature) = prompt.temperature {
            body.insert("temperature".into(), json!(temperature));
        }
        if let Some(seed) = prompt.seed {
            body.insert("seed".into(), json!(seed));
        }
        if !prompt.stop.is_empty() {
            body.insert("stop".into(), json!(prompt.stop));
        }
        if let Some(form) = &prompt.schema {
            let form = json!({"name": form.name, "strict": true, "schema": form.schema});
            let format = json!({"type": "json_schema", "json_schema": form});
            body.insert("response_format".into(), format);
        }
        if self.model.stream {
            body.insert("stream".into(), json!(true));
            body.insert("stream_options".into(), json!({"include_usage": true}));
        }
        body
    }

    fn read(&self, message: &Value, reading: &mut Reading) -> Result<(), Failure> {
        if let Some(error) = message.get("error").filter(|error| !error.is_null()) {
            return Err(Failure::of_message(message, number(error, "/code")));
        }
        // Some proxies say in words of their own, with the status of success, what failed.
        if message.get("choices").is_none() && explanation(message).is_some() {
            return Err(Failure::of_message(message, number(message, "/code")));
        }
        let choice = message.pointer("/choices/0").unwrap_or(&Value::Null);
        if let Some(error) = choice.get("error").filter(|error| !error.is_null()) {
            return Err(Failure::of_message(choice, number(error, "/code")));
        }
        let said = choice.get("delta").or_else(|| choice.get("message"));
        let said = said.unwrap_or(&Value::Null);
        match said.get("content") {
            Some(Value::String(content)) => reading.text(content),
            // Some servers answer in parts, thoughts among them.
            Some(Value::Array(parts)) => {
                for part in parts.iter().filter_map(|part| text(part, "/text")) {
                    reading.text(part);
                }
            }
            _ => {}
        }
        let holds = |key: &str| match said.get(key) {
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::String(words)) => !words.is_empty(),
            _ => false,
        };
        if holds("tool_calls") {
            reading.instead(Instead::ToolCall);
        } else if holds("reasoning_content") || holds("reasoning") {
            reading.instead(Instead::Thoughts);
        }
        if let Some(reason) = text(said, "/refusal") {
            reading.refuse(reason);
        }
        match text(choice, "/finish_reason") {
            Some("length") => reading.finish(Finish::Length),
            Some("content_filter") => {
                reading.finish(Finish::Refusal("the content filter stopped it".into()));
            }
            Some("") | None => {}
            Some(_) => reading.finish(Finish::Stop),
        }
        if let Some(usage) = message.get("usage").filter(|usage| usage.is_object()) {
            let tokens = |path: &str| number(usage, path).unwrap_or(0);
            reading.count(|count| {
                count.input_tokens = tokens("/prompt_tokens");
                count.output_tokens = tokens("/completion_tokens");
                count.cached_tokens = tokens("/prompt_tokens_details/cached_tokens");
            });
        }
        Ok(())
    }
}
