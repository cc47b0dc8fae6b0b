//! Interactive prediction: what points, boxes, strokes and masks ask for.
//!
//! The official `SemanticSAMPredictor` (`tasks/interactive_predictor.py`) is asked about one prompt at
//! a time, and so the network is here: prompts that it sees together change each other's masks.

use som_core::{Mask, Region, Result, Size};
use som_torch::masks::{MASK_THRESHOLD, Thresholded};

use crate::{
    automatic::AtLevels, encoded::EncodedImage, found::Found, network::Prompt, params::Selection,
    selection::select,
};

/// The masks of each prompt at each level, or those that the official predictor selects. A region
/// has the number of its prompt in its extras, as `prompt`. `offset` is by how much the threshold is
/// moved to measure stability, `size` that of the original image.
///
/// # Errors
/// Cancelled; Invalid, if the weights give no numbers; Exhausted, if memory runs out.
pub(crate) fn predict(
    network: &AtLevels<'_>,
    image: &EncodedImage,
    prompts: &[Prompt],
    selection: Selection,
    offset: f32,
    size: Size,
) -> Result<Vec<Region>> {
    let upsampling = image.upsampling();
    let mut regions = Vec::new();
    for (index, prompt) in prompts.iter().enumerate() {
        let decoded = network.decode_prompts(image, std::slice::from_ref(prompt))?;
        let ious = network.ious_of(&decoded);
        let chosen: Vec<(usize, usize)> = (0..ious.len()).map(|level| (0, level)).collect();
        let logits = network.logits(&decoded, &chosen)?;
        let found: Vec<Thresholded> = logits
            .masks()
            .map(|logits| upsampling.threshold(logits, MASK_THRESHOLD, offset))
            .collect();
        let masks: Vec<(f32, Mask)> = ious
            .iter()
            .zip(&found)
            .map(|(&iou, found)| (iou, found.mask.clone()))
            .collect();
        for (place, mask) in select(masks, selection) {
            let found = Found {
                mask,
                predicted_iou: ious[place],
                stability_score: found[place].stability_score,
                place: prompt.place,
                level: network.levels[place],
            };
            let mut region = found.into_region(size);
            region.extra.insert("prompt".to_owned(), index.into());
            regions.push(region);
        }
    }
    Ok(regions)
}
