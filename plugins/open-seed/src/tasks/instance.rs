//! Things, one region each: by mask, or by box.

use serde_json::json;
use som_core::{BBox, Call, Mask, Region, Result};
use som_torch::{
    TorchResult,
    decoder::boxes::corners,
    segments::{self, Inside},
    torch_error,
};

use super::{Answer, numbers};
use crate::network::Frame;

/// A query as one of its likeliest classes.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    query: usize,
    class: usize,
    score: f32,
}

/// The `most` likeliest things, the surest first.
///
/// # Errors
/// Cancelled; Exhausted, if memory runs out.
pub(super) fn regions(answer: &Answer<'_>, most: u32, call: &Call<'_>) -> Result<Vec<Region>> {
    let candidates = candidates(answer, most).map_err(torch_error)?;
    let mut queries: Vec<usize> = candidates.iter().map(|found| found.query).collect();
    queries.sort_unstable();
    queries.dedup();
    let masks = answer.with_maps(&queries, |maps| segments::instances(maps, call))?;
    let boxes = pixel_boxes(answer).map_err(torch_error)?;
    let region = |candidate: Candidate| {
        let Candidate {
            query,
            class,
            score,
        } = candidate;
        let Inside { mask, mean } = masks.get(queries.binary_search(&query).ok()?)?;
        let sure = if answer.settings.focus_on_box {
            1.0
        } else {
            *mean
        };
        let mut region = answer.region(mask.clone(), class, Some(score * sure));
        region
            .extra
            .insert("pred_box".to_owned(), json!(boxes[query]));
        Some(region)
    };
    let mut regions: Vec<Region> = candidates.into_iter().filter_map(region).collect();
    regions.sort_by(|a, b| {
        b.score
            .partial_cmp(&a.score)
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    Ok(regions)
}

/// The boxes of the `most` likeliest things as regions, the surest first.
///
/// # Errors
/// Exhausted, if memory runs out.
pub(super) fn boxes(answer: &Answer<'_>, most: u32) -> Result<Vec<Region>> {
    let candidates = candidates(answer, most).map_err(torch_error)?;
    let boxes = pixel_boxes(answer).map_err(torch_error)?;
    let size = answer.image.frame.size;
    let region = |Candidate {
                      query,
                      class,
                      score,
                  }: Candidate| {
        let mask = Mask::rect(size, pixels(boxes[query], &answer.image.frame));
        let mut region = answer.region(mask, class, Some(score));
        region
            .extra
            .insert("pred_box".to_owned(), json!(boxes[query]));
        region
    };
    Ok(candidates.into_iter().map(region).collect())
}

/// The pairs of query and class with the highest scores, the surest first; those of stuff are left
/// out after that, as there. Queries for stuff do not take part.
fn candidates(answer: &Answer<'_>, most: u32) -> TorchResult<Vec<Candidate>> {
    let classes = &answer.vocabulary.classes;
    let scores = answer.scores()?;
    let scores = scores.f_narrow(0, 0, answer.predictions.proposals)?;
    let scores = scores.f_flatten(0, 1)?;
    let most = i64::from(most).min(scores.size1()?);
    let (scores, chosen) = scores.f_topk(most, 0, true, true)?;
    let chosen: Vec<i64> = Vec::try_from(chosen.f_to_device(tch::Device::Cpu)?)?;
    let candidate = |(score, index): (f32, i64)| Candidate {
        query: index as usize / classes.len(),
        class: index as usize % classes.len(),
        score,
    };
    let candidates = numbers(&scores)?.into_iter().zip(chosen).map(candidate);
    Ok(candidates
        .filter(|candidate| classes[candidate.class].is_thing)
        .collect())
}

/// Left, top, right and bottom of each query's box, in pixels of the image; they may lie beyond it.
fn pixel_boxes(answer: &Answer<'_>) -> TorchResult<Vec<[f32; 4]>> {
    let Frame {
        size,
        inside,
        padded,
    } = answer.image.frame;
    let scale = |padded: u32, inside: u32, size: u32| {
        f64::from(padded) / f64::from(inside) * f64::from(size)
    };
    let width = scale(padded.width, inside.width, size.width) as f32;
    let height = scale(padded.height, inside.height, size.height) as f32;
    let corners = numbers(&corners(&answer.predictions.boxes)?)?;
    let (corners, _) = corners.as_chunks();
    Ok(corners
        .iter()
        .map(|&[left, top, right, bottom]| {
            [left * width, top * height, right * width, bottom * height]
        })
        .collect())
}

/// The pixels that a box touches, within the image.
fn pixels([left, top, right, bottom]: [f32; 4], frame: &Frame) -> BBox {
    let range = |from: f32, to: f32, size: u32| {
        let from = from.floor().clamp(0.0, size as f32) as u32;
        let to = to.ceil().clamp(0.0, size as f32) as u32;
        (from, to.saturating_sub(from))
    };
    let (x, width) = range(left, right, frame.size.width);
    let (y, height) = range(top, bottom, frame.size.height);
    BBox::new(x, y, width, height)
}
