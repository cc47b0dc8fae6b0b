//! How an outcome came about: what reports show beside the scores.

use serde::{Deserialize, Serialize};
use som_core::{Finish, Usage};

/// How an outcome came about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trace {
    /// The answer's text; empty without a model.
    pub text: String,
    /// The places of it that name marks, in bytes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Named>,
    /// How the answer ended; `None` without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish: Option<Finish>,
    /// Marks that there were.
    pub marks: usize,
    /// Names in the answer that no mark has.
    pub invented: usize,
    /// Requests that were answered.
    pub rounds: u32,
    /// What they took; `None` if the provider does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// What that costs in US dollars, whether it was paid in this run or the answers were on file;
    /// `None` without prices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// Milliseconds until there were regions.
    pub segment_ms: f64,
    /// Milliseconds until they were marked.
    pub mark_ms: f64,
    /// Milliseconds until there was an answer; next to nothing for one that was on file.
    pub answer_ms: f64,
    /// How far several answers agree, in [0, 1]; `None` for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<f64>,
    /// The marked images, beside the results.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// Why there is no answer. Such a sample is asked again when the run goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// A place of an answer that names marks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Where it begins, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// The colour of its first mark, as `#1f77b4`; `None` if it names no mark, or the answer does not
    /// stand by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
}
