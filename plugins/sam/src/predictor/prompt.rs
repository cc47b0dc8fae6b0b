//! A prompt as the network is told it.

use super::{EncodedImage, Predictor};
use som_core::{BoxHint, Result, Size};
use som_torch::{
    decoder::{Meaning, PromptToken},
    interactive::{Answer, Prompt, mask_logits},
    torch_error,
};

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
        let (low, side) = (self.low(), self.side());
        let (low, side) = (Size::new(low, low), Size::new(side, side));
        let masked = |mask| self.with_mask(image, &mask_logits(mask, image.inside, side, low)?);
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
}
