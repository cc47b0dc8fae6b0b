//! OpenAI's models on Microsoft Azure: the same messages at another address, a deployment's.
//!
//! Source: Microsoft, *Azure OpenAI REST API reference*.

use super::{
    openai::{MAX_COMPLETION_TOKENS, OpenAi},
    row::{Api, Provider, Reach},
};
use crate::dialect::{Dialect, Model};

pub(super) static AZURE: Provider = Provider {
    name: "azure",
    reach: Reach::Http(Api {
        base_url: "",
        key_env: "AZURE_OPENAI_API_KEY",
        key_header: ("api-key", ""),
        structured: true,
        dialect,
    }),
};

/// The version of the interface that has structured answers.
const VERSION: &str = "2024-10-21";

fn dialect(model: Model) -> Box<dyn Dialect> {
    let deployment = ["openai", "deployments", &model.name, "chat", "completions"];
    let mut url = model.url(&deployment);
    let version = match model.api_version.as_str() {
        "" => VERSION,
        version => version,
    };
    url.query_pairs_mut().append_pair("api-version", version);
    Box::new(OpenAi {
        model,
        url,
        max_tokens: MAX_COMPLETION_TOKENS,
    })
}
