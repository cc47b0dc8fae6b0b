//! Interactive prediction: what points, boxes, strokes and earlier masks ask for.

use som_core::{Call, Error, Hints, Mask, Result};
use som_torch::{logits::Thresholded, torch_error};

use crate::{
    params::CallParams,
    predictor::{EncodedImage, Predictor},
    prompt::prompts,
    search::MASK_THRESHOLD,
};

/// A mask that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Predicted {
    pub mask: Mask,
    pub predicted_iou: f32,
    /// NaN for an empty mask.
    pub stability_score: f32,
    /// Which prompt asked, in the order of the hints.
    pub prompt: usize,
    /// The points of that prompt, those of a stroke among them, in pixels of the image.
    pub points: Vec<[f64; 2]>,
}

/// Predicts the masks that `hints` ask for: for each prompt three, or one.
///
/// # Errors
/// Invalid for hints that contradict each other; Unsupported for text; Cancelled; Exhausted if
/// memory runs out.
pub(crate) fn predict(
    predictor: &Predictor,
    image: &EncodedImage,
    hints: &Hints,
    params: &CallParams,
    call: &Call<'_>,
) -> Result<Vec<Predicted>> {
    if hints.text.is_some() {
        return Err(Error::unsupported(
            "hints: sam takes points, boxes, strokes and masks, but no text",
        ));
    }
    let upsampling = predictor.upsampling(image, image.size.bbox(), image.size);
    let mut predicted = Vec::new();
    for (index, prompt) in prompts(hints)?.iter().enumerate() {
        call.check()?;
        let ambiguous = params.multimask_output;
        let masked = prompt.masked(predictor, image).map_err(torch_error)?;
        let tokens = prompt.tokens(image, predictor.side());
        let decoded = predictor.decode(masked.as_ref().unwrap_or(&image.side), &[tokens])?;
        let logits = predictor
            .masks(&decoded, &[0], ambiguous)
            .map_err(torch_error)?;
        // The first of the IoUs is that of the mask for unambiguous prompts.
        let ious = decoded.ious.into_iter().flatten();
        let ious = ious.skip(usize::from(ambiguous));
        for (predicted_iou, logits) in ious.zip(logits.of_prompts().flatten()) {
            let offset = params.automatic.stability_score_offset;
            let Thresholded {
                mask,
                stability_score,
            } = upsampling.threshold(logits, MASK_THRESHOLD, offset);
            predicted.push(Predicted {
                mask,
                predicted_iou,
                stability_score,
                prompt: index,
                points: prompt.points().collect(),
            });
        }
    }
    Ok(predicted)
}
