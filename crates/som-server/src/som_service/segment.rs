//! Segment: image → regions.

use som_core::{Error, Params, Result, Timings};
use som_engine::{GivenRegions, Refinement, RegionSource, SegmentRequest, SegmenterChoice};
use som_proto::{params, pb::v1 as pb, region, segment};

use super::{Som, image::RequestImage};
use crate::call::Work;

impl Som {
    /// The answer to one request.
    ///
    /// # Errors
    /// As [`Engine::segment`](som_engine::Engine::segment); whatever is wrong with the image.
    pub(super) async fn segmented(
        &self,
        request: pb::SegmentRequest,
        work: &Work<'_>,
    ) -> Result<pb::SegmentResponse> {
        let params = params::from_wire(request.params)?;
        let segmenter = segmenter(request.segmenter, request.granularity, params);
        let refine = refinement(request.refine)?;
        let image = self.request_image(request.image, work).await?;
        let request = SegmentRequest {
            segmenter,
            refine,
            ..SegmentRequest::new(image.pixels.clone())
        };
        let segmented = self.engine.segment(request, &work.cancellation).await?;
        work.call.metrics.stages(&segmented.timings);
        let timings = Timings {
            decode: image.took,
            ..segmented.timings
        };
        let segmentation = segment::segmentation_to_wire(&segmented.segmentation);
        let refined = segmented.refined.as_ref();
        let refined = refined.map(segment::segmentation_to_wire);
        let encode = move || Ok(segmented.regions.iter().map(region::to_wire).collect());
        Ok(pb::SegmentResponse {
            image: Some(image.info()),
            segmentation: Some(segmentation),
            regions: self.engine.compute(encode).await?,
            timings: Some(segment::timings_to_wire(&timings)),
            refined,
        })
    }

    /// Where the regions of a request to mark come from.
    ///
    /// # Errors
    /// Whatever is wrong with regions that are given.
    pub(super) async fn regions(
        &self,
        given: Option<pb::RegionList>,
        segmenter: SegmenterChoice,
        image: &RequestImage,
    ) -> Result<RegionSource> {
        let Some(list) = given else {
            return Ok(RegionSource::Segmenter(segmenter));
        };
        let size = image.size();
        let read = move || {
            Ok(GivenRegions {
                regions: region::list_from_wire(list.regions, size)?,
                ids: list.ids,
            })
        };
        Ok(RegionSource::Given(self.engine.compute(read).await?))
    }
}

/// The segmenter that a request names, or the granularity in its place, and what it is told.
pub(super) fn segmenter(id: String, granularity: Option<f64>, params: Params) -> SegmenterChoice {
    SegmenterChoice {
        id: Some(id).filter(|id| !id.is_empty()),
        params,
        granularity,
    }
}

/// How a request has regions refined.
///
/// # Errors
/// Invalid for a kind of hint that there is not, and for parameters that are no JSON.
pub(super) fn refinement(wire: Option<pb::Refinement>) -> Result<Option<Refinement>> {
    let read = |wire: pb::Refinement| {
        let hint = Some(wire.hint).filter(|hint| !hint.is_empty());
        Ok(Refinement {
            segmenter: wire.segmenter,
            hint: hint.map(|hint| hint.parse()).transpose()?,
            params: params::from_wire(wire.params)?,
        })
    };
    let read = wire.map(read).transpose();
    read.map_err(|error: Error| error.at("refine"))
}
