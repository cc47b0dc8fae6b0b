//! OpenAI's Chat Completions, as OpenAI, Azure and many other servers speak it.
//!
//! Source: OpenAI, *API reference*, Chat Completions; Microsoft, *Azure OpenAI REST API
//! reference*.

use reqwest::Url;
use serde_json::{Value, json};
use som_core::{Finish, Params, Part, Prompt, Result, Role, Turn};

use super::{Dialect, Model, address, base64, number, text};
use crate::{
    lmm::{
        reading::Reading,
        retry::Failure,
        transport::{explanation, of_message},
    },
    settings::{LmmSettings, ProviderKind},
};

/// The version of Azure's interface that has structured answers.
const AZURE_VERSION: &str = "2024-10-21";

pub(super) struct OpenAi {
    model: Model,
    url: Url,
    provider: ProviderKind,
}

impl OpenAi {
    pub(super) fn new(model: Model, lmm: &LmmSettings) -> Result<Self> {
        let provider = lmm.provider;
        let completions = ["chat", "completions"];
        let url = if provider == ProviderKind::Azure {
            let path = ["openai", "deployments", &model.name];
            let mut url = address(lmm, "", &[&path[..], &completions].concat())?;
            let version = match lmm.api_version.as_str() {
                "" => AZURE_VERSION,
                version => version,
            };
            url.query_pairs_mut().append_pair("api-version", version);
            url
        } else {
            let usual = match provider {
                ProviderKind::OpenAi => "https://api.openai.com/v1",
                _ => "",
            };
            address(lmm, usual, &completions)?
        };
        Ok(Self {
            model,
            url,
            provider,
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

    fn headers(&self, key: Option<&str>) -> Vec<(&'static str, String)> {
        let key = key.map(|key| match self.provider {
            ProviderKind::Azure => ("api-key", key.to_owned()),
            _ => ("authorization", format!("Bearer {key}")),
        });
        key.into_iter().collect()
    }

    fn body(&self, prompt: &Prompt) -> Params {
        let system = prompt.system.iter();
        let system = system.map(|text| json!({"role": "system", "content": text}));
        let turns = prompt.turns.iter().map(|turn| self.message(turn));
        let mut body = Params::new();
        body.insert("model".into(), json!(self.model.name));
        body.insert("messages".into(), system.chain(turns).collect());
        // OpenAI's reasoning models refuse the older name, other servers do not know the newer.
        let limit = match self.provider {
            ProviderKind::OpenAiCompatible => "max_tokens",
            _ => "max_completion_tokens",
        };
        let max_tokens = self.model.limit(prompt);
        body.insert(limit.into(), json!(max_tokens));
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
            let why = explanation(message).unwrap_or_else(|| error.to_string());
            return Err(of_message(&why, number(error, "/code")));
        }
        let choice = message.pointer("/choices/0").unwrap_or(&Value::Null);
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
