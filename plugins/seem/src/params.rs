//! What a call takes. `schema.json` says what each means.

use serde::Deserialize;
use som_torch::text::Classes;

/// What one call takes. `None`: what the configuration says.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct CallParams {
    pub classes: Option<Classes>,
    /// Which of the classes are things.
    pub things: Option<Vec<String>>,
    pub object_mask_threshold: Option<f32>,
    pub overlap_threshold: Option<f64>,
    /// The shorter side, in pixels, of the image as the network sees it.
    pub text_size: Option<u32>,
    /// Of what is drawn at random for hints.
    pub seed: Option<i64>,
}
