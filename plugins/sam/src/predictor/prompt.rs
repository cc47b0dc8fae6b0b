//! A prompt as the network is told it.

use som_core::{BoxHint, Mask, Result};
use som_torch::{
    TorchResult,
    interactive::{Answer, Prompt},
    torch_error,
};
use tch::Tensor;

use super::{EncodedImage, Predictor};
use crate::network::{Meaning, PromptToken};

/// Logits of a mask prompt well inside and well outside the mask: what the network's own are like
/// where it is sure.
const SURE: f32 = 10.0;

impl Predictor {
    /// The masks that `prompt` asks for: three if it is `ambiguous`, else one.
    ///
    /// # Errors
    /// Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    pub(crate) fn answer(
        &self,
        image: &EncodedImage,
        prompt: &Prompt,
        ambiguous: bool,
    ) -> Result<Answer> {
        let masked = |mask| self.with_mask(image, &self.mask_logits(image, mask)?);
        let masked = prompt.mask.as_ref().map(masked).transpose();
        let masked = masked.map_err(torch_error)?;
        let tokens = self.tokens(image, prompt);
        let decoded = self.run_decoder(masked.as_ref().unwrap_or(&image.side), &[tokens])?;
        let logits = self
            .logits(&decoded, &[0], ambiguous)
            .map_err(torch_error)?;
        let ious = decoded.ious.into_iter().flatten();
        let ious = ious.skip(usize::from(ambiguous)).collect();
        Ok(Answer { ious, logits })
    }

    /// The points of `prompt` and the corners of its box.
    fn tokens(&self, image: &EncodedImage, prompt: &Prompt) -> Vec<PromptToken> {
        let side = self.side();
        let mut tokens: Vec<PromptToken> = Vec::new();
        for point in &prompt.points {
            let meaning = if point.label == 0 {
                Meaning::Background
            } else {
                Meaning::Foreground
            };
            tokens.push(image.token(point.x, point.y, meaning, side));
        }
        match prompt.bbox {
            Some(BoxHint {
                x,
                y,
                width,
                height,
            }) => {
                tokens.push(image.token(x, y, Meaning::TopLeft, side));
                tokens.push(image.token(x + width, y + height, Meaning::BottomRight, side));
            }
            None if !tokens.is_empty() => tokens.push(PromptToken::PADDING),
            None => {}
        }
        tokens
    }

    /// A mask of the image as the logits `[low, low]` that a mask prompt consists of: by how much of
    /// each cell it covers.
    fn mask_logits(&self, image: &EncodedImage, mask: &Mask) -> TorchResult<Tensor> {
        let (low, side) = (self.low(), self.side());
        let (inside, size) = (image.inside, image.size);
        // Cells need not be whole pixels.
        let cell = |pixel: u32| (u64::from(pixel) * u64::from(low) / u64::from(side)) as usize;
        let mut covered = vec![0.0_f32; (low * low) as usize];
        for y in 0..inside.height {
            let row = mask.row(nearest(y, inside.height, size.height));
            if row.is_empty() {
                continue;
            }
            let covered = &mut covered[cell(y) * low as usize..];
            for x in 0..inside.width {
                let pixel = nearest(x, inside.width, size.width);
                let next = row.partition_point(|span| span.end <= pixel);
                let is_set = row.get(next).is_some_and(|span| span.start <= pixel);
                covered[cell(x)] += f32::from(u8::from(is_set));
            }
        }
        let whole = (side as f32 / low as f32).powi(2);
        let logits: Vec<f32> = covered
            .iter()
            .map(|covered| SURE * (2.0 * covered / whole - 1.0))
            .collect();
        Tensor::f_from_slice(&logits)?.f_view([i64::from(low), i64::from(low)])
    }
}

/// The image's pixel in the middle of an input's pixel.
fn nearest(index: u32, input: u32, image: u32) -> u32 {
    ((2 * u64::from(index) + 1) * u64::from(image) / (2 * u64::from(input))) as u32
}
