//! image → regions: what cuts, and how, is settled first, and then done.

use std::sync::Arc;

use som_core::{Cancellation, Hints, Params, Result, Segmentation, Size, granularity::Granularity};

use crate::{
    Engine, Refinement, SegmenterChoice, SharedImage,
    engine::in_time,
    granularity,
    refine::{Cut, Refiner},
    registry::KnownSegmenter,
    request::{SegmentRequest, Segmented},
    settings::Counted,
};

/// Who cuts an image, and how: all of it known and valid.
pub(crate) struct Cutting {
    segmenter: Arc<KnownSegmenter>,
    /// Defaults filled in.
    params: Params,
    granularity: Option<Granularity>,
    refiner: Option<Refiner>,
}

/// What the regions of an image depend on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CutKey {
    segmenter: String,
    params: Params,
    refine: Option<Refinement>,
}

impl Cutting {
    /// What the regions depend on.
    pub(crate) fn key(&self) -> CutKey {
        CutKey {
            segmenter: self.segmenter.descriptor().id.clone(),
            params: self.params.clone(),
            refine: self.refiner.as_ref().map(Refiner::refinement),
        }
    }

    /// `cut` with who did it, and how.
    pub(crate) fn segmented(self, cut: Cut) -> Segmented {
        let descriptor = self.segmenter.descriptor();
        Segmented {
            segmentation: Segmentation {
                segmenter: descriptor.id.clone(),
                version: descriptor.version.clone(),
                params: self.params,
                granularity: self.granularity,
            },
            refined: self.refiner.as_ref().map(Refiner::segmentation),
            regions: cut.regions,
            timings: cut.timings,
        }
    }
}

impl Engine {
    /// image → regions.
    ///
    /// # Errors
    /// NotFound for an unknown segmenter, Unavailable for one that cannot be reached, Invalid for
    /// parameters, hints and a granularity that do not fit, Unsupported for kinds of hints that it
    /// does not take and for a refiner that cannot take the regions as hints, Exhausted if a queue is
    /// full or for too many hints, Cancelled once called off, else what a segmenter reports.
    pub async fn segment(
        &self,
        request: SegmentRequest,
        cancellation: &Cancellation,
    ) -> Result<Segmented> {
        let SegmentRequest {
            image,
            segmenter,
            refine,
        } = request;
        let cutting = self.cutting(image.size(), segmenter, refine.as_ref(), cancellation);
        let cutting = cutting.await?;
        let cut = self.cut_and_refine(image, &cutting, cancellation).await?;
        Ok(cutting.segmented(cut))
    }

    /// Settles who cuts an image of this `size`, and how.
    ///
    /// # Errors
    /// As [`segment`](Self::segment), as far as it is known before the image is cut.
    pub(crate) async fn cutting(
        &self,
        size: Size,
        choice: SegmenterChoice,
        refine: Option<&Refinement>,
        cancellation: &Cancellation,
    ) -> Result<Cutting> {
        let choose = granularity::choose(choice, self.registry(), self.settings());
        let chosen = in_time(choose, cancellation).await?;
        let entry = self.registry().segmenter(&chosen.segmenter)?;
        let segmenter = in_time(entry.reach(), cancellation).await?;
        let mut params = chosen.params;
        for (key, value) in segmenter.usual(self.settings())? {
            params.entry(key).or_insert(value);
        }
        // What is malformed is told by the segmenter's own schema.
        if let Ok(Some(hints)) = Hints::from_params(&params) {
            let limits = &self.settings().limits;
            limits.allow(Counted::Hints, hints.count())?;
            let taken = hints.check_kinds(&segmenter.descriptor().params);
            taken.map_err(|error| error.at(segmenter.who()))?;
        }
        let params = segmenter.resolve(&params)?;
        if let Some(hints) = Hints::from_params(&params)? {
            hints.check(size)?;
        }
        let refiner = match refine {
            Some(refine) => Some(self.refiner(refine, cancellation).await?),
            None => None,
        };
        Ok(Cutting {
            segmenter,
            params,
            granularity: chosen.granularity,
            refiner,
        })
    }

    /// Cuts `image` as was settled.
    ///
    /// # Errors
    /// What a segmenter reports; Exhausted if a queue is full; Cancelled once called off.
    pub(crate) async fn cut_and_refine(
        &self,
        image: SharedImage,
        cutting: &Cutting,
        cancellation: &Cancellation,
    ) -> Result<Cut> {
        let Cutting {
            segmenter,
            params,
            refiner,
            ..
        } = cutting;
        let cut = self.cut(segmenter, image.clone(), params.clone(), cancellation);
        let cut = cut.await?;
        let Some(refiner) = refiner else {
            return Ok(cut);
        };
        let detector = Some(&*segmenter.descriptor().id);
        self.refine(image, cut, detector, refiner, cancellation)
            .await
    }
}
