//! What a call takes. `schema.json` says what each means.

use serde::Deserialize;
use som_torch::text::Classes;

/// What one call takes. `None`: what the configuration says.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct CallParams {
    pub task: Task,
    pub classes: Option<Classes>,
    /// Which of the classes are things.
    pub things: Option<Vec<String>>,
    pub template: Option<Template>,
    pub object_mask_threshold: Option<f32>,
    pub overlap_threshold: Option<f64>,
    pub detections_per_image: Option<u32>,
    pub resize_short_side: Option<u32>,
    pub max_size: Option<u32>,
}

/// What regions are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Task {
    /// Parts of the image that do not overlap: each thing one, and each kind of stuff.
    Panoptic,
    /// Things, the surest first.
    Instance,
    /// All pixels of each class.
    Semantic,
    /// The boxes of things, the surest first.
    Detection,
}

/// How names are put to the text encoder.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Template {
    /// All in the same sentence.
    One(String),
    /// Each in its own.
    Each(Vec<String>),
}
