//! `[lmm.NAME]`: a large multimodal model, and how it is reached.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use som_core::{Params, Prices};

use crate::{millis, provider::ProviderKind};

/// A large multimodal model, and how it is reached. Keys are never values, but names of
/// environment variables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LmmSettings {
    /// The kind of server.
    pub provider: ProviderKind,
    /// The model's name, as the server knows it.
    pub model: String,
    /// Where the server is; empty for the provider's own address.
    pub base_url: String,
    /// Environment variable that holds the key; `None` for the provider's usual one, empty for no
    /// key at all.
    pub api_key_env: Option<String>,
    /// Version of the interface, where the provider asks for one (Azure).
    pub api_version: String,

    /// The model takes images; `None` for what is known of it, else true.
    pub vision: Option<bool>,
    /// The server answers by a JSON schema; `None` for what is usual with the provider.
    pub structured: Option<bool>,
    /// Most tokens of prompt and answer together, if known.
    pub context_tokens: Option<u64>,
    /// What tokens cost, if known.
    pub prices: Option<Prices>,
    /// Which rules for images it follows; empty for those of its name.
    pub family: String,
    /// What is different from these rules: keys of [`ImagePolicy`](som_core::ImagePolicy).
    pub images: Params,

    /// Answers are asked for piece by piece.
    pub stream: bool,
    /// Most tokens of an answer, where the prompt does not say.
    pub max_tokens: u32,
    /// Most bytes of an answer's text; what comes after is not read.
    pub answer_bytes: usize,
    /// Further fields of every request's body.
    pub body: Params,
    /// Further headers of every request. No secrets: those go to `header_env`.
    pub headers: BTreeMap<String, String>,
    /// Further headers, by the environment variables that hold their values.
    pub header_env: BTreeMap<String, String>,

    /// File of certificates (PEM) that are trusted beside the system's; empty for none.
    pub certificates: PathBuf,

    /// Requests a minute that are sent at most; 0 for no limit.
    pub requests_per_minute: u32,
    /// How often a request is sent again after a failure that may pass.
    pub retries: u32,
    /// How long to wait before the first of these; each further wait is twice as long.
    #[serde(rename = "backoff_ms", with = "millis")]
    pub backoff: Duration,
    /// How long a connection may take.
    #[serde(rename = "connect_ms", with = "millis")]
    pub connect: Duration,
    /// How long the answer's first byte may take.
    #[serde(rename = "first_byte_ms", with = "millis")]
    pub first_byte: Duration,
    /// How long the answer may pause.
    #[serde(rename = "idle_ms", with = "millis")]
    pub idle: Duration,
    /// How long everything may take, retries included.
    #[serde(rename = "total_ms", with = "millis")]
    pub total: Duration,

    /// Folder where answers are recorded; empty for none.
    pub record: PathBuf,
    /// Folder from which recorded answers are given, and nothing is sent; empty for none.
    pub replay: PathBuf,
}

impl Default for LmmSettings {
    fn default() -> Self {
        Self {
            provider: ProviderKind::default(),
            model: String::new(),
            base_url: String::new(),
            api_key_env: None,
            api_version: String::new(),
            vision: None,
            structured: None,
            context_tokens: None,
            prices: None,
            family: String::new(),
            images: Params::new(),
            stream: true,
            max_tokens: 4096,
            answer_bytes: 1 << 20,
            body: Params::new(),
            headers: BTreeMap::new(),
            header_env: BTreeMap::new(),
            certificates: PathBuf::new(),
            requests_per_minute: 0,
            retries: 3,
            backoff: Duration::from_millis(500),
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(120),
            idle: Duration::from_secs(60),
            total: Duration::from_secs(300),
            record: PathBuf::new(),
            replay: PathBuf::new(),
        }
    }
}
