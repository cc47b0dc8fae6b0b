//! What keeps a data set or a run from being read: always with the file, and the entry in it.

use std::{io, path::PathBuf};

use som_core::ErrorKind;

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure, or an entry that was left out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A part of a data set is not there.
    #[error(
        "{data}: {} is missing (the data set can be had from {from}; its licence: {licence}; \
         nothing is downloaded for you)",
        .path.display()
    )]
    Missing {
        /// The data set, as people call it.
        data: &'static str,
        /// What is not there.
        path: PathBuf,
        /// Where it can be had.
        from: &'static str,
        /// Under which terms.
        licence: &'static str,
    },
    /// A file that is there cannot be read.
    #[error("{}: cannot be read (see its permissions)", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file, or one entry of it, is not what its format asks for.
    #[error("{}: {entry}: {message}", .file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// Where in it, such as `annotation 17` or `line 3`.
        entry: String,
        /// What is wrong, and what to do.
        message: String,
    },
    /// What was asked for is not possible.
    #[error("{0}")]
    Invalid(String),
}

impl Error {
    /// `entry` of `file` is wrong.
    #[allow(clippy::needless_pass_by_value, reason = "for map_err")]
    pub(crate) fn malformed(
        file: impl Into<PathBuf>,
        entry: impl Into<String>,
        message: impl ToString,
    ) -> Self {
        Self::Malformed {
            file: file.into(),
            entry: entry.into(),
            message: message.to_string(),
        }
    }

    /// What a caller can act on.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Missing { .. } => ErrorKind::NotFound,
            Self::Unreadable { .. } => ErrorKind::Unavailable,
            Self::Malformed { .. } | Self::Invalid(_) => ErrorKind::Invalid,
        }
    }
}

impl From<Error> for som_core::Error {
    fn from(error: Error) -> Self {
        let (kind, message) = (error.kind(), error.to_string());
        match error {
            Error::Unreadable { source, .. } => {
                som_core::Error::new(kind, message).caused_by(source)
            }
            _ => som_core::Error::new(kind, message),
        }
    }
}
