//! `som.plugin.v1.SegmenterService`: one segmenter of the engine, for another som to use.
//!
//! Between the wire and the plugin no pixel is copied: the plugin reads them in the message that
//! brought them. What remains below is tonic's, which gathers the frames of a message. On the other
//! side, the caller's `remote` copies them twice: out of the image it was lent, and into the frames.

use std::{pin::Pin, sync::Arc};

use futures_util::{Stream, stream};
use som_core::{Error, Result};
use som_engine::{Engine, SegmentRequest, SegmenterChoice, SharedImage};
use som_proto::{
    descriptor, image as wire_image, params,
    pb::plugin::v1::{
        DescribeRequest, DescribeResponse, SegmentRequest as WireRequest, SegmentResponse,
        segmenter_service_server::SegmenterService,
    },
    region,
};
use tonic::{Request, Response, Status};

use crate::call::Call;

/// One segmenter of the engine.
pub(crate) struct Backend {
    engine: Arc<Engine>,
    segmenter: String,
}

impl Backend {
    /// Serves `segmenter`.
    ///
    /// # Errors
    /// NotFound, if there is none of that name.
    pub(crate) fn new(engine: Arc<Engine>, segmenter: &str) -> Result<Self> {
        engine.registry().segmenter(segmenter)?;
        Ok(Self {
            engine,
            segmenter: segmenter.to_owned(),
        })
    }

    async fn described(&self) -> Result<DescribeResponse> {
        let entry = self.engine.registry().segmenter(&self.segmenter)?;
        let segmenter = entry.reach().await?;
        let instances = segmenter.instances(self.engine.settings())?;
        Ok(DescribeResponse {
            descriptor: Some(descriptor::to_wire(segmenter.descriptor())),
            instances: u32::try_from(instances).unwrap_or(u32::MAX),
        })
    }

    async fn segmented(
        &self,
        request: WireRequest,
        call: &Call,
        cancellation: &som_core::Cancellation,
    ) -> Result<Vec<SegmentResponse>> {
        let raw = request
            .image
            .ok_or_else(|| Error::invalid("image is not set"))?;
        let limit = self.engine.settings().limits.image_pixels;
        let (size, pixels) = wire_image::from_wire(raw, limit)?;
        let request = SegmentRequest {
            segmenter: SegmenterChoice {
                id: Some(self.segmenter.clone()),
                params: params::from_wire(request.params)?,
                ..SegmenterChoice::default()
            },
            ..SegmentRequest::new(SharedImage::new(size, pixels)?)
        };
        let segmented = self.engine.segment(request, cancellation).await?;
        call.metrics.stages(&segmented.timings);
        let encode = move || {
            let region = |region| SegmentResponse {
                region: Some(region::to_wire_cropped(region)),
            };
            Ok(segmented.regions.iter().map(region).collect())
        };
        self.engine.compute(encode).await
    }
}

#[tonic::async_trait]
impl SegmenterService for Backend {
    type SegmentStream = Pin<Box<dyn Stream<Item = Result<SegmentResponse, Status>> + Send>>;

    async fn describe(
        &self,
        request: Request<DescribeRequest>,
    ) -> Result<Response<DescribeResponse>, Status> {
        let call = Call::of(&request)?;
        let described = self
            .described()
            .await
            .map_err(|error| call.begin().status(&error))?;
        Ok(call.reply(described))
    }

    async fn segment(
        &self,
        request: Request<WireRequest>,
    ) -> Result<Response<Self::SegmentStream>, Status> {
        let call = Call::of(&request)?;
        let work = call.begin();
        let regions = self
            .segmented(request.into_inner(), &call, &work.cancellation)
            .await;
        let regions = regions.map_err(|error| work.status(&error))?;
        let stream: Self::SegmentStream = Box::pin(stream::iter(regions.into_iter().map(Ok)));
        Ok(call.reply(stream))
    }
}
