//! Automatic generation: a grid of points, and of all their masks those worth keeping.
//!
//! The official `SamAutomaticMaskGenerator`, with the same parameters and results. Here masks that
//! their predicted IoU rules out are never made, and no mask ever exists as full-size logits.

use rayon::prelude::*;
use som_core::{BBox, Call, Image, Mask, Result, Size, nms};
use som_torch::{
    logits::{Thresholded, Upsampling},
    torch_error,
};

use crate::{
    crops::{Crop, crops},
    params::Automatic,
    predictor::{EncodedImage, Predictor},
};

/// Logits above this are the mask.
pub(crate) const MASK_THRESHOLD: f32 = 0.0;

/// How near to a crop's edge a mask counts as cut off, in pixels.
const EDGE: f32 = 20.0;

/// A mask that was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub mask: Mask,
    pub predicted_iou: f32,
    /// NaN for an empty mask.
    pub stability_score: f32,
    /// The point that asked for it, in the image.
    pub point: [f64; 2],
    pub crop: BBox,
}

impl Found {
    /// `[left, top, right, bottom]`: from the first to the last column and row, as the official
    /// project has boxes.
    fn corners(&self) -> [f32; 4] {
        let bbox = self.mask.bbox();
        if bbox.is_empty() {
            let (x, y) = (self.crop.x as f32, self.crop.y as f32);
            return [x, y, x, y];
        }
        [
            bbox.x as f32,
            bbox.y as f32,
            (bbox.right() - 1) as f32,
            (bbox.bottom() - 1) as f32,
        ]
    }

    /// True if the mask ends where its crop does but the image does not.
    fn is_cut_off(&self, image: Size) -> bool {
        let edges = |bbox: BBox| {
            [
                bbox.x as f32,
                bbox.y as f32,
                bbox.right() as f32,
                bbox.bottom() as f32,
            ]
        };
        let near = |a: f32, b: f32| (a - b).abs() <= EDGE;
        let edges = edges(self.crop).into_iter().zip(edges(image.bbox()));
        self.corners()
            .into_iter()
            .zip(edges)
            .any(|(corner, (crop, image))| near(corner, crop) && !near(corner, image))
    }
}

/// Finds everything in `image`. `encode` runs or remembers the image encoder.
///
/// # Errors
/// Invalid for parameters that contradict each other; Cancelled; Exhausted if memory runs out.
pub(crate) fn generate(
    predictor: &Predictor,
    mut encode: impl FnMut(&Image<'_>) -> Result<EncodedImage>,
    image: &Image<'_>,
    params: &Automatic,
    call: &Call<'_>,
) -> Result<Vec<Found>> {
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
                encode(
                    &view.ok_or_else(|| som_core::Error::internal("a crop has too few pixels"))?,
                )?
            }
        };
        let search = Search {
            predictor,
            encoded: &encoded,
            crop: crop.bbox,
            image: size,
            params,
        };
        found.extend(search.run(points, call)?);
    }
    if crops.len() > 1 {
        // Smaller crops show things larger.
        let scores: Vec<f32> = found
            .iter()
            .map(|found: &Found| 1.0 / found.crop.area() as f32)
            .collect();
        found = survivors(found, &scores, params.crop_nms_thresh);
    }
    if params.min_mask_region_area > 0 {
        found = without_specks(found, params);
    }
    Ok(found)
}

/// The search of one crop.
struct Search<'a> {
    predictor: &'a Predictor,
    encoded: &'a EncodedImage,
    crop: BBox,
    image: Size,
    params: &'a Automatic,
}

impl Search<'_> {
    /// What points, given as fractions of the crop's sides, find.
    fn run(&self, points: &[[f64; 2]], call: &Call<'_>) -> Result<Vec<Found>> {
        let BBox { width, height, .. } = self.crop;
        let points: Vec<[f64; 2]> = points
            .iter()
            .map(|[x, y]| [x * f64::from(width), y * f64::from(height)])
            .collect();
        let batch = self
            .predictor
            .batch()
            .min(self.params.points_per_batch as usize);
        let upsampling = self
            .predictor
            .upsampling(self.encoded, self.crop, self.image);
        let mut found = Vec::new();
        for points in points.chunks(batch) {
            call.check()?;
            found.extend(self.search(points, &upsampling)?);
        }
        let scores: Vec<f32> = found
            .iter()
            .map(|found: &Found| found.predicted_iou)
            .collect();
        Ok(survivors(found, &scores, self.params.box_nms_thresh))
    }

    /// What one batch of points, in the crop's pixels, finds.
    fn search(&self, points: &[[f64; 2]], upsampling: &Upsampling) -> Result<Vec<Found>> {
        let &Self {
            predictor,
            params,
            crop,
            image,
            ..
        } = self;
        let prompts: Vec<_> = points
            .iter()
            .map(|&point| self.encoded.click(point, predictor.side()))
            .collect();
        let decoded = predictor
            .decode(&self.encoded.side, &prompts)
            .map_err(torch_error)?;
        // The first mask is for unambiguous prompts.
        let ious: Vec<&[f32]> = decoded
            .ious
            .iter()
            .map(|ious| ious.get(1..).unwrap_or_default())
            .collect();
        let good = |iou: f32| params.pred_iou_thresh <= 0.0 || iou > params.pred_iou_thresh;
        let chosen: Vec<usize> = (0..points.len())
            .filter(|&point| ious[point].iter().any(|&iou| good(iou)))
            .collect();
        let logits = predictor
            .masks(&decoded, &chosen, true)
            .map_err(torch_error)?;
        let candidates: Vec<(usize, f32, &[f32])> = chosen
            .iter()
            .zip(logits.of_prompts())
            .flat_map(|(&point, masks)| {
                ious[point]
                    .iter()
                    .zip(masks)
                    .map(move |(&iou, mask)| (point, iou, mask))
            })
            .filter(|&(_, iou, _)| good(iou))
            .collect();
        let finish = |(point, predicted_iou, logits): (usize, f32, &[f32])| {
            let Thresholded {
                mask,
                stability_score,
            } = upsampling.threshold(logits, MASK_THRESHOLD, params.stability_score_offset);
            let stable = params.stability_score_thresh <= 0.0
                || stability_score >= params.stability_score_thresh;
            let [x, y] = points[point];
            let point = [x + f64::from(crop.x), y + f64::from(crop.y)];
            let found = Found {
                mask,
                predicted_iou,
                stability_score,
                point,
                crop,
            };
            (stable && !found.is_cut_off(image)).then_some(found)
        };
        Ok(candidates.into_par_iter().filter_map(finish).collect())
    }
}

/// What non-maximum suppression leaves, by falling score.
fn survivors(found: Vec<Found>, scores: &[f32], threshold: f64) -> Vec<Found> {
    let boxes: Vec<[f32; 4]> = found.iter().map(Found::corners).collect();
    let mut found: Vec<Option<Found>> = found.into_iter().map(Some).collect();
    nms::by_box(&boxes, scores, None, threshold)
        .into_iter()
        .filter_map(|index| found[index].take())
        .collect()
}

/// Removes small holes and islands, then duplicates that arose; masks that had none come first.
fn without_specks(found: Vec<Found>, params: &Automatic) -> Vec<Found> {
    let area = params.min_mask_region_area;
    let (found, scores): (Vec<Found>, Vec<f32>) = found
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
            (Found { mask, ..found }, score)
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
