//! Every provider: a file here, and its row in [`ALL`].

mod anthropic;
mod attributes;
mod azure;
mod gemini;
mod openai;
mod row;

use std::fmt;

use serde::{Deserialize, Serialize};
use som_core::{Error, ErrorKind, Result};

use self::row::Provider;
pub(crate) use self::row::{Api, Reach};

/// Every provider there is.
static ALL: [&Provider; 6] = [
    &openai::COMPATIBLE,
    &openai::OPENAI,
    &azure::AZURE,
    &anthropic::ANTHROPIC,
    &gemini::GEMINI,
    &attributes::ATTRIBUTES,
];

/// A kind of server for large multimodal models, as the settings name it.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProviderKind(&'static Provider);

impl ProviderKind {
    /// Every kind.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.into_iter().map(Self)
    }

    /// As the settings have it.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// The environment variable that holds its key, unless the settings name another; `None`, if
    /// it needs no key.
    pub fn key_env(self) -> Option<&'static str> {
        match &self.0.reach {
            Reach::Http(api) => Some(api.key_env).filter(|name| !name.is_empty()),
            Reach::Embedded(_) => None,
        }
    }

    /// How it is reached.
    pub(crate) fn reach(self) -> &'static Reach {
        &self.0.reach
    }
}

/// True for the header of some provider's key, in lower case.
pub(crate) fn is_key_header(name: &str) -> bool {
    ALL.iter().any(|provider| match &provider.reach {
        Reach::Http(api) => api.key_header.0 == name,
        Reach::Embedded(_) => false,
    })
}

impl Default for ProviderKind {
    /// Any server with the interface that most of them have.
    fn default() -> Self {
        Self(&openai::COMPATIBLE)
    }
}

impl TryFrom<String> for ProviderKind {
    type Error = Error;

    /// # Errors
    /// Invalid, listing the kinds there are.
    fn try_from(name: String) -> Result<Self> {
        let kind = Self::all().find(|kind| kind.name() == name);
        let known = Self::all().map(Self::name);
        kind.ok_or_else(|| Error::unknown(ErrorKind::Invalid, "provider", &name, known))
    }
}

impl From<ProviderKind> for String {
    fn from(kind: ProviderKind) -> Self {
        kind.name().to_owned()
    }
}

impl PartialEq for ProviderKind {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl fmt::Debug for ProviderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
