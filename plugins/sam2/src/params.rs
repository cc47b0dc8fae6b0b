//! What a call takes, under the names of the official project. `schema.json` says what each means.

use serde::Deserialize;
use som_torch::generate::Automatic;

/// The parameters of the official generator and predictor.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct CallParams {
    #[serde(flatten)]
    pub automatic: Automatic,
    /// Three masks for a point or an ambiguous prompt instead of one.
    pub multimask_output: bool,
    /// Above which logits a mask is.
    pub mask_threshold: f32,
    /// Without hints: whether masks are told back to the network.
    pub use_m2m: bool,
    /// For hints: holes of at most so many cells of the low-resolution logits are filled.
    pub max_hole_area: u64,
    /// For hints: islands of at most so many are removed.
    pub max_sprinkle_area: u64,
}
