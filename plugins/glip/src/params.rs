//! What a call takes. `schema.json` says what each means.

use serde::Deserialize;
use som_torch::text::Classes;

/// What one call takes. `None`: what the configuration says.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct CallParams {
    pub classes: Option<Classes>,
    pub phrases: Option<Vec<String>>,
    pub threshold: f32,
    pub resize_short_side: Option<u32>,
    pub max_size: Option<u32>,
}
