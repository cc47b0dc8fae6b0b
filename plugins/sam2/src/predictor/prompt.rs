//! A prompt as the network is told it.

use som_core::{BoxHint, Result, Size};
use som_torch::{
    decoder::{Meaning, PromptToken},
    interactive::{Answer, Prompt, mask_logits},
    masks::MaskLogits,
    torch_error,
};

use super::{EncodedImage, Predictor, SmallParts, encoded::token};

impl Predictor {
    /// The masks that `prompt` asks for: three if it is `ambiguous`, else one. `small` parts of the
    /// masks above `threshold` are changed.
    ///
    /// # Errors
    /// Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    pub(crate) fn answer(
        &self,
        image: &EncodedImage,
        prompt: &Prompt,
        ambiguous: bool,
        small: SmallParts,
        threshold: f32,
    ) -> Result<Answer> {
        let (low, side) = (self.low(), self.side());
        let (low, side) = (Size::new(low, low), Size::new(side, side));
        let masked = |mask| self.with_mask(image, &mask_logits(mask, side, side, low)?);
        let masked = prompt.mask.as_ref().map(masked).transpose();
        let masked = masked.map_err(torch_error)?;
        let mut tokens = tokens(prompt, image.size, self.side());
        if !tokens.is_empty() {
            tokens.push(PromptToken::PADDING);
        }
        let decoded = self.run_decoder(masked.as_ref().unwrap_or(&image.side), &[tokens])?;
        let (ious, mut masks): (Vec<f32>, Vec<Vec<f32>>) = if ambiguous {
            let logits = self.logits(&decoded, &[0], 1, self.ambiguous());
            let logits = logits.map_err(torch_error)?;
            let ious = decoded.ious.iter().flatten().skip(1).copied();
            let masks = logits.masks().map(<[f32]>::to_vec).collect();
            (ious.collect(), masks)
        } else {
            let singles = self.singles(&decoded).map_err(torch_error)?;
            singles.into_iter().map(|it| (it.iou, it.logits)).unzip()
        };
        for logits in &mut masks {
            small.change(logits, low, threshold)?;
        }
        let cells = low.width as usize * low.height as usize;
        Ok(Answer {
            ious,
            logits: MaskLogits::new(masks.concat(), cells),
        })
    }
}

/// A prompt in an image of this size: the corners of its box, then its points. A mask is told by no
/// tokens.
pub(crate) fn tokens(prompt: &Prompt, image: Size, side: u32) -> Vec<PromptToken> {
    let token = |x, y, meaning| token(x, y, meaning, image, side);
    let mut tokens = Vec::new();
    if let Some(BoxHint {
        x,
        y,
        width,
        height,
    }) = prompt.bbox
    {
        tokens.push(token(x, y, Meaning::TopLeft));
        tokens.push(token(x + width, y + height, Meaning::BottomRight));
    }
    for point in &prompt.points {
        let meaning = match point.label {
            0 => Meaning::Background,
            _ => Meaning::Foreground,
        };
        tokens.push(token(point.x, point.y, meaning));
    }
    tokens
}
