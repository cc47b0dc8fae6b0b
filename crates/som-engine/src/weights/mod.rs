//! Weights of learned segmenters: a catalogue of official checkpoints, and the folder on this
//! machine where those that were fetched are kept.

mod checkpoint;
mod digest;
mod download;

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use som_core::{Error, ErrorKind, Params, Result};

pub use self::{checkpoint::Checkpoint, download::Progress};

const CATALOG: &str = include_str!("catalog.toml");

/// `[models]`: where checkpoints are kept, and which there are beside the official ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightSettings {
    /// The folder; empty for `som/models` in the user's cache folder.
    pub folder: PathBuf,
    /// Further checkpoints by name, or other addresses for those of the catalogue.
    #[serde(default)]
    pub checkpoint: BTreeMap<String, Checkpoint>,
}

/// The catalogue and the folder.
#[derive(Clone, Debug)]
pub struct Weights {
    folder: PathBuf,
    catalog: BTreeMap<String, Checkpoint>,
}

/// What a check of a checkpoint on this machine can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// It is the file that the catalogue means.
    Exact,
    /// The catalogue has no digest to compare with.
    Unknown,
}

/// Puts the path of a checkpoint in place of its name, where an option `weights` names one.
///
/// # Errors
/// As [`Weights::open`] and [`Weights::resolve`].
pub(crate) fn find(options: &mut Params, settings: &WeightSettings) -> Result<()> {
    if let Some(Value::String(weights)) = options.get_mut("weights") {
        let path = Weights::open(settings)?.resolve(weights)?;
        *weights = path.to_string_lossy().into_owned();
    }
    Ok(())
}

impl Weights {
    /// The built-in catalogue with the entries of `settings` over it.
    ///
    /// # Errors
    /// Invalid, if an entry is malformed or no cache folder is known.
    pub fn open(settings: &WeightSettings) -> Result<Self> {
        let mut catalog: BTreeMap<String, Checkpoint> =
            toml::from_str(CATALOG).map_err(|error| {
                Error::internal("the catalogue of checkpoints is malformed").caused_by(error)
            })?;
        for (name, checkpoint) in &settings.checkpoint {
            checkpoint
                .check(name)
                .map_err(|error| error.at(format!("settings: models.checkpoint.{name}")))?;
            catalog.insert(name.clone(), checkpoint.clone());
        }
        let folder = if settings.folder.as_os_str().is_empty() {
            cache_folder()?.join("som/models")
        } else {
            settings.folder.clone()
        };
        Ok(Self { folder, catalog })
    }

    /// Every checkpoint by name.
    pub fn catalog(&self) -> impl Iterator<Item = (&str, &Checkpoint)> {
        self.catalog
            .iter()
            .map(|(name, checkpoint)| (name.as_str(), checkpoint))
    }

    /// The checkpoint's file, if it is on this machine.
    ///
    /// # Errors
    /// NotFound for a name the catalogue does not have.
    pub fn path(&self, name: &str) -> Result<Option<PathBuf>> {
        let (_, path) = self.find(name)?;
        Ok(Some(path).filter(|path| path.is_file()))
    }

    /// The file that the option `weights` of a segmenter means: that of a name in the catalogue,
    /// else `weights` itself is the path.
    ///
    /// # Errors
    /// NotFound, if the catalogue's file is not on this machine, or `weights` is neither a name
    /// nor looks like a path.
    pub fn resolve(&self, weights: &str) -> Result<PathBuf> {
        if self.catalog.contains_key(weights) {
            return self.path(weights)?.ok_or_else(|| {
                Error::not_found(format!(
                    "weights {weights:?} are not on this machine (fetch them: som models pull {weights})"
                ))
            });
        }
        let path = Path::new(weights);
        let is_bare = path.extension().is_none() && path.components().count() == 1;
        if is_bare && !weights.is_empty() && !path.exists() {
            return Err(self.unknown("weights", weights));
        }
        Ok(path.to_owned())
    }

    /// Fetches a checkpoint unless it is there, and gives its file. What an interrupted run left
    /// behind is used; the file appears under its name when it is complete and has its digest.
    ///
    /// # Errors
    /// NotFound for an unknown name or if the server does not have the file; Unavailable if the
    /// server cannot be reached, breaks off again and again, or sends another file; Exhausted if
    /// there is no room for it; Invalid if the folder cannot be written to.
    pub async fn pull(&self, name: &str, progress: impl FnMut(Progress)) -> Result<PathBuf> {
        let (checkpoint, path) = self.find(name)?;
        if !path.is_file() {
            download::download(checkpoint, &path, progress)
                .await
                .map_err(|error| error.at(who(name)))?;
        }
        Ok(path)
    }

    /// Reads a checkpoint on this machine again and compares it with the catalogue. Blocks.
    ///
    /// # Errors
    /// NotFound for an unknown name or if it is not on this machine; Invalid if it is another file.
    pub fn verify(&self, name: &str) -> Result<Verified> {
        let (checkpoint, path) = self.find(name)?;
        if !path.is_file() {
            return Err(Error::not_found(format!(
                "is not on this machine (fetch it: som models pull {name})"
            ))
            .at(who(name)));
        }
        let Some(expected) = &checkpoint.sha256 else {
            return Ok(Verified::Unknown);
        };
        let found = digest::of_file(&path).map_err(|error| {
            Error::unavailable(format!("{} cannot be read", path.display()))
                .caused_by(error)
                .at(who(name))
        })?;
        if found == *expected {
            return Ok(Verified::Exact);
        }
        Err(Error::invalid(format!(
            "{} has SHA-256 {found}, expected {expected} (remove it, then: som models pull {name})",
            path.display()
        ))
        .at(who(name)))
    }

    /// An entry, and where its file is or would be.
    fn find(&self, name: &str) -> Result<(&Checkpoint, PathBuf)> {
        let checkpoint = self
            .catalog
            .get(name)
            .ok_or_else(|| self.unknown("checkpoint", name))?;
        Ok((checkpoint, self.folder.join(checkpoint.file_name(name))))
    }

    fn unknown(&self, what: &str, name: &str) -> Error {
        let known = self.catalog.keys().map(String::as_str);
        Error::unknown(ErrorKind::NotFound, what, name, known)
    }
}

fn who(name: &str) -> String {
    format!("checkpoint {name:?}")
}

/// The user's cache folder, after the XDG base directory specification.
fn cache_folder() -> Result<PathBuf> {
    let xdg = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    xdg.filter(|path| path.is_absolute())
        .or_else(|| Some(env::home_dir()?.join(".cache")))
        .ok_or_else(|| Error::invalid("no cache folder is known (set models.folder, or HOME)"))
}
