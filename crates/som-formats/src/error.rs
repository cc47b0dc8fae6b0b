//! What is wrong with a file of regions.

use som_core::{Error, ErrorKind, Size};

use crate::{Format, MAX_ENTRIES};

/// What is wrong with a file of regions; whoever opened the file puts its name in front.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// It is none of the formats.
    #[error("no known format: looked for {}", Format::list())]
    Unrecognised,
    /// It is not what its format says, at a place in its text. Lines and columns count from 1.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
        /// What was met or expected there.
        message: String,
    },
    /// One entry is wrong.
    #[error("{place}: {message}")]
    Entry {
        /// Where the entry stands: `annotations[3]`, `line 7`.
        place: String,
        /// What is wrong with it.
        message: String,
    },
    /// The mask of an entry cannot be made.
    #[error("{place}: {error}")]
    Mask {
        /// Where the entry stands.
        place: String,
        /// Why not.
        error: Error,
    },
    /// It is about an image of another size.
    #[error(
        "{place} belongs to an image of {found}, but this one has {image} pixels (sizes are those of \
         the image upright, as EXIF has it)"
    )]
    OtherSize {
        /// What has that size: an entry, or the file.
        place: String,
        /// Its size.
        found: Size,
        /// The image's.
        image: Size,
    },
    /// It has more entries than an image has room for.
    #[error("there are more than {MAX_ENTRIES} entries for one image")]
    TooMany,
    /// Its masks take too much memory.
    #[error("{place}: with it, the masks have more than {limit} runs of pixels")]
    TooLarge {
        /// The entry that was too much.
        place: String,
        /// The most that is taken.
        limit: usize,
    },
    /// It tells images apart, and this one is not among them, or more than once.
    #[error("{message}")]
    NoImage {
        /// The names that it has.
        message: String,
    },
    /// It lacks something as a whole.
    #[error("{0}")]
    Structure(String),
}

impl FormatError {
    pub(crate) fn entry(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Entry {
            place: place.into(),
            message: message.into(),
        }
    }

    /// What a caller can act on.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Mask { error, .. } => error.kind(),
            Self::TooMany | Self::TooLarge { .. } => ErrorKind::Exhausted,
            Self::NoImage { .. } => ErrorKind::NotFound,
            _ => ErrorKind::Invalid,
        }
    }
}

impl From<FormatError> for Error {
    fn from(error: FormatError) -> Self {
        Self::new(error.kind(), error.to_string())
    }
}
