//! An image after the encoder, and places in it.

use som_core::Size;
use som_torch::{
    Encoded,
    decoder::{FineFeatures, ImageSide, Meaning, PromptToken},
};
use tch::Tensor;

/// An image after the encoder, ready for prompts. Clones share the numbers.
#[derive(Debug)]
pub struct EncodedImage {
    /// For prompts without a mask.
    pub(crate) side: ImageSide,
    /// `[places, channels]`
    pub(crate) embedding: Tensor,
    pub(crate) fine: Option<FineFeatures>,
    /// Of the image.
    pub(crate) size: Size,
}

impl Clone for EncodedImage {
    fn clone(&self) -> Self {
        Self {
            side: self.side.clone(),
            embedding: self.embedding.shallow_clone(),
            fine: self.fine.clone(),
            size: self.size,
        }
    }
}

impl Encoded for EncodedImage {
    fn bytes(&self) -> u64 {
        self.side.bytes() + 4 * self.embedding.numel() as u64
    }
}

/// A point at (x, y) in pixels of an image, as the network is told it: the image fills the whole square
/// input of `side` pixels.
///
/// In single precision, as the official project computes.
pub(crate) fn token(x: f64, y: f64, meaning: Meaning, image: Size, side: u32) -> PromptToken {
    let place =
        |value: f64, extent: u32| (value as f32 / extent as f32 * side as f32 + 0.5) / side as f32;
    PromptToken {
        x: place(x, image.width),
        y: place(y, image.height),
        meaning,
    }
}
