//! The orchestrator: one request through the pipeline.
//!
//! > image → regions → marks → marked image
//!
//! Decoding, allocation and drawing run on the runtime's blocking threads, at most one per core;
//! segmenters run on their own threads. Nothing here computes on the async runtime.

use std::{sync::Arc, thread, time::Duration};

use image::RgbImage;
use som_core::{Cancellation, Error, Params, Region, Result};
use tokio::sync::Semaphore;

use crate::{registry::Registry, settings::Settings, worker::Request};

/// Everything one process needs to serve requests. Shared behind an `Arc`.
pub struct Engine {
    settings: Settings,
    registry: Registry,
    compute: Semaphore,
}

/// Asks for regions.
#[derive(Clone, Debug)]
pub struct SegmentRequest {
    /// The image, decoded and upright.
    pub image: Arc<RgbImage>,
    /// Segmenter id; `None` for the one in the settings.
    pub segmenter: Option<String>,
    /// Parameters of the call, `hints` among them.
    pub params: Params,
}

/// The regions of an image, and how they came about.
#[derive(Clone, Debug)]
pub struct Segmentation {
    /// Segmenter id.
    pub segmenter: String,
    /// Its version.
    pub version: String,
    /// The parameters it got, defaults filled in.
    pub params: Params,
    /// In the segmenter's own order.
    pub regions: Vec<Region>,
    /// Time the segmenter took.
    pub took: Duration,
}

impl Engine {
    /// An engine over everything in `registry`.
    ///
    /// # Errors
    /// Invalid, if a table in the settings names a segmenter that is not there or holds options
    /// that do not fit its schema.
    pub fn new(settings: Settings, registry: Registry) -> Result<Self> {
        for id in settings.segmenter.keys() {
            registry
                .segmenter(id)
                .and_then(|entry| entry.configured(&settings))
                .map_err(|error| error.at(format!("settings: segmenter.{id}")))?;
        }
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            settings,
            registry,
            compute: Semaphore::new(cores),
        })
    }

    /// The effective settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What there is to segment and to mark with.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// image → regions.
    ///
    /// # Errors
    /// NotFound for an unknown segmenter, Invalid for parameters that do not fit, Exhausted if its
    /// queue is full, Cancelled once called off, else what the segmenter reports.
    pub async fn segment(
        &self,
        request: SegmentRequest,
        cancellation: &Cancellation,
    ) -> Result<Segmentation> {
        let id = request
            .segmenter
            .as_deref()
            .unwrap_or(&self.settings.mark.segmenter);
        let entry = self.registry.segmenter(id)?;
        let params = entry.resolve(&request.params)?;
        let pool = entry.pool(&self.settings)?;
        let job = Request {
            image: request.image,
            params: params.clone(),
            cancellation: cancellation.clone(),
        };
        let done = pool.segment(job).await?;
        let descriptor = entry.descriptor();
        Ok(Segmentation {
            segmenter: descriptor.id.clone(),
            version: descriptor.version.clone(),
            params,
            regions: done.regions,
            took: done.took,
        })
    }

    /// Runs a pure stage off the async runtime, at most one per core at a time.
    ///
    /// # Errors
    /// What the stage reports; Internal if it panicked.
    pub async fn compute<T: Send + 'static>(
        &self,
        stage: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let _permit = self
            .compute
            .acquire()
            .await
            .map_err(|_| Error::unavailable("the engine is shutting down"))?;
        tokio::task::spawn_blocking(stage)
            .await
            .map_err(|error| Error::internal("a stage of the pipeline panicked").caused_by(error))?
    }
}
