//! Interactive prediction: what points, boxes, strokes and earlier masks ask for.

mod mask;
mod prompt;
mod stroke;

use som_core::{Call, Hints, Region, Result, Size};

pub use self::{
    mask::mask_logits,
    prompt::{Prompt, prompts},
};
use crate::{
    Candidate,
    masks::{MaskLogits, Thresholded, Upsampling},
};

/// What a network answers to one prompt.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The predicted IoU of each mask.
    pub ious: Vec<f32>,
    /// The logits of the masks.
    pub logits: MaskLogits,
}

/// Predicts the masks that `hints` ask for in an image of size `image`: for each prompt what
/// `answer` gives, above `threshold`. `offset` is by how much that is moved to measure stability. A
/// region has the number of its prompt in its extras, as `prompt`.
///
/// # Errors
/// Invalid for hints that contradict each other; Cancelled; what `answer` reports.
pub fn predict(
    hints: &Hints,
    image: Size,
    upsampling: &Upsampling,
    threshold: f32,
    offset: f32,
    call: &Call<'_>,
    answer: impl Fn(&Prompt) -> Result<Answer>,
) -> Result<Vec<Region>> {
    let mut regions = Vec::new();
    for (index, prompt) in prompts(hints)?.iter().enumerate() {
        call.check()?;
        let Answer { ious, logits } = answer(prompt)?;
        for (mask_index, (predicted_iou, logits)) in
            ious.into_iter().zip(logits.masks()).enumerate()
        {
            let Thresholded {
                mask,
                stability_score,
            } = upsampling.threshold(logits, threshold, offset);
            let points = prompt.points.iter().map(|point| [point.x, point.y]);
            let mut region = Region::from(Candidate {
                mask,
                mask_index,
                predicted_iou,
                stability_score,
                points: points.collect(),
                crop: image.bbox(),
            });
            region.extra.insert("prompt".to_owned(), index.into());
            regions.push(region);
        }
    }
    Ok(regions)
}
