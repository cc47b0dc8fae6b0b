//! The orchestrator: one request through the pipeline.
//!
//! > image → regions → marks → marked image
//!
//! Decoding, allocation and drawing run on the runtime's blocking threads, at most one per core;
//! segmenters run on their own threads. Nothing here computes on the async runtime.

use std::{future::Future, iter, path::PathBuf, sync::Arc, thread, time::Instant};

use som_core::{
    AllocateOptions, Allocation, Call, Cancellation, Error, Layer, LmmProvider, Origin, Params,
    Region, Result, Segmentation, Size, Timings, View, allocate, pipeline,
    pipeline::{Ink, Marked},
    prompt::Template,
};
use som_lmm::Lmms;
use tokio::{sync::Semaphore, time::timeout_at};

use crate::{
    SharedImage,
    memory::{ALLOCATE_BYTES, Held, Memory, PIXEL_BYTES},
    registry::Registry,
    request::{MarkRequest, Marking, RegionSource, SegmentRequest, Segmented},
    settings::{Counted, Settings},
};

/// Everything one process needs to serve requests. Shared behind an `Arc`.
pub struct Engine {
    settings: Settings,
    registry: Registry,
    lmms: Lmms,
    /// The words of a question that brings none.
    template: Option<Template>,
    compute: Arc<Semaphore>,
    memory: Arc<Memory>,
    /// Places for videos that are tracked.
    pub(crate) sessions: Arc<Semaphore>,
}

/// A request to mark, resolved: the image is cut, the layers have all their parameters.
pub(crate) struct Inking {
    pub(crate) image: SharedImage,
    pub(crate) origin: Origin,
    pub(crate) refined: Option<Segmentation>,
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
    /// Invalid, if a table in the settings names a segmenter or mark style that is not there or holds
    /// what does not fit its schema, or if a model's table, the words of a prompt or a limit are wrong.
    pub fn new(settings: Settings, registry: Registry) -> Result<Self> {
        settings.limits.check()?;
        for id in settings.segmenter.keys() {
            let at = |error: Error| error.at(settings.places.of(&format!("segmenter.{id}")));
            registry.segmenter(id).map_err(at)?.check(&settings)?;
        }
        for id in settings.style.keys() {
            let at = |error: Error| error.at(settings.places.of(&format!("style.{id}")));
            registry.style(id).map_err(at)?.usual(&settings)?;
        }
        for id in settings.tracker.keys() {
            let at = |error: Error| error.at(settings.places.of(&format!("tracker.{id}")));
            let entry = registry.tracker(id).map_err(at)?;
            entry.usual(&settings)?;
            entry.configured(&settings)?;
        }
        let template = settings.template()?;
        let lmms = settings.lmms(|name| std::env::var(name).ok())?;
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            registry,
            lmms,
            template,
            compute: Arc::new(Semaphore::new(cores)),
            memory: Arc::new(Memory::new(settings.limits.memory_bytes)),
            sessions: Arc::new(Semaphore::new(
                settings.limits.sessions.min(Semaphore::MAX_PERMITS),
            )),
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

    /// The words of the prompt of a question; `None` for the usual ones.
    pub(crate) fn template(&self) -> Option<&Template> {
        self.template.as_ref()
    }

    /// The same engine with one more model, under the name that it gives itself.
    #[must_use]
    pub fn with_lmm(mut self, provider: Arc<dyn LmmProvider>) -> Self {
        self.lmms.add(provider);
        self
    }

    /// The same engine with the answers of the model called `name` kept in `folder`
    /// ([`Lmms::keep_answers`]): what is not there yet is asked of what `ask` makes of the model.
    ///
    /// # Errors
    /// NotFound for an unknown model.
    pub fn with_answers_kept(
        mut self,
        name: &str,
        folder: PathBuf,
        ask: impl FnOnce(Arc<dyn LmmProvider>) -> Arc<dyn LmmProvider>,
    ) -> Result<Self> {
        self.lmms.keep_answers(name, folder, ask)?;
        Ok(self)
    }

    /// The large multimodal models that can be asked.
    pub fn lmms(&self) -> &Lmms {
        &self.lmms
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
            refine,
            layers,
            options,
            draw,
            kept,
        } = request;
        // What is wrong with a layer is told before the image is cut.
        let layers = self.resolve_layers(layers)?;
        let mut ids = Vec::new();
        let (origin, (refined, regions, timings)) = match regions {
            RegionSource::Given(given) => {
                let count = given.regions.len();
                self.settings.limits.allow(Counted::Regions, count)?;
                ids = given.ids;
                let given = self.given(&image, given.regions, refine.as_ref(), cancellation);
                (Origin::Given, given.await?)
            }
            RegionSource::Segmenter(segmenter) => {
                let request = SegmentRequest {
                    image: image.clone(),
                    segmenter,
                    refine,
                };
                let Segmented {
                    segmentation,
                    refined,
                    regions,
                    timings,
                } = self.segment(request, cancellation).await?;
                (Origin::Segmented(segmentation), (refined, regions, timings))
            }
        };
        let view = &self.settings.view;
        let inking = Inking {
            image,
            origin,
            refined,
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
                kept,
                ..AllocateOptions::default()
            },
            draw,
            drawn: Vec::new(),
        };
        let marking = self.ink(inking, cancellation).await?;
        Ok(Marking {
            timings: Timings {
                allocate: marking.timings.allocate,
                draw: marking.timings.draw,
                ..timings
            },
            ..marking
        })
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
            .map(|Layer { style, mut params }| {
                let entry = self.registry.style(&style)?;
                for (key, value) in entry.usual(&self.settings)? {
                    params.entry(key).or_insert(value);
                }
                let params = entry.resolve(&params)?;
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
                refined,
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
                engine.hold_pages(&mut held, &allocation, image.size(), drawn)?;
                pages = tracing::info_span!("draw")
                    .in_scope(|| pipeline::draw(&pixels, &allocation, &stack, &call))?;
                timings.draw = Some(allocated.elapsed());
            }
            Ok(Marking {
                origin,
                refined,
                layers,
                marked: Marked { allocation, pages },
                tags: image.tags().clone(),
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
        allocation: &Allocation,
        size: Size,
        mut drawn: Vec<Size>,
    ) -> Result<()> {
        let Allocation { pages, scale, .. } = *allocation;
        let size = Size::new(size.width * scale, size.height * scale);
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
pub(crate) async fn in_time<T>(
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
