//! The orchestrator: one request through the pipeline.
//!
//! > image → regions → marks → marked image
//!
//! Decoding, allocation and drawing run on the runtime's blocking threads, at most one per core;
//! segmenters run on their own threads. Nothing here computes on the async runtime.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use som_core::{
    AllocateOptions, Call, Cancellation, Error, Hints, LmmProvider, Params, Region, Result, Size,
    View,
    allocate::allocate,
    pipeline::{self, Layer, Marked},
};
use som_lmm::Lmms;
use tokio::{sync::Semaphore, time::timeout_at};

use crate::{SharedImage, registry::Registry, settings::Settings, worker::Request};

/// Everything one process needs to serve requests. Shared behind an `Arc`.
pub struct Engine {
    settings: Settings,
    registry: Registry,
    lmms: Lmms,
    compute: Arc<Semaphore>,
}

/// Asks for regions.
#[derive(Clone, Debug)]
pub struct SegmentRequest {
    /// The image, decoded and upright.
    pub image: SharedImage,
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

/// Asks for a marked image.
#[derive(Clone, Debug)]
pub struct MarkRequest {
    /// The image, decoded and upright.
    pub image: SharedImage,
    /// Where its regions come from.
    pub regions: RegionSource,
    /// The layers of ink, the lowest first; `None` for those in the settings.
    pub layers: Option<Vec<LayerRequest>>,
    /// What mark allocation may do; start from [`Engine::allocate_options`].
    pub options: AllocateOptions,
    /// False for marks alone: no page is drawn.
    pub draw: bool,
}

/// Where the regions to mark come from.
#[derive(Clone, Debug)]
pub enum RegionSource {
    /// The image is segmented.
    Segmenter {
        /// Segmenter id; `None` for the one in the settings.
        id: Option<String>,
        /// Parameters of the call, `hints` among them.
        params: Params,
    },
    /// They are given.
    Given(Vec<Region>),
}

/// One layer of ink.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerRequest {
    /// Mark style id.
    pub style: String,
    /// Parameters of the layer.
    pub params: Params,
}

/// A marked image, and how it came about.
#[derive(Clone, Debug)]
pub struct Marking {
    /// How the image was cut, its regions now in the marks; `None` if they were given.
    pub segmentation: Option<Segmentation>,
    /// The layers of ink with the parameters they got, defaults filled in.
    pub layers: Vec<LayerRequest>,
    /// Marks and pages; no page, if none was to be drawn.
    pub marked: Marked,
    /// Time mark allocation took.
    pub allocate: Duration,
    /// Time drawing took.
    pub draw: Duration,
}

/// What the stages after segmentation give.
struct Inked {
    marked: Marked,
    allocate: Duration,
    draw: Duration,
}

impl Engine {
    /// An engine over everything in `registry` and the models that the settings name, whose keys
    /// are in this process's environment.
    ///
    /// # Errors
    /// Invalid, if a table in the settings names a segmenter that is not there or holds options
    /// that do not fit its schema, or if a model's table is wrong.
    pub fn new(settings: Settings, registry: Registry) -> Result<Self> {
        for id in settings.segmenter.keys() {
            registry
                .segmenter(id)
                .and_then(|entry| entry.check(&settings))
                .map_err(|error| error.at(format!("settings: segmenter.{id}")))?;
        }
        let lmms = settings.lmms(|name| std::env::var(name).ok())?;
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            settings,
            registry,
            lmms,
            compute: Arc::new(Semaphore::new(cores)),
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

    /// The same engine with one more model, under the name that it gives itself.
    #[must_use]
    pub fn with_lmm(mut self, provider: Arc<dyn LmmProvider>) -> Self {
        self.lmms.add(provider);
        self
    }

    /// The large multimodal models that can be asked.
    pub fn lmms(&self) -> &Lmms {
        &self.lmms
    }

    /// image → regions.
    ///
    /// # Errors
    /// NotFound for an unknown segmenter, Unavailable for one that cannot be reached, Invalid for
    /// parameters and hints that do not fit, Exhausted if its queue is full, Cancelled once called off, else
    /// what the segmenter reports.
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
        let segmenter = match cancellation.deadline() {
            None => entry.reach().await?,
            Some(deadline) => timeout_at(deadline.into(), entry.reach())
                .await
                .map_err(|_| Error::cancelled())??,
        };
        let params = segmenter.resolve(&request.params)?;
        if let Some(hints) = Hints::from_params(&params)? {
            hints.check(request.image.size())?;
        }
        let pool = segmenter.pool(&self.settings)?;
        let job = Request {
            image: request.image,
            params: params.clone(),
            cancellation: cancellation.clone(),
        };
        let done = pool.segment(job).await?;
        let descriptor = segmenter.descriptor();
        Ok(Segmentation {
            segmenter: descriptor.id.clone(),
            version: descriptor.version.clone(),
            params,
            regions: done.regions,
            took: done.took,
        })
    }

    /// What mark allocation may do when a request says nothing else: the settings' view and page
    /// size.
    pub fn allocate_options(&self) -> AllocateOptions {
        let (mark, view) = (&self.settings.mark, &self.settings.view);
        AllocateOptions {
            page_size: Some(mark.page_size).filter(|&size| size > 0),
            view: View {
                long_side: view.long_side,
                short_side: view.short_side,
                ..View::UNLIMITED
            },
            min_glyph: view.min_glyph,
            ..AllocateOptions::default()
        }
    }

    /// image → regions → marks → marked image.
    ///
    /// # Errors
    /// As [`segment`](Self::segment); NotFound for an unknown mark style, Invalid for parameters,
    /// regions or options that do not fit, else what a style reports.
    pub async fn mark(
        self: &Arc<Self>,
        request: MarkRequest,
        cancellation: &Cancellation,
    ) -> Result<Marking> {
        let MarkRequest {
            image,
            regions,
            layers,
            options,
            draw,
        } = request;
        // What is wrong with a layer is told before the image is cut.
        let layers = self.resolve_layers(layers)?;
        let (segmentation, regions) = match regions {
            RegionSource::Given(regions) => (None, regions),
            RegionSource::Segmenter { id, params } => {
                let request = SegmentRequest {
                    image: image.clone(),
                    segmenter: id,
                    params,
                };
                let mut segmentation = self.segment(request, cancellation).await?;
                let regions = std::mem::take(&mut segmentation.regions);
                (Some(segmentation), regions)
            }
        };
        let (engine, cancellation) = (self.clone(), cancellation.clone());
        self.compute(move || {
            let cancelled = || cancellation.is_cancelled();
            let params = Params::new();
            let call = Call::new(&params, &cancelled);
            let inked = engine.ink(&image, regions, &layers, &options, draw, &call)?;
            Ok(Marking {
                segmentation,
                layers,
                marked: inked.marked,
                allocate: inked.allocate,
                draw: inked.draw,
            })
        })
        .await
    }

    fn resolve_layers(&self, layers: Option<Vec<LayerRequest>>) -> Result<Vec<LayerRequest>> {
        let layers = layers.unwrap_or_else(|| {
            let styles = self.settings.mark.styles.iter().cloned();
            styles
                .map(|style| LayerRequest {
                    style,
                    params: Params::new(),
                })
                .collect()
        });
        layers
            .into_iter()
            .map(|LayerRequest { style, params }| {
                let params = self.registry.style(&style)?.resolve(&params)?;
                Ok(LayerRequest { style, params })
            })
            .collect()
    }

    /// regions → marks → marked image. Blocking.
    fn ink(
        &self,
        image: &SharedImage,
        regions: Vec<Region>,
        layers: &[LayerRequest],
        options: &AllocateOptions,
        draw: bool,
        call: &Call<'_>,
    ) -> Result<Inked> {
        let layers = layers.iter().map(|layer| {
            Ok(Layer {
                style: self.registry.style(&layer.style)?.style(),
                params: &layer.params,
            })
        });
        let stack = layers.collect::<Result<Vec<_>>>()?;
        let view = image.view()?;

        let started = Instant::now();
        let allocation = tracing::info_span!("allocate")
            .in_scope(|| allocate(&view, regions, pipeline::labels(&stack), options, call))?;
        let allocated = Instant::now();
        if draw {
            self.check_pages(allocation.pages, Size::new(view.width(), view.height()))?;
        }
        let pages = match draw {
            true => tracing::info_span!("draw")
                .in_scope(|| pipeline::draw(&view, &allocation, &stack, call))?,
            false => Vec::new(),
        };
        Ok(Inked {
            marked: Marked { allocation, pages },
            allocate: allocated - started,
            draw: allocated.elapsed(),
        })
    }

    /// All pages of an image are drawn before the first is given away.
    ///
    /// # Errors
    /// Exhausted, if they have more pixels than an image may have.
    fn check_pages(&self, pages: u32, size: Size) -> Result<()> {
        let most = self.settings.limits.image_pixels;
        if pages > 1 && size.pixels().saturating_mul(pages.into()) > most {
            return Err(Error::exhausted(format!(
                "{pages} pages of {size} have more than {most} pixels together (allow more marks on a page, or raise limits.image_pixels)"
            )));
        }
        Ok(())
    }

    /// Runs a pure stage off the async runtime, at most one per core at a time.
    ///
    /// # Errors
    /// What the stage reports; Internal if it panicked.
    pub async fn compute<T: Send + 'static>(
        &self,
        stage: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = self.compute.clone().acquire_owned().await;
        let permit = permit.map_err(|_| Error::unavailable("the engine is shutting down"))?;
        let span = tracing::Span::current();
        let work = move || {
            // Held by the work itself, which goes on when nobody waits for it any more.
            let _permit = permit;
            span.in_scope(stage)
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| Error::internal("a stage of the pipeline panicked").caused_by(error))?
    }
}
