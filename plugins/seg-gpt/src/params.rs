//! What a call takes. `schema.json` says what each means.

use serde::Deserialize;

/// The parameters, under the names of Hugging Face's form where it has them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct CallParams {
    /// Classes that the masks of examples tell apart; `None` for one thing.
    pub num_labels: Option<u8>,
    pub embedding_type: EmbeddingType,
    /// From which brightness on a pixel belongs to the one thing.
    pub threshold: u8,
}

/// What the network is told that the examples are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EmbeddingType {
    /// A thing.
    Instance,
    /// A class.
    Semantic,
}
