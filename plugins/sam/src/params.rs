//! What a call takes, under the names of the official project. `schema.json` says what each means.

use serde::Deserialize;
use som_torch::generate::Automatic;

/// The parameters of the official generator and predictor.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct CallParams {
    #[serde(flatten)]
    pub automatic: Automatic,
    /// For hints: three masks for an ambiguous prompt instead of one.
    pub multimask_output: bool,
}
