//! What a segmenter or mark style says about itself.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who a segmenter or mark style is, what it can do, and the options and parameters it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Descriptor {
    /// `[a-z0-9-]+`.
    pub id: String,
    /// Semantic version.
    pub version: String,
    /// One line for people.
    pub about: String,
    /// What a segmenter takes and gives; empty for mark styles.
    pub capabilities: Vec<Capability>,
    /// JSON Schema of what a new instance takes, such as `weights` and `device`.
    pub options: Value,
    /// JSON Schema of what one call takes.
    pub params: Value,
}

/// What a segmenter takes and gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    /// Segments everything without hints.
    Automatic,
    /// Takes point hints.
    Points,
    /// Takes box hints.
    Boxes,
    /// Takes stroke or mask hints.
    Masks,
    /// Takes a text hint.
    Text,
    /// Gives class names.
    Labels,
    /// Has a granularity slider, `level`.
    Levels,
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
