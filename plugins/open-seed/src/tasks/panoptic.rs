//! Parts of the image that do not overlap.

use som_core::{Call, Region, Result};
use som_torch::{
    TorchResult,
    segments::{self, Kept},
    torch_error,
};

use super::{Answer, numbers};

/// The segments of the image, in the official order: that of the queries.
///
/// # Errors
/// Cancelled; Exhausted, if memory runs out.
pub(super) fn regions(
    answer: &Answer<'_>,
    object_mask_threshold: f32,
    overlap_threshold: f64,
    call: &Call<'_>,
) -> Result<Vec<Region>> {
    let (queries, kept) = kept(answer, object_mask_threshold).map_err(torch_error)?;
    let classes = &answer.vocabulary.classes;
    let is_thing = |class: usize| classes.get(class).is_some_and(|class| class.is_thing);
    let segments = answer.with_maps(&queries, |maps| {
        segments::panoptic(maps, &kept, is_thing, overlap_threshold, call)
    })?;
    let region = |segment: segments::Segment| {
        answer.region(segment.mask, segment.class, Some(segment.score))
    };
    Ok(segments.into_iter().map(region).collect())
}

/// The queries that are sure enough of some class, and of which.
fn kept(answer: &Answer<'_>, threshold: f32) -> TorchResult<(Vec<usize>, Vec<Kept>)> {
    let scores = answer.scores()?;
    let (sure, _) = scores.f_max_dim(-1, false)?;
    let (score, class) = answer.sharpened(&scores)?.f_max_dim(-1, false)?;
    let (sure, score) = (numbers(&sure)?, numbers(&score)?);
    let class: Vec<i64> = Vec::try_from(class.f_to_device(tch::Device::Cpu)?)?;
    let queries = sure.iter().enumerate();
    let queries = queries.filter_map(|(query, &sure)| (sure > threshold).then_some(query));
    let kept = |query| {
        let (score, class) = (score[query], class[query] as usize);
        (query, Kept { class, score })
    };
    Ok(queries.map(kept).unzip())
}
