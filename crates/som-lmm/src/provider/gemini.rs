//! Google's Gemini API.
//!
//! Source: Google, *Gemini API reference*, `models.generateContent`,
//! `models.streamGenerateContent`.

use reqwest::Url;
use serde_json::{Value, json};
use som_core::{Finish, Params, Part, Prompt, Role, Turn};

use super::row::{Api, Provider, Reach};
use crate::dialect::{Dialect, Failure, Instead, Model, Reading, base64, number, text};

pub(super) static GEMINI: Provider = Provider {
    name: "gemini",
    reach: Reach::Http(Api {
        base_url: "https://generativelanguage.googleapis.com/v1beta",
        key_env: "GEMINI_API_KEY",
        key_header: ("x-goog-api-key", ""),
        structured: true,
        dialect: |model| Box::new(Gemini::new(model)),
    }),
};

struct Gemini {
    model: Model,
    url: Url,
}

impl Gemini {
    fn new(model: Model) -> Self {
        let method = match model.stream {
            true => "streamGenerateContent",
            false => "generateContent",
        };
        let name = model.name.trim_start_matches("models/");
        let mut url = model.url(&["models", &format!("{name}:{method}")]);
        if model.stream {
            url.set_query(Some("alt=sse"));
        }
        Self { model, url }
    }

    fn config(&self, prompt: &Prompt) -> Value {
        let max_tokens = self.model.max_tokens(prompt);
        let mut config = json!({"maxOutputTokens": max_tokens});
        if let Some(temperature) = prompt.temperature {
            config["temperature"] = json!(temperature);
        }
        if let Some(seed) = prompt.seed {
            config["seed"] = json!(seed);
        }
        if !prompt.stop.is_empty() {
            config["stopSequences"] = json!(prompt.stop);
        }
        if let Some(detail) = &self.model.detail {
            config["mediaResolution"] = json!(detail);
        }
        if let Some(form) = &prompt.schema {
            config["responseMimeType"] = json!("application/json");
            config["responseJsonSchema"] = form.schema.clone();
        }
        config
    }
}

fn content(turn: &Turn) -> Value {
    let role = match turn.role {
        Role::User => "user",
        Role::Assistant => "model",
    };
    let parts = turn.parts.iter().map(|part| match part {
        Part::Text(text) => json!({"text": text}),
        Part::Image(image) => json!({
            "inlineData": {"mimeType": image.format.media_type(), "data": base64(image)},
        }),
    });
    json!({"role": role, "parts": parts.collect::<Value>()})
}

impl Dialect for Gemini {
    fn url(&self) -> &Url {
        &self.url
    }

    fn body(&self, prompt: &Prompt) -> Params {
        let mut body = Params::new();
        if let Some(system) = &prompt.system {
            let system = json!({"parts": [{"text": system}]});
            body.insert("systemInstruction".into(), system);
        }
        body.insert(
            "contents".into(),
            prompt.turns.iter().map(content).collect(),
        );
        body.insert("generationConfig".into(), self.config(prompt));
        body
    }

    fn read(&self, message: &Value, reading: &mut Reading) -> Result<(), Failure> {
        if message.get("error").is_some() {
            return Err(Failure::of_message(message, number(message, "/error/code")));
        }
        if let Some(reason) = text(message, "/promptFeedback/blockReason") {
            reading.finish(Finish::Refusal(format!("the prompt was blocked: {reason}")));
        }
        let candidate = message.pointer("/candidates/0").unwrap_or(&Value::Null);
        let parts = candidate
            .pointer("/content/parts")
            .and_then(Value::as_array);
        for part in parts.into_iter().flatten() {
            if part["thought"].as_bool().unwrap_or(false) {
                reading.instead(Instead::Thoughts);
            } else if part.get("functionCall").is_some() {
                reading.instead(Instead::ToolCall);
            } else if let Some(more) = text(part, "/text") {
                reading.text(more);
            }
        }
        match text(candidate, "/finishReason") {
            Some("STOP") => reading.finish(Finish::Stop),
            Some("MAX_TOKENS") => reading.finish(Finish::Length),
            Some("FINISH_REASON_UNSPECIFIED") | None => {}
            Some(reason) => reading.finish(Finish::Refusal(format!("it was stopped: {reason}"))),
        }
        if let Some(usage) = message.get("usageMetadata") {
            let tokens = |path: &str| number(usage, path).unwrap_or(0);
            reading.count(|count| {
                count.input_tokens = tokens("/promptTokenCount");
                count.output_tokens =
                    tokens("/candidatesTokenCount").saturating_add(tokens("/thoughtsTokenCount"));
                count.cached_tokens = tokens("/cachedContentTokenCount");
            });
        }
        Ok(())
    }
}
