//! One line of the catalogue: a file of weights, and where its official copy is.

use std::path::Path;

use serde::{Deserialize, Serialize};
use som_core::{Error, Named, Result};

/// A file of weights, and where its official copy is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The segmenter that reads it.
    pub segmenter: String,
    /// One line for people.
    #[serde(default)]
    pub about: String,
    /// SPDX identifier, or what comes closest; empty if it is not known.
    #[serde(default)]
    pub licence: String,
    /// `http://` or `https://`.
    pub url: String,
    /// Bytes, if known.
    pub size: Option<u64>,
    /// SHA-256 in hexadecimal digits, if known.
    pub sha256: Option<String>,
}

impl Checkpoint {
    /// Refuses what cannot be fetched, checked or kept under `name`.
    pub(super) fn check(&self, name: &str) -> Result<()> {
        Named::Checkpoint.check("the name", name)?;
        if !self.url.starts_with("https://") && !self.url.starts_with("http://") {
            return Err(Error::invalid(format!(
                "url is {:?}, but must begin with https:// or http://",
                self.url
            )));
        }
        let is_digest = |text: &String| {
            text.len() == 64 && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
        };
        if !self.sha256.as_ref().is_none_or(is_digest) {
            return Err(Error::invalid(
                "sha256 must be 64 hexadecimal digits in lower case",
            ));
        }
        Ok(())
    }

    /// What its file is called in the cache: its name with the ending that the official file has,
    /// since that tells formats apart.
    pub(super) fn file_name(&self, name: &str) -> String {
        let path = self.url.split(['?', '#']).next().unwrap_or_default();
        let ending = Path::new(path)
            .extension()
            .and_then(|ending| ending.to_str())
            .filter(|ending| ending.chars().all(|c| c.is_ascii_alphanumeric()));
        match ending {
            Some(ending) => format!("{name}.{ending}"),
            None => name.to_owned(),
        }
    }
}
