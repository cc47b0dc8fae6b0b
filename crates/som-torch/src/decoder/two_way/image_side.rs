//! What the decoder computes of an image alone, once for all prompts.

use tch::Tensor;

use super::fine::FineFeatures;

/// An image as the decoder sees it: its embedding with a mask prompt added, and everything the
/// first layer computes of it alone. `places` are the embedding's, row by row.
#[derive(Debug)]
pub struct ImageSide {
    /// `[places, channels]`
    pub(super) image: Tensor,
    /// The encodings of the places, `[places, channels]`.
    pub(super) places: Tensor,
    /// For the first layer's attention of tokens to image: `[heads, head, places]` and
    /// `[heads, places, head]`.
    pub(super) key: Tensor,
    pub(super) value: Tensor,
    /// For its attention of image to tokens: `[heads, head, places]`.
    pub(super) query: Tensor,
    /// What masks are made with besides.
    pub(super) fine: Option<FineFeatures>,
}

impl ImageSide {
    /// Bytes of memory held.
    pub fn bytes(&self) -> u64 {
        let tensors = [&self.image, &self.key, &self.value, &self.query];
        let own: u64 = tensors.iter().map(|tensor| 4 * tensor.numel() as u64).sum();
        own + self.fine.as_ref().map_or(0, FineFeatures::bytes)
    }
}

impl Clone for ImageSide {
    /// Shares the numbers.
    fn clone(&self) -> Self {
        Self {
            image: self.image.shallow_clone(),
            places: self.places.shallow_clone(),
            key: self.key.shallow_clone(),
            value: self.value.shallow_clone(),
            query: self.query.shallow_clone(),
            fine: self.fine.clone(),
        }
    }
}
