//! What a call takes, under the names of the official project. `schema.json` says what each means.

use serde::Deserialize;
use som_torch::generate::Automatic;

use crate::levels::Levels;

/// The parameters of the official generator and predictor.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct CallParams {
    #[serde(flatten)]
    pub automatic: Automatic,
    pub level: Levels,
    /// The shorter side, in pixels, of the image as the network sees it; as configured if not given.
    pub text_size: Option<u32>,
    #[serde(flatten)]
    pub selection: Selection,
}

/// For hints: which masks of a prompt are kept.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(crate) struct Selection {
    /// All, as they are, if not given.
    pub thresh: Option<f64>,
    /// Holes of fewer pixels are filled in what is kept.
    pub hole_scale: u64,
    /// Islands of fewer pixels are removed from what is kept.
    pub island_scale: u64,
}
