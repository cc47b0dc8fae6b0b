//! What is told of a file that was read although it is odd.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Something a person should know of an image file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageNote {
    /// What it is about.
    pub kind: ImageNoteKind,
    /// In words: in lower case, without a final dot.
    pub text: String,
}

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageNoteKind {
    /// Bytes between the parts of the file belong to none of them, and were passed over.
    StrayBytes,
    /// The mark of the file's end is missing; all pixels are there.
    EndMissing,
    /// A checksum is wrong; the pixels may be, too.
    WrongChecksum,
    /// The EXIF orientation is not written as it should be, and was followed.
    OddOrientation,
    /// Fewer than a sixteenth of the possible shades are used: much looks alike.
    NarrowRange,
    /// Shades were stretched to the whole range.
    Stretched,
    /// The file does not say which number is white; this one was taken.
    WhiteChosen,
    /// Transparent parts are shown on something else than white, on which little would be seen.
    Background,
    /// Transparent parts are shown on white.
    Transparency,
    /// Frames or pages beside the first were left out.
    FurtherFrames,
    /// The colour profile was left out: it does not describe the colours of the pixels, or cannot be
    /// used.
    ProfileLeftOut,
}

impl ImageNoteKind {
    /// Every kind, for tables that must be total.
    pub const ALL: [Self; 11] = [
        Self::StrayBytes,
        Self::EndMissing,
        Self::WrongChecksum,
        Self::OddOrientation,
        Self::NarrowRange,
        Self::Stretched,
        Self::WhiteChosen,
        Self::Background,
        Self::Transparency,
        Self::FurtherFrames,
        Self::ProfileLeftOut,
    ];
}

impl ImageNote {
    pub(super) fn new(kind: ImageNoteKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }

    /// The end of the file is not marked.
    pub(super) fn end_missing() -> Self {
        Self::new(
            ImageNoteKind::EndMissing,
            "the file's end is missing, but all rows are there",
        )
    }
}

impl fmt::Display for ImageNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
