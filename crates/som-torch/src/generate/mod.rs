//! Automatic generation: a grid of points, and of all their masks those worth keeping.
//!
//! The official `SamAutomaticMaskGenerator` (`facebookresearch/segment-anything`,
//! `segment_anything/automatic_mask_generator.py`), with the same parameters and results, over any
//! [`Promptable`] network. Here masks that their predicted IoU rules out are never made, and no mask
//! ever exists as full-size logits.

mod crops;
mod filter;
mod params;
mod promptable;
mod search;

use rayon::prelude::*;
use som_core::{BBox, Call, Error, Image, Result, Size, nms};

use self::{
    crops::{Crop, crops},
    search::Search,
};
pub use self::{params::Automatic, promptable::Promptable};
use crate::Candidate;

/// Finds everything in `image`. `encode` runs or remembers the image encoder.
///
/// # Errors
/// Invalid for parameters that contradict each other; Cancelled; Exhausted if memory runs out.
pub fn generate<P: Promptable>(
    network: &P,
    mut encode: impl FnMut(&Image<'_>) -> Result<P::Encoded>,
    image: &Image<'_>,
    params: &Automatic,
    call: &Call<'_>,
) -> Result<Vec<Candidate>> {
    let size = Size::new(image.width(), image.height());
    let grids = params.grids()?;
    let crops = crops(size, params.crop_n_layers, params.crop_overlap_ratio);
    let mut found = Vec::new();
    for &crop in &crops {
        let Some(points) = grids.get(crop.layer as usize) else {
            continue;
        };
        call.check()?;
        let encoded = match crop.layer {
            0 => encode(image)?,
            _ => {
                let pixels = cut(image, crop.bbox);
                let Crop { bbox, .. } = crop;
                let view = Image::from_raw(bbox.width, bbox.height, pixels.as_slice());
                encode(&view.ok_or_else(|| Error::internal("a crop has too few pixels"))?)?
            }
        };
        found.extend(in_crop(
            network, encoded, crop.bbox, size, points, params, call,
        )?);
    }
    if crops.len() > 1 {
        // Smaller crops show things larger.
        let scores: Vec<f32> = found
            .iter()
            .map(|found: &Candidate| 1.0 / found.crop.area() as f32)
            .collect();
        found = survivors(found, &scores, params.crop_nms_thresh);
    }
    Ok(cleaned_up(found, params))
}

/// Finds everything in an image of this size that is encoded already, without looking at crops.
///
/// # Errors
/// Invalid for parameters that contradict each other; Cancelled; Exhausted if memory runs out.
pub fn generate_whole<P: Promptable>(
    network: &P,
    encoded: P::Encoded,
    size: Size,
    params: &Automatic,
    call: &Call<'_>,
) -> Result<Vec<Candidate>> {
    let grids = params.grids()?;
    let points = grids.first().map_or(&[][..], Vec::as_slice);
    let found = in_crop(network, encoded, size.bbox(), size, points, params, call)?;
    Ok(cleaned_up(found, params))
}

/// What points, given as fractions of a crop's sides, find in it, each thing once.
fn in_crop<P: Promptable>(
    network: &P,
    encoded: P::Encoded,
    crop: BBox,
    image: Size,
    points: &[[f64; 2]],
    params: &Automatic,
    call: &Call<'_>,
) -> Result<Vec<Candidate>> {
    let search = Search::new(network, encoded, crop, image, params);
    let found = search.run(points, call)?;
    let scores: Vec<f32> = found.iter().map(|found| found.predicted_iou).collect();
    Ok(survivors(found, &scores, params.box_nms_thresh))
}

/// What non-maximum suppression leaves, by falling score.
fn survivors(found: Vec<Candidate>, scores: &[f32], threshold: f64) -> Vec<Candidate> {
    let boxes: Vec<[f32; 4]> = found.iter().map(Candidate::corners).collect();
    let mut found: Vec<Option<Candidate>> = found.into_iter().map(Some).collect();
    nms::by_box(&boxes, scores, None, threshold)
        .into_iter()
        .filter_map(|index| found[index].take())
        .collect()
}

/// Removes small holes and islands, if that is asked for, then duplicates that arose; masks that had
/// none come first.
fn cleaned_up(found: Vec<Candidate>, params: &Automatic) -> Vec<Candidate> {
    let area = params.min_mask_region_area;
    if area == 0 {
        return found;
    }
    let (found, scores): (Vec<Candidate>, Vec<f32>) = found
        .into_par_iter()
        .map(|found| {
            let mask = found
                .mask
                .without_small_holes(area)
                .without_small_islands(area);
            // A mask that is one small island stays as it is, yet counts as cleaned up.
            let is_small = !mask.is_empty() && mask.area() < area;
            let score = if is_small || mask != found.mask {
                0.0
            } else {
                1.0
            };
            (Candidate { mask, ..found }, score)
        })
        .unzip();
    survivors(
        found,
        &scores,
        params.box_nms_thresh.max(params.crop_nms_thresh),
    )
}

fn cut(image: &Image<'_>, crop: BBox) -> Vec<u8> {
    let stride = 3 * image.width() as usize;
    let rows = image
        .as_raw()
        .chunks_exact(stride)
        .skip(crop.y as usize)
        .take(crop.height as usize);
    let (from, to) = (3 * crop.x as usize, 3 * crop.right() as usize);
    rows.flat_map(|row| &row[from..to]).copied().collect()
}
