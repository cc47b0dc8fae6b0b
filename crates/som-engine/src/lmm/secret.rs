//! Keys, which nothing shows.

use std::{fmt, sync::Arc};

use som_core::{Error, Result};

use crate::settings::{LmmSettings, ProviderKind};

/// What stands in place of a secret.
const HIDDEN: &str = "[secret]";
/// What is shorter may occur anywhere, and protects nothing.
const SHORTEST: usize = 6;

/// The secrets of one provider, as far as they can be had. Cheap to clone; shows nothing.
#[derive(Clone)]
pub(super) struct Secrets(Arc<Found>);

struct Found {
    key: Result<Option<String>, String>,
    headers: Vec<(String, Result<String, String>)>,
}

impl Secrets {
    /// What the environment variables that `lmm` names hold.
    pub(super) fn find(lmm: &LmmSettings, variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let named = lmm.api_key_env.as_deref();
        let name = named.unwrap_or_else(|| usual_variable(lmm.provider));
        let find = |name: &str| {
            let value = variable(name).map(|value| value.trim().to_owned());
            value.filter(|value| !value.is_empty()).ok_or_else(|| {
                format!("environment variable {name}, which holds its key, is not set")
            })
        };
        let key = match name {
            "" => Ok(None),
            name => find(name).map(Some),
        };
        let headers = lmm.header_env.iter();
        let headers = headers.map(|(header, name)| (header.clone(), find(name)));
        Self(Arc::new(Found {
            key,
            headers: headers.collect(),
        }))
    }

    /// The key; `None` for a server that asks for none.
    ///
    /// # Errors
    /// Invalid, naming the variable that is not set.
    pub(super) fn key(&self) -> Result<Option<&str>> {
        match &self.0.key {
            Ok(key) => Ok(key.as_deref()),
            Err(why) => Err(Error::invalid(why.clone())),
        }
    }

    /// Further headers and their values.
    ///
    /// # Errors
    /// Invalid, naming the variable that is not set.
    pub(super) fn headers(&self) -> impl Iterator<Item = Result<(&str, &str)>> {
        self.0.headers.iter().map(|(header, value)| match value {
            Ok(value) => Ok((header.as_str(), value.as_str())),
            Err(why) => Err(Error::invalid(why.clone())),
        })
    }

    /// `text` without the secrets in it.
    pub(super) fn hide(&self, text: &str) -> String {
        let key = self.0.key.iter().flatten();
        let headers = self.0.headers.iter().flat_map(|(_, value)| value);
        key.chain(headers)
            .filter(|secret| secret.len() >= SHORTEST)
            .fold(text.to_owned(), |text, secret| text.replace(secret, HIDDEN))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

/// Where a provider's own tools look for its key.
const fn usual_variable(provider: ProviderKind) -> &'static str {
    match provider {
        ProviderKind::OpenAi => "OPENAI_API_KEY",
        ProviderKind::Azure => "AZURE_OPENAI_API_KEY",
        ProviderKind::Anthropic => "ANTHROPIC_API_KEY",
        ProviderKind::Gemini => "GEMINI_API_KEY",
        ProviderKind::OpenAiCompatible | ProviderKind::Attributes => "",
    }
}
