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
    ///
    /// # Errors
    /// Invalid for what cannot be the name of a variable, and may be a key.
    pub(super) fn find(
        lmm: &LmmSettings,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let named = lmm.api_key_env.as_deref();
        let name = named.unwrap_or_else(|| usual_variable(lmm.provider));
        check_name("api_key_env", name)?;
        for (header, name) in &lmm.header_env {
            check_name(&format!("header_env.{header}"), name)?;
        }
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
        Ok(Self(Arc::new(Found {
            key,
            headers: headers.collect(),
        })))
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
        self.all()
            .fold(text.to_owned(), |text, secret| text.replace(secret, HIDDEN))
    }

    /// Where the end of `text` begins that may be the beginning of a secret; its length, if there
    /// is none.
    pub(super) fn beginning_in(&self, text: &str) -> usize {
        let longest = self.all().map(str::len).max().unwrap_or(0);
        let first = text.ceil_char_boundary(text.len().saturating_sub(longest));
        let ends = text[first..].char_indices().map(|(at, _)| first + at);
        ends.into_iter()
            .find(|&at| self.all().any(|secret| secret.starts_with(&text[at..])))
            .unwrap_or(text.len())
    }

    /// Those that are long enough to be told from other text.
    fn all(&self) -> impl Iterator<Item = &str> {
        let key = self.0.key.iter().flatten();
        let headers = self.0.headers.iter().flat_map(|(_, value)| value);
        key.chain(headers)
            .map(String::as_str)
            .filter(|secret| secret.len() >= SHORTEST)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

/// What is no name is not told: it may be the key itself.
fn check_name(setting: &str, name: &str) -> Result<()> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.chars().all(is_part) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{setting} is not the name of an environment variable (put the key into a variable, and name that here)"
    )))
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
