//! The file beside a checkpoint that says what its tensors cannot: the option `config`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;
use som_core::{Error, Result};

/// A JSON file about a network, or the lack of one.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigFile {
    path: PathBuf,
    text: Option<Vec<u8>>,
}

impl ConfigFile {
    /// The file at `given`, which must be there; else the `config.json` beside the checkpoint at
    /// `weights`, which need not.
    ///
    /// # Errors
    /// Unavailable, if the given file is not there, or either cannot be read.
    pub fn open(given: Option<&Path>, weights: &Path) -> Result<Self> {
        let beside = || weights.with_file_name("config.json");
        let path = given.map_or_else(beside, Path::to_owned);
        match fs::read(&path) {
            Ok(text) => Ok(Self {
                path,
                text: Some(text),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound && given.is_none() => {
                Ok(Self { path, text: None })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::unavailable(
                format!("config not found at {}", path.display()),
            )),
            Err(error) => Err(Error::unavailable(format!(
                "config at {} cannot be read: {error}",
                path.display()
            ))),
        }
    }

    /// The file `name` beside the checkpoint at `weights`, or else beside this one; it need not be
    /// there.
    ///
    /// # Errors
    /// Unavailable, if it cannot be read.
    pub fn beside(&self, weights: &Path, name: &str) -> Result<Self> {
        let near = weights.with_file_name(name);
        let path = match near.exists() {
            true => near,
            false => self.path.with_file_name(name),
        };
        match path.exists() {
            true => Self::open(Some(&path), weights),
            false => Ok(Self { path, text: None }),
        }
    }

    /// Where the file is, or would be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is in the file; `None` if there is no file.
    pub fn text(&self) -> Option<&[u8]> {
        self.text.as_deref()
    }

    /// What the file says; `None` if there is no file. `content` tells people what it may hold.
    ///
    /// # Errors
    /// Invalid, if it is no JSON, or does not fit the type.
    pub fn parse<T: DeserializeOwned>(&self, content: &str) -> Result<Option<T>> {
        let parse = |text: &Vec<u8>| {
            serde_json::from_slice(text).map_err(|error| {
                let path = self.path.display();
                Error::invalid(format!("config {path}: {error} (it may hold {content})"))
            })
        };
        self.text.as_ref().map(parse).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use som_core::ErrorKind;

    #[test]
    fn a_file_that_is_asked_for_must_be_there_and_the_usual_one_need_not() {
        let folder = tempfile::tempdir().unwrap();
        let weights = folder.path().join("checkpoint.pth");
        let usual = ConfigFile::open(None, &weights).unwrap();
        assert_eq!(usual.path(), folder.path().join("config.json"));
        assert_eq!(usual.parse::<Value>("anything").unwrap(), None);

        let other = folder.path().join("other.json");
        let error = ConfigFile::open(Some(&other), &weights).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().contains("other.json"), "{error}");

        for (path, given) in [(usual.path(), None), (&*other, Some(&*other))] {
            fs::write(path, r#"{"layers": 3}"#).unwrap();
            let read = ConfigFile::open(given, &weights).unwrap();
            let told = read.parse::<Value>("anything").unwrap();
            assert_eq!(told, Some(json!({"layers": 3})));
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_or_understood_is_named_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let weights = folder.path().join("checkpoint.pth");
        let usual = folder.path().join("config.json");
        fs::create_dir(&usual).unwrap();
        let error = ConfigFile::open(None, &weights).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().contains("cannot be read"), "{error}");

        fs::remove_dir(&usual).unwrap();
        fs::write(&usual, r#"{"layers": "3"}"#).unwrap();
        let read = ConfigFile::open(None, &weights).unwrap();
        type Layers = std::collections::BTreeMap<String, u32>;
        let error = read.parse::<Layers>("layers, a whole number").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        for part in ["config.json", "invalid type", "layers, a whole number"] {
            assert!(error.message().contains(part), "{error}");
        }
    }
}
