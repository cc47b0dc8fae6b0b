//! The search of one crop: what each of its points finds.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use som_core::{BBox, Call, Result, Size};

use super::{filter::Filter, params::Automatic, promptable::Promptable};
use crate::{
    Candidate,
    masks::{Thresholded, Upsampling},
    memory,
    stages::stage,
    threads,
};

/// The search of one crop. Each thread takes part with a clone, which shares the numbers:
/// libtorch's tensors move between threads, but must not be shared by them.
#[derive(Clone)]
pub(super) struct Search<'a, P: Promptable> {
    network: P,
    encoded: P::Encoded,
    upsampling: Upsampling,
    filter: Filter<'a>,
}

impl<'a, P: Promptable> Search<'a, P> {
    /// A search of what `encoded` is: `crop` of an image of size `image`.
    pub(super) fn new(
        network: &P,
        encoded: P::Encoded,
        crop: BBox,
        image: Size,
        params: &'a Automatic,
    ) -> Self {
        Self {
            network: network.clone(),
            upsampling: network.upsampling(&encoded, crop, image),
            encoded,
            filter: Filter {
                params,
                at_zero: P::FILTERS_AT_ZERO,
                crop,
                image,
            },
        }
    }

    /// What points, given as fractions of the crop's sides, find.
    ///
    /// On the CPU each core takes one batch after another and computes it alone: that scales better
    /// than sharing out every operation, and no core waits for another.
    ///
    /// # Errors
    /// Cancelled; Exhausted, if memory runs out.
    pub(super) fn run(self, points: &[[f64; 2]], call: &Call<'_>) -> Result<Vec<Candidate>> {
        let Filter { params, crop, .. } = self.filter;
        let BBox { width, height, .. } = crop;
        let points: Vec<[f64; 2]> = points
            .iter()
            .map(|[x, y]| [x * f64::from(width), y * f64::from(height)])
            .collect();
        let most = params.points_per_batch as usize;
        let batch = self.network.batch(most).clamp(1, most.max(1));
        let batches: Vec<_> = points.chunks(batch).collect();
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
        let threads = if self.network.is_on_cpu() {
            let threads = rayon::current_num_threads().min(batches.len());
            let needed = self.network.decoding_bytes(threads * batch);
            memory::require(needed, "the mask decoder's activations")?;
            threads
        } else {
            1
        };
        let clones: Vec<Self> = (0..threads).map(|_| self.clone()).collect();
        let found: Result<Vec<Vec<_>>> = clones.into_par_iter().map(work).collect();
        let mut found: Vec<(usize, Vec<Candidate>)> = found?.into_iter().flatten().collect();
        found.sort_by_key(|(index, _)| *index);
        Ok(found.into_iter().flat_map(|(_, found)| found).collect())
    }

    /// What one batch of points, in the crop's pixels, finds.
    fn batch(&self, points: &[[f64; 2]]) -> Result<Vec<Candidate>> {
        let decoded = stage("decoder", || self.network.decode(&self.encoded, points))?;
        let at_once = self.network.masks_at_once();
        let mut found = Vec::new();
        let mut chosen = Vec::new();
        for (point, ious) in self.network.ious(&decoded).into_iter().enumerate() {
            let good = ious.iter().copied().enumerate();
            let good = good.filter(|&(_, iou)| self.filter.is_good(iou));
            chosen.extend(good.map(|(mask, iou)| ((point, mask), iou)));
            if chosen.len() >= at_once {
                found.extend(self.make(points, &decoded, &std::mem::take(&mut chosen))?);
            }
        }
        found.extend(self.make(points, &decoded, &chosen)?);
        Ok(found)
    }

    /// Of chosen masks, each a point and one of its masks, with their predicted IoUs: those that the
    /// filters keep.
    fn make(
        &self,
        points: &[[f64; 2]],
        decoded: &P::Decoded,
        chosen: &[((usize, usize), f32)],
    ) -> Result<Vec<Candidate>> {
        if chosen.is_empty() {
            return Ok(Vec::new());
        }
        stage("masks", || self.make_some(points, decoded, chosen))
    }

    fn make_some(
        &self,
        points: &[[f64; 2]],
        decoded: &P::Decoded,
        chosen: &[((usize, usize), f32)],
    ) -> Result<Vec<Candidate>> {
        let Self {
            network,
            upsampling,
            filter,
            ..
        } = self;
        let masks: Vec<(usize, usize)> = chosen.iter().map(|&(mask, _)| mask).collect();
        let logits = network.masks(decoded, &masks)?;
        let threshold = network.mask_threshold();
        let Filter { params, crop, .. } = *filter;
        let finish = |(chosen, logits): (&((usize, usize), f32), &[f32])| {
            let &((point, mask_index), predicted_iou) = chosen;
            let Thresholded {
                mask,
                stability_score,
            } = upsampling.threshold(logits, threshold, params.stability_score_offset);
            let [x, y] = points[point];
            let found = Candidate {
                mask,
                mask_index,
                predicted_iou,
                stability_score,
                points: vec![[x + f64::from(crop.x), y + f64::from(crop.y)]],
                crop,
            };
            filter.keeps(&found).then_some(found)
        };
        let candidates: Vec<_> = chosen.iter().zip(logits.masks()).collect();
        Ok(candidates.into_par_iter().filter_map(finish).collect())
    }
}
