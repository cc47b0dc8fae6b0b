//! Automatic generation: the network as som-torch's generator asks it.
//!
//! The official `SemanticSamAutomaticMaskGenerator` (`tasks/automatic_mask_generator.py`, the same in
//! `microsoft/SoM`) is SAM's, but for four things: a point has the masks of the levels that are asked
//! for, in that order; points of one batch know of each other, so that their number shows in the
//! result; there are no crops; and thresholds of 0 filter, too.

use som_core::{BBox, Call, Result, Size};
use som_torch::{
    generate::Promptable,
    masks::{MaskLogits, Upsampling},
    numbers, torch_error,
};

use crate::{
    encoded::EncodedImage,
    levels::Level,
    network::{DecodedPrompts, Prompt, SemanticSam},
};

/// The network, asked at some levels.
#[derive(Clone, Debug)]
pub(crate) struct AtLevels<'a> {
    pub network: SemanticSam,
    pub levels: &'a [Level],
    pub call: &'a Call<'a>,
}

/// Points after the decoder.
#[derive(Debug)]
pub(crate) struct DecodedPoints {
    decoded: DecodedPrompts,
    /// Point by point, of the masks of the levels.
    ious: Vec<f32>,
}

impl AtLevels<'_> {
    /// The logits of masks, given by prompt and by the place of their level among those asked for,
    /// one after the other.
    pub(crate) fn logits(
        &self,
        decoded: &DecodedPrompts,
        chosen: &[(usize, usize)],
    ) -> Result<MaskLogits> {
        let masks = self.network.config.masks;
        let index = |&(prompt, level): &(usize, usize)| {
            prompt as i64 * masks + self.levels[level].mask() as i64
        };
        let chosen: Vec<i64> = chosen.iter().map(index).collect();
        let copy = |logits: tch::Tensor| {
            let (_, cells) = logits.size2()?;
            let mut numbers = vec![0.0; logits.numel()];
            let count = numbers.len();
            logits.f_copy_data(&mut numbers, count)?;
            Ok(MaskLogits::new(numbers, cells.unsigned_abs() as usize))
        };
        let logits = self.network.prompt_decoder.masks(decoded, &chosen);
        logits.and_then(copy).map_err(torch_error)
    }

    /// Prompts, all of which know of each other, through the decoder.
    ///
    /// # Errors
    /// Cancelled; Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    pub(crate) fn decode_prompts(
        &self,
        image: &EncodedImage,
        prompts: &[Prompt],
    ) -> Result<DecodedPrompts> {
        let decoder = &self.network.prompt_decoder;
        let EncodedImage {
            values,
            mask_features,
            inside,
            padded,
            ..
        } = image;
        let queries = decoder.queries(prompts, *inside, *padded);
        let queries = queries.map_err(torch_error)?;
        let decoded = decoder.forward(queries, values, mask_features, self.call)?;
        if decoded.ious.iter().all(|iou| iou.is_finite()) {
            Ok(decoded)
        } else {
            Err(numbers::none_of("prompt decoder"))
        }
    }

    /// Prompt by prompt, the predicted IoUs of the masks of the levels.
    pub(crate) fn ious_of(&self, decoded: &DecodedPrompts) -> Vec<f32> {
        let masks = self.network.config.masks.unsigned_abs() as usize;
        let prompts = decoded.ious.chunks_exact(masks);
        let of_levels = |ious: &[f32]| {
            let ious = self.levels.iter().map(|level| ious[level.mask()]);
            ious.collect::<Vec<f32>>()
        };
        prompts.flat_map(of_levels).collect()
    }
}

/// A click at x and y, in pixels of an image of this size.
pub(crate) fn prompt([x, y]: [f64; 2], image: Size) -> Prompt {
    let part = |place: f64, extent: u32| (place / f64::from(extent)) as f32;
    Prompt::point(part(x, image.width), part(y, image.height))
}

impl Promptable for AtLevels<'_> {
    type Encoded = EncodedImage;
    type Decoded = DecodedPoints;
    const FILTERS_AT_ZERO: bool = true;

    fn is_on_cpu(&self) -> bool {
        !self.network.compute.is_gpu()
    }

    fn batch(&self, most: usize) -> usize {
        most
    }

    fn decoding_bytes(&self, points: usize) -> u64 {
        // Query by query: fused attention keeps no logits of queries to each other.
        let queries = points as u64 * self.network.config.masks.unsigned_abs();
        4 * queries * self.network.config.queries.activations(1, 0)
    }

    fn decode(&self, image: &EncodedImage, points: &[[f64; 2]]) -> Result<DecodedPoints> {
        let prompt = |&point: &[f64; 2]| prompt(point, image.inside);
        let prompts: Vec<Prompt> = points.iter().map(prompt).collect();
        let decoded = self.decode_prompts(image, &prompts)?;
        Ok(DecodedPoints {
            ious: self.ious_of(&decoded),
            decoded,
        })
    }

    fn ious<'a>(&self, decoded: &'a DecodedPoints) -> Vec<&'a [f32]> {
        decoded.ious.chunks_exact(self.levels.len()).collect()
    }

    fn masks_at_once(&self) -> usize {
        if self.is_on_cpu() { 64 } else { 1024 }
    }

    fn masks(&self, decoded: &DecodedPoints, chosen: &[(usize, usize)]) -> Result<MaskLogits> {
        self.logits(&decoded.decoded, chosen)
    }

    fn upsampling(&self, image: &EncodedImage, _: BBox, _: Size) -> Upsampling {
        image.upsampling()
    }
}
