//! Keys, which nothing shows.

use std::{fmt, sync::Arc};

use som_core::{Error, Result};

use crate::settings::LmmSettings;

/// What stands in place of a secret.
const REDACTED: &str = "[secret]";
/// What is shorter may occur anywhere, and protects nothing.
const MIN_SECRET: usize = 6;
/// Longest message of an error in bytes, of what the far side says.
const MAX_MESSAGE: usize = 600;

/// The secrets of one provider, as far as they can be had. Cheap to clone; shows nothing.
#[derive(Clone)]
pub(crate) struct Secrets(Arc<Found>);

struct Found {
    key: Result<Option<String>, String>,
    headers: Vec<(String, Result<String, String>)>,
}

impl Secrets {
    /// Of a provider without any.
    pub(crate) fn none() -> Self {
        Self(Arc::new(Found {
            key: Ok(None),
            headers: Vec::new(),
        }))
    }

    /// What the environment variables that `lmm` names hold; `usual` is the one of its provider,
    /// empty for a provider without keys.
    ///
    /// # Errors
    /// Invalid for what cannot be the name of a variable, and may be a key.
    pub(crate) fn find(
        lmm: &LmmSettings,
        usual: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let name = lmm.api_key_env.as_deref().unwrap_or(usual);
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
    pub(crate) fn key(&self) -> Result<Option<&str>> {
        match &self.0.key {
            Ok(key) => Ok(key.as_deref()),
            Err(why) => Err(Error::invalid(why.clone())),
        }
    }

    /// Further headers and their values.
    ///
    /// # Errors
    /// Invalid, naming the variable that is not set.
    pub(crate) fn headers(&self) -> impl Iterator<Item = Result<(&str, &str)>> {
        self.0.headers.iter().map(|(header, value)| match value {
            Ok(value) => Ok((header.as_str(), value.as_str())),
            Err(why) => Err(Error::invalid(why.clone())),
        })
    }

    /// `text` without the secrets in it.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.all().fold(text.to_owned(), |text, secret| {
            text.replace(secret, REDACTED)
        })
    }

    /// `error` with the name of the model, and without the secrets.
    pub(crate) fn named(&self, lmm: &str, error: &Error) -> Error {
        // Redacted first: half a key would not be found.
        let message = shortened(&self.redact(error.message()));
        Error::new(error.kind(), message).at(format!("lmm \"{lmm}\""))
    }

    /// Where the end of `text` begins that may be the beginning of a secret; its length, if there
    /// is none.
    pub(crate) fn beginning_in(&self, text: &str) -> usize {
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
            .filter(|secret| secret.len() >= MIN_SECRET)
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

/// The beginning of a text, on one line.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.floor_char_boundary(MAX_MESSAGE) {
        end if end < line.len() => format!("{}...", &line[..end]),
        _ => line,
    }
}
