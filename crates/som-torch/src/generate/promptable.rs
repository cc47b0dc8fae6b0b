//! What automatic generation needs of a network.

use som_core::{BBox, Result, Size};

use crate::masks::{MASK_THRESHOLD, MaskLogits, Upsampling};

/// A network that answers each point with masks and with what it thinks of them.
///
/// May be the network, or the network with what one call chose of it. Each thread computes with a
/// clone, which shares the numbers.
pub trait Promptable: Clone + Send {
    /// An image after the encoder.
    type Encoded: Clone + Send;

    /// Points after the decoder, before their masks are made.
    type Decoded;

    /// Whether a threshold of 0 filters, too. SAM's generator then leaves the filter out.
    const FILTERS_AT_ZERO: bool = false;

    /// Above which logits a mask is.
    fn mask_threshold(&self) -> f32 {
        MASK_THRESHOLD
    }

    /// True without a GPU: then each core decodes batches of its own.
    fn is_on_cpu(&self) -> bool;

    /// How many points to decode at a time, where the call allows `most`.
    fn batch(&self, most: usize) -> usize;

    /// Bytes of memory that it takes to decode so many points at a time.
    fn decoding_bytes(&self, points: usize) -> u64;

    /// Runs the decoder on points, in pixels of the image (or crop) that was encoded.
    ///
    /// # Errors
    /// Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    fn decode(&self, image: &Self::Encoded, points: &[[f64; 2]]) -> Result<Self::Decoded>;

    /// Point by point, the predicted IoU of each of its masks.
    fn ious<'a>(&self, decoded: &'a Self::Decoded) -> Vec<&'a [f32]>;

    /// About how many masks to make at a time.
    fn masks_at_once(&self) -> usize {
        usize::MAX
    }

    /// The logits of the chosen masks, each a point and one of its masks: all chosen masks of a point
    /// one after the other.
    ///
    /// # Errors
    /// Exhausted, if memory runs out.
    fn masks(&self, decoded: &Self::Decoded, chosen: &[(usize, usize)]) -> Result<MaskLogits>;

    /// How logits cover the image that was encoded: `crop` of an image of size `size`.
    fn upsampling(&self, image: &Self::Encoded, crop: BBox, size: Size) -> Upsampling;
}
