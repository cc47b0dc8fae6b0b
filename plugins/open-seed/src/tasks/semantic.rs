//! All pixels of each class.

use som_core::{Call, Region, Result};
use som_torch::{segments, torch_error};

use super::Answer;

/// A region for each class that has pixels, in the order of the classes.
///
/// # Errors
/// Cancelled; Exhausted, if memory runs out.
pub(super) fn regions(answer: &Answer<'_>, call: &Call<'_>) -> Result<Vec<Region>> {
    let weights = answer
        .scores()
        .and_then(|scores| answer.sharpened(&scores))
        .map_err(torch_error)?;
    let count = weights.size().first().map_or(0, |&count| count as usize);
    let queries: Vec<usize> = (0..count).collect();
    let masks = answer.with_maps(&queries, |maps| {
        segments::semantic(maps, &weights, None, call)
    })?;
    let masks = masks.into_iter().enumerate();
    let masks = masks.filter(|(_, mask)| !mask.is_empty());
    Ok(masks
        .map(|(class, mask)| answer.region(mask, class, None))
        .collect())
}
