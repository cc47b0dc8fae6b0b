//! What every instance takes, whatever its network.

use std::path::PathBuf;

use serde::Deserialize;

use crate::Precision;

/// Where the weights are, where and how precisely they run, and how much is remembered.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Options {
    /// Path of the checkpoint.
    pub weights: Option<PathBuf>,
    /// Path of the file that says what tensors cannot.
    pub config: Option<PathBuf>,
    pub device: String,
    pub precision: Precision,
    /// What images may occupy after the encoder, in MiB.
    pub cache_mib: u64,
}
