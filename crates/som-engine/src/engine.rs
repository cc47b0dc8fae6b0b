//! The orchestrator: one request through the pipeline.
//!
//! > image → regions → marks → marked image
//!
//! Decoding, allocation and drawing run on the runtime's blocking threads, at most one per core;
//! segmenters run on their own threads. Nothing here computes on the async runtime.

use std::{future::Future, iter, sync::Arc, thread, time::Instant};

use som_core::{
    AllocateOptions, Call, Cancellation, Error, Hints, Layer, LmmProvider, Origin, Params, Region,
    Result, Segmentation, Size, Timings, View, allocate, pipeline,
    pipeline::{Ink, Marked},
};
use som_lmm::Lmms;
use tokio::{sync::Semaphore, time::timeout_at};

use crate::{
    SharedImage, granularity,
    memory::{ALLOCATE_BYTES, Held, Memory, PIXEL_BYTES},
    registry::Registry,
    request::{MarkRequest, Marking, RegionSource, SegmentRequest, Segmented},
    settings::{Counted, Settings},
    worker::Request,
};

/// Everything one process needs to serve requests. Shared behind an `Arc`.
pub struct Engine {
    settings: Settings,
    registry: Registry,
    lmms: Lmms,
    compute: Arc<Semaphore>,
    memory: Arc<Memory>,
}

/// A request to mark, resolved: the image is cut, the layers have all their parameters.
pub(crate) struct Inking {
    pub(crate) image: SharedImage,
    pub(crate) origin: Origin,
    pub(crate) regions: Vec<Region>,
    pub(crate) layers: Vec<Layer>,
    pub(crate) options: AllocateOptions,
    pub(crate) draw: bool,
    /// Sizes of the pages that are drawn already for the same call.
    pub(crate) drawn: Vec<Size>,
}

impl Engine {
    /// An engine over everything in `registry` and the models that the settings name, whose keys
    /// are in this process's environment.
    ///
    /// # Errors
    /// Invalid, if a table in the settings names a segmenter that is not there or holds options
    /// that do not fit its schema, or if a model's table or a limit is wrong.
    pub fn new(settings: Settings, registry: Registry) -> Result<Self> {
        settings.limits.check()?;
        for id in settings.segmenter.keys() {
            registry
                .segmenter(id)
                .and_then(|entry| entry.check(&settings))
                .map_err(|error| error.at(format!("settings: segmenter.{id}")))?;
        }
        let lmms = settings.lmms(|name| std::env::var(name).ok())?;
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            registry,
            lmms,
            compute: Arc::new(Semaphore::new(cores)),
            memory: Arc::new(Memory::new(settings.limits.memory_bytes)),
            settings,
        })
    }

    /// The effective settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What all calls in progress hold together.
    pub fn memory(&self) -> &Arc<Memory> {
        &self.memory
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
    /// parameters, hints and a granularity that do not fit, Unsupported for kinds of hints that it
    /// does not take, Exhausted if its queue is full or for too many hints, Cancelled once called
    /// off, else what the segmenter reports.
    pub async fn segment(
        &self,
        request: SegmentRequest,
        cancellation: &Cancellation,
    ) -> Result<Segmented> {
        let SegmentRequest { image, segmenter } = request;
        let choose = granularity::choose(segmenter, &self.registry, &self.settings);
        let chosen = in_time(choose, cancellation).await?;
        let entry = self.registry.segmenter(&chosen.segmenter)?;
        let reached = in_time(entry.reach(), cancellation).await?;
        // What is malformed is told by the segmenter's own schema.
        if let Ok(Some(hints)) = Hints::from_params(&chosen.params) {
            self.settings.limits.allow(Counted::Hints, hints.count())?;
            let taken = hints.check_kinds(&reached.descriptor().params);
            taken.map_err(|error| error.at(reached.who()))?;
        }
        let params = reached.resolve(&chosen.params)?;
        if let Some(hints) = Hints::from_params(&params)? {
            hints.check(image.size())?;
        }
        let pool = reached.pool(&self.settings, &self.memory)?;
        let job = Request {
            image,
            params: params.clone(),
            // Whoever is refused or leaves calls off its own part alone.
            cancellation: cancellation.part(),
        };
        let done = pool.segment(job).await?;
        let descriptor = reached.descriptor();
        Ok(Segmented {
            segmentation: Segmentation {
                segmenter: descriptor.id.clone(),
                version: descriptor.version.clone(),
                params,
                granularity: chosen.granularity,
            },
            regions: done.regions,
            timings: Timings {
                segment: Some(done.took),
                ..Timings::default()
            },
        })
    }

    /// image → regions → marks → marked image.
    ///
    /// # Errors
    /// As [`segment`](Self::segment); NotFound for an unknown mark style, Invalid for parameters,
    /// regions or options that do not fit, Exhausted beyond a limit of the settings, else what a
    /// style reports.
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
        let mut ids = Vec::new();
        let (origin, regions, segment) = match regions {
            RegionSource::Given(given) => {
                let count = given.regions.len();
                self.settings.limits.allow(Counted::Regions, count)?;
                ids = given.ids;
                (Origin::Given, given.regions, None)
            }
            RegionSource::Segmenter(segmenter) => {
                let image = image.clone();
                let request = SegmentRequest { image, segmenter };
                let Segmented {
                    segmentation,
                    regions,
                    timings,
                } = self.segment(request, cancellation).await?;
                (Origin::Segmented(segmentation), regions, timings.segment)
            }
        };
        let view = &self.settings.view;
        let inking = Inking {
            image,
            origin,
            regions,
            layers,
            options: AllocateOptions {
                marks: options,
                view: View {
                    long_side: view.long_side,
                    short_side: view.short_side,
                    ..View::UNLIMITED
                },
                ids,
                ..AllocateOptions::default()
            },
            draw,
            drawn: Vec::new(),
        };
        let mut marking = self.ink(inking, cancellation).await?;
        marking.timings.segment = segment;
        Ok(marking)
    }

    /// The layers of a request with the parameters they get, defaults filled in.
    ///
    /// # Errors
    /// NotFound for an unknown mark style, Invalid for parameters that do not fit, Exhausted for too
    /// many layers.
    pub(crate) fn resolve_layers(&self, layers: Option<Vec<Layer>>) -> Result<Vec<Layer>> {
        let count = layers.as_ref().map_or(0, Vec::len);
        self.settings.limits.allow(Counted::Layers, count)?;
        let layers = layers.unwrap_or_else(|| {
            let styles = self.settings.mark.styles.iter().cloned();
            styles
                .map(|style| Layer {
                    style,
                    params: Params::new(),
                })
                .collect()
        });
        layers
            .into_iter()
            .map(|Layer { style, params }| {
                let params = self.registry.style(&style)?.resolve(&params)?;
                Ok(Layer { style, params })
            })
            .collect()
    }

    /// regions → marks → marked image. What the options leave open is as in the settings.
    ///
    /// # Errors
    /// As [`mark`](Self::mark).
    pub(crate) async fn ink(
        self: &Arc<Self>,
        inking: Inking,
        cancellation: &Cancellation,
    ) -> Result<Marking> {
        let (engine, cancellation) = (self.clone(), cancellation.clone());
        self.compute(move || {
            let Inking {
                image,
                origin,
                regions,
                layers,
                mut options,
                draw,
                drawn,
            } = inking;
            options.marks = options.marks.or(&engine.settings.mark.options);
            let cancelled = || cancellation.is_cancelled();
            let params = Params::new();
            let call = Call::new(&params, &cancelled);
            let stack = engine.stack(&layers)?;
            let pixels = image.as_image()?;
            let mut held = engine.memory.hold(
                "allocation",
                image.size().pixels().saturating_mul(ALLOCATE_BYTES),
            )?;

            let started = Instant::now();
            let allocation = tracing::info_span!("allocate").in_scope(|| {
                allocate(&pixels, regions, pipeline::labels(&stack), &options, &call)
            })?;
            let allocated = Instant::now();
            let mut timings = Timings {
                allocate: Some(allocated - started),
                ..Timings::default()
            };
            let mut pages = Vec::new();
            held.give_back(u64::MAX);
            if draw {
                engine.hold_pages(&mut held, allocation.pages, image.size(), drawn)?;
                pages = tracing::info_span!("draw")
                    .in_scope(|| pipeline::draw(&pixels, &allocation, &stack, &call))?;
                timings.draw = Some(allocated.elapsed());
            }
            Ok(Marking {
                origin,
                layers,
                marked: Marked { allocation, pages },
                timings,
                held: Arc::new(held),
            })
        })
        .await
    }

    /// The layers with their styles.
    fn stack<'a>(&'a self, layers: &'a [Layer]) -> Result<Vec<Ink<'a>>> {
        let ink = |layer: &'a Layer| {
            Ok(Ink {
                style: self.registry.style(&layer.style)?.style(),
                params: &layer.params,
            })
        };
        layers.iter().map(ink).collect()
    }

    /// Takes the memory of the pages of an image: all are drawn before the first is given away.
    ///
    /// # Errors
    /// Exhausted, if there are too many, if they have too many pixels together with those `drawn`
    /// already, or if there is no memory for them.
    fn hold_pages(
        &self,
        held: &mut Held,
        pages: u32,
        size: Size,
        mut drawn: Vec<Size>,
    ) -> Result<()> {
        let (limits, count) = (&self.settings.limits, pages.max(1) as usize);
        limits.allow(Counted::Pages, count).map_err(more_marks)?;
        drawn.extend(iter::repeat_n(size, count));
        limits.allow_pixels("pages", drawn).map_err(more_marks)?;
        let pixels = size.pixels().saturating_mul(count as u64);
        held.add("drawing", pixels.saturating_mul(PIXEL_BYTES))
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

/// What else helps against too many pages.
fn more_marks(error: Error) -> Error {
    error.at("drawing: allow more marks on a page, or fewer altogether")
}

/// What `work` comes to, unless the call is over before.
///
/// # Errors
/// As `work`; Cancelled after the deadline.
async fn in_time<T>(
    work: impl Future<Output = Result<T>>,
    cancellation: &Cancellation,
) -> Result<T> {
    match cancellation.deadline() {
        None => work.await,
        Some(deadline) => timeout_at(deadline.into(), work)
            .await
            .map_err(|_| Error::cancelled())?,
    }
}
