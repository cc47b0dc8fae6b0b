//! Points of automatic generation: batches of clicks, each answered with masks for an ambiguous
//! prompt.

use som_core::{BBox, Result, Size};
use som_torch::{
    generate::Promptable,
    masks::{MaskLogits, Upsampling},
    torch_error,
};

use super::{DecodedPrompts, EncodedImage, Predictor};

impl Promptable for Predictor {
    type Encoded = EncodedImage;
    type Decoded = DecodedPrompts;

    fn is_on_cpu(&self) -> bool {
        !self.compute.is_gpu()
    }

    /// On the CPU as many as its cache holds. Points do not see each other.
    fn batch(&self, most: usize) -> usize {
        most.min(if self.is_on_cpu() { 8 } else { 64 })
    }

    fn decoding_bytes(&self, points: usize) -> u64 {
        size_of::<f32>() as u64 * points as u64 * self.sam.config.decoder.activations()
    }

    fn decode(&self, image: &EncodedImage, points: &[[f64; 2]]) -> Result<DecodedPrompts> {
        let clicks = points.iter().map(|&point| image.click(point, self.side()));
        let clicks: Vec<_> = clicks.collect();
        self.run_decoder(&image.side, &clicks)
    }

    fn ious<'a>(&self, decoded: &'a DecodedPrompts) -> Vec<&'a [f32]> {
        let ious = decoded.ious.iter();
        ious.map(|ious| ious.get(1..).unwrap_or_default()).collect()
    }

    /// Masks of one point are made together.
    fn masks(&self, decoded: &DecodedPrompts, chosen: &[(usize, usize)]) -> Result<MaskLogits> {
        let mut points: Vec<usize> = chosen.iter().map(|&(point, _)| point).collect();
        points.dedup();
        let all = self.logits(decoded, &points, true).map_err(torch_error)?;
        let each = self.sam.config.decoder.masks as usize - 1;
        let masks: Vec<&[f32]> = all.masks().collect();
        let numbers_each = masks.first().map_or(0, |mask| mask.len());
        let mut numbers = Vec::with_capacity(chosen.len() * numbers_each);
        for (place, of_point) in chosen.chunk_by(|a, b| a.0 == b.0).enumerate() {
            for &(_, mask) in of_point {
                numbers.extend_from_slice(masks[place * each + mask]);
            }
        }
        Ok(MaskLogits::new(numbers, numbers_each))
    }

    fn upsampling(&self, image: &EncodedImage, crop: BBox, size: Size) -> Upsampling {
        self.upsampling_of(image, crop, size)
    }
}
