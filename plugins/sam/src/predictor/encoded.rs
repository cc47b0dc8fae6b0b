//! An image after the encoder, and places in it.

use som_core::Size;
use som_torch::{
    Encoded,
    decoder::{ImageSide, Meaning, PromptToken},
};
use tch::Tensor;

/// An image after the encoder, ready for prompts. Clones share the numbers.
#[derive(Debug)]
pub struct EncodedImage {
    /// For prompts without a mask.
    pub(crate) side: ImageSide,
    /// `[places, channels]`
    pub(crate) embedding: Tensor,
    /// Of the image.
    pub(crate) size: Size,
    /// Of the image in the square input, at its top left.
    pub(crate) inside: Size,
}

impl Clone for EncodedImage {
    fn clone(&self) -> Self {
        Self {
            side: self.side.clone(),
            embedding: self.embedding.shallow_clone(),
            ..*self
        }
    }
}

impl Encoded for EncodedImage {
    fn bytes(&self) -> u64 {
        self.side.bytes() + 4 * self.embedding.numel() as u64
    }
}

impl EncodedImage {
    /// The prompt of one click at (x, y) in pixels of the image, for a square input of `side`.
    ///
    /// In double precision to the end, as automatic generation of the official project computes.
    pub(crate) fn click(&self, [x, y]: [f64; 2], side: u32) -> Vec<PromptToken> {
        let place = |value: f64, inside: u32, size: u32| {
            ((value * (f64::from(inside) / f64::from(size)) + 0.5) / f64::from(side)) as f32
        };
        let token = PromptToken {
            x: place(x, self.inside.width, self.size.width),
            y: place(y, self.inside.height, self.size.height),
            meaning: Meaning::Foreground,
        };
        vec![token, PromptToken::PADDING]
    }

    /// A point at (x, y) in pixels of the image, for a square input of `side`.
    ///
    /// In single precision from the input's pixels on, as the official predictor computes.
    pub(crate) fn token(&self, x: f64, y: f64, meaning: Meaning, side: u32) -> PromptToken {
        let place = |value: f64, inside: u32, size: u32| {
            ((value * (f64::from(inside) / f64::from(size))) as f32 + 0.5) / side as f32
        };
        PromptToken {
            x: place(x, self.inside.width, self.size.width),
            y: place(y, self.inside.height, self.size.height),
            meaning,
        }
    }
}
