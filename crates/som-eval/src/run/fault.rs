//! Why a sample has no outcome.

use som_core::{Error, ErrorKind};

/// Why a sample has no outcome.
pub(super) enum Fault {
    /// Nothing could be asked: image or truth are not there, or wrong.
    LeftOut(Error),
    /// What was asked failed.
    Failed(Error),
}

impl Fault {
    /// True if the run was called off.
    pub(super) fn is_cancelled(&self) -> bool {
        let (Self::LeftOut(error) | Self::Failed(error)) = self;
        error.kind() == ErrorKind::Cancelled
    }
}
