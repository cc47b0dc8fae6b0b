//! Segment: image → regions.

use som_core::Result;
use som_engine::SegmentRequest;
use som_proto::{params, pb::v1 as pb, region};

use super::{Som, milliseconds, segmentation_to_wire, segmenter};
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
        let picture = self.picture(request.image, work).await?;
        let request = SegmentRequest {
            image: picture.pixels.clone(),
            segmenter: segmenter(request.segmenter),
            params,
        };
        let mut segmentation = self.engine.segment(request, &work.cancellation).await?;
        work.call.metrics.stage("segment", segmentation.took);
        let timings = pb::Timings {
            decode: milliseconds(picture.took),
            segment: milliseconds(segmentation.took),
            ..pb::Timings::default()
        };
        let regions = std::mem::take(&mut segmentation.regions);
        let encode = move || Ok(regions.iter().map(region::to_wire).collect());
        Ok(pb::SegmentResponse {
            image: Some(picture.info()),
            segmentation: Some(segmentation_to_wire(segmentation)),
            regions: self.engine.compute(encode).await?,
            timings: Some(timings),
        })
    }
}
