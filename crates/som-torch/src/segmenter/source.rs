//! What a network is loaded from.

use std::path::Path;

use serde::de::DeserializeOwned;
use som_core::{Error, Result};

use crate::{
    Checkpoint, Compute,
    checkpoint::{ConfigFile, foreign, other_family},
};

/// The files of a network, and where it is to run.
#[derive(Debug)]
pub struct Source {
    /// The option `weights`: the tensors.
    pub checkpoint: Checkpoint,
    /// The option `config`: what tensors cannot say.
    pub config: ConfigFile,
    /// The options `device` and `precision`.
    pub compute: Compute,
}

impl Source {
    /// The checkpoint at `weights`, with `config` or else the `config.json` beside it.
    ///
    /// # Errors
    /// As of [`Checkpoint::open`] and [`ConfigFile::open`].
    pub fn open(weights: &Path, config: Option<&Path>, compute: Compute) -> Result<Self> {
        Ok(Self {
            config: ConfigFile::open(config, weights)?,
            checkpoint: Checkpoint::open(weights)?,
            compute,
        })
    }

    /// What the config file tells of a `network`, such as `Mask DINO`; `None`, if there is no file.
    /// `content` tells people what it may hold.
    ///
    /// # Errors
    /// Invalid, if the checkpoint holds another network, whose config would make no sense here;
    /// as [`ConfigFile::parse`].
    pub fn told<T: DeserializeOwned>(&self, network: &str, content: &str) -> Result<Option<T>> {
        match other_family(&self.checkpoint, network) {
            Some(error) => Err(error),
            None => self.config.parse(content),
        }
    }

    /// The sizes that `read` makes of the tensors and of what the config file told.
    ///
    /// # Errors
    /// Invalid: the checkpoint holds no `network`, such as `Mask DINO`, or, if sizes can be read
    /// without what the file told, the file does not fit the checkpoint.
    pub fn sizes<T: Default, S>(
        &self,
        network: &str,
        told: &T,
        read: impl Fn(&T) -> Result<S>,
    ) -> Result<S> {
        read(told).map_err(|error| match read(&T::default()) {
            Ok(_) => self.misfit(error.message()),
            Err(_) => foreign(&self.checkpoint, network, error.message()),
        })
    }

    /// The error that the config file does not fit the checkpoint.
    pub fn misfit(&self, why: &str) -> Error {
        Error::invalid(format!(
            "config {} does not fit checkpoint {}: {why}",
            self.config.path().display(),
            self.checkpoint.path().display()
        ))
    }
}
