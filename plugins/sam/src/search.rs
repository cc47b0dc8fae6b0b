//! The search of one crop: what each of its points finds.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use som_core::{BBox, Call, Mask, Result, Size};
use som_torch::{
    logits::{Thresholded, Upsampling},
    threads, torch_error,
};

use crate::{
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
    pub(crate) fn corners(&self) -> [f32; 4] {
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

/// The search of one crop. Each thread takes part with a clone, which shares the numbers:
/// libtorch's tensors move between threads, but must not be shared by them.
#[derive(Clone)]
pub(crate) struct Search<'a> {
    predictor: Predictor,
    encoded: EncodedImage,
    upsampling: Upsampling,
    crop: BBox,
    /// Of the whole image.
    image: Size,
    params: &'a Automatic,
}

impl<'a> Search<'a> {
    /// A search of what `encoded` is: `crop` of an image of size `image`.
    pub(crate) fn new(
        predictor: &Predictor,
        encoded: EncodedImage,
        crop: BBox,
        image: Size,
        params: &'a Automatic,
    ) -> Self {
        Self {
            predictor: predictor.clone(),
            upsampling: predictor.upsampling(&encoded, crop, image),
            encoded,
            crop,
            image,
            params,
        }
    }

    /// What points, given as fractions of the crop's sides, find.
    ///
    /// On the CPU each core takes one batch after another and computes it alone: that scales better
    /// than sharing out every operation, and no core waits for another.
    ///
    /// # Errors
    /// Cancelled; Exhausted, if memory runs out.
    pub(crate) fn run(self, points: &[[f64; 2]], call: &Call<'_>) -> Result<Vec<Found>> {
        let BBox { width, height, .. } = self.crop;
        let points: Vec<[f64; 2]> = points
            .iter()
            .map(|[x, y]| [x * f64::from(width), y * f64::from(height)])
            .collect();
        let most = self.params.points_per_batch as usize;
        let batches: Vec<_> = points.chunks(self.predictor.batch().min(most)).collect();
        let next = AtomicUsize::new(0);
        let work = |search: Self| {
            let _no_gradients = tch::no_grad_guard();
            threads::use_one();
            let mut found = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(points) = batches.get(index) else {
                    return Ok(found);
                };
                call.check()?;
                found.push((index, search.batch(points)?));
            }
        };
        let threads = if self.predictor.is_on_cpu() {
            rayon::current_num_threads().min(batches.len())
        } else {
            1
        };
        self.predictor.require_decoding(threads)?;
        let clones: Vec<Self> = (0..threads).map(|_| self.clone()).collect();
        let found: Result<Vec<Vec<_>>> = clones.into_par_iter().map(work).collect();
        let mut found: Vec<(usize, Vec<Found>)> = found?.into_iter().flatten().collect();
        found.sort_by_key(|(index, _)| *index);
        Ok(found.into_iter().flat_map(|(_, found)| found).collect())
    }

    /// What one batch of points, in the crop's pixels, finds.
    fn batch(&self, points: &[[f64; 2]]) -> Result<Vec<Found>> {
        let Self {
            predictor,
            upsampling,
            params,
            ..
        } = self;
        let (crop, image) = (self.crop, self.image);
        let prompts: Vec<_> = points
            .iter()
            .map(|&point| self.encoded.click(point, predictor.side()))
            .collect();
        let decoded = predictor.decode(&self.encoded.side, &prompts)?;
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
