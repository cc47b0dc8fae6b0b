//! What a network is loaded from.

use std::path::Path;

use som_core::Result;

use crate::{Checkpoint, Compute, checkpoint::ConfigFile};

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
}
