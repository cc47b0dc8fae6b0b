//! The work done here, by an engine of this process.

use std::sync::Arc;

use async_trait::async_trait;
use som_core::{
    Cancellation, Error, Params, Result, Size, Timings,
    encode::{Encoding, encode_with},
    prompt::Template,
};
use som_engine::{
    Engine, MarkRequest, Marking, RegionSource, SegmentRequest, Segmented,
    ask::{AskDraft, AskEvent, AskImage, AskOutcome, AskRequest},
    compare::{CompareRequest, Compared},
    registry::Registry,
    settings::Settings,
};
use tokio::sync::mpsc;

use super::{
    ComparedRow, ImageToMark, MarkedImage, Plan, Question, QuestionImage, SegmentedImage, Session,
    Stage,
    catalog::{Catalog, Reached},
    wanted::{Wanted, is_granularity_in},
};
use crate::{
    embedded::PLUGINS,
    flags::{Flags, RefineArgument},
    input::{Decoded, InputImage},
};

/// Events that may wait while pages are encoded.
const EVENTS: usize = 64;

/// An engine of this process.
pub(super) struct LocalSession {
    engine: Arc<Engine>,
    stop: Cancellation,
}

impl LocalSession {
    /// Starts an engine for so many images `at_a_time`, whose work `stop` calls off.
    ///
    /// # Errors
    /// As [`open`](super::open).
    pub(super) async fn open(
        mut settings: Settings,
        flags: &Flags,
        hints: Params,
        at_a_time: usize,
        stop: &Cancellation,
    ) -> Result<(Self, Plan)> {
        let wanted = Wanted::all(flags, &hints)?;
        let is_granularity_wanted = is_granularity_in(&wanted, settings.mark.granularity());
        match &flags.regions.segmenter {
            // For a row without it the levels of the usual segmenter may be spread.
            Some(id) if is_granularity_wanted => {
                settings.segmenter.entry(id.clone()).or_default();
            }
            Some(id) => settings.mark.segmenter.clone_from(id),
            None => {}
        }
        if let Some(styles) = &flags.marks.styles {
            settings.mark.styles.clone_from(styles);
        }
        for id in flags.rows.iter().filter_map(|row| row.segmenter()) {
            // Named, so that it is looked for among the installed libraries, too.
            settings.segmenter.entry(id.to_owned()).or_default();
        }
        let refiners = flags.refiners()?;
        for RefineArgument { segmenter, .. } in &refiners {
            settings.segmenter.entry(segmenter.clone()).or_default();
        }
        let registry = match is_granularity_wanted {
            // Who is there decides who answers.
            true => Registry::open(PLUGINS, &settings)?,
            false => Registry::open_for(PLUGINS, &settings)?,
        };
        let reached = Reached::wanted(&registry, &settings, &wanted, &refiners).await?;
        let catalog = Catalog::of_engine(&reached, &registry, &settings);
        let plan = Plan::new(flags, hints, &catalog)?;

        if let Some(name) = &flags.lmm {
            settings.ask.lmm.clone_from(name);
        }
        let refiner = plan.refine.as_ref().map(|refine| &refine.segmenter);
        for id in plan.cutter.iter().chain(refiner) {
            for worker in registry.workers(id)? {
                let (settled, _) = settings.segmenter(worker)?;
                let table = settings.segmenter.entry(worker.to_owned()).or_default();
                if let Some(jobs) = flags.jobs {
                    table.insert("instances".to_owned(), jobs.into());
                }
                // Images of one run wait for one another; none is refused.
                table.insert("queue".to_owned(), settled.queue.max(at_a_time).into());
            }
        }
        for (id, options) in &plan.options {
            let table = settings.segmenter.entry(id.clone()).or_default();
            table.extend(options.clone());
        }
        let session = Self {
            engine: Arc::new(Engine::new(settings, registry)?),
            stop: stop.clone(),
        };
        Ok((session, plan))
    }

    async fn decode(&self, image: &InputImage) -> Result<Decoded> {
        let options = self.engine.settings().decoding();
        let image = image.clone();
        self.engine.compute(move || image.decode(&options)).await
    }

    /// A stage that the engine tells, its pages encoded as `pages`; `None` for one that nobody
    /// waits for.
    async fn stage(
        &self,
        event: AskEvent,
        images: &[QuestionImage],
        pages: Option<Encoding>,
    ) -> Result<Option<Stage>> {
        Ok(Some(match event {
            AskEvent::Regions { image, segmented } => {
                Stage::Regions(image, Segmented::clone(&segmented))
            }
            AskEvent::Marked { image, marking } => {
                let size = images[image].size();
                let encode = move || encoded(Marking::clone(&marking), size, pages);
                Stage::Marked(self.engine.compute(encode).await?)
            }
            AskEvent::Round { number } => Stage::Round(number),
            AskEvent::Text(text) => Stage::Text(text),
            AskEvent::Mention(mention) => Stage::Mention(mention),
            AskEvent::Usage(_) => return Ok(None),
        }))
    }
}

impl LocalSession {
    /// What comes of `work`, whose events are passed on as stages.
    async fn told<T>(
        &self,
        question: &Question,
        stages: mpsc::Sender<Stage>,
        work: impl AsyncFnOnce(mpsc::Sender<AskEvent>) -> Result<T>,
    ) -> Result<T> {
        let (events, received) = mpsc::channel(EVENTS);
        let pass_on = async {
            // Gone with this block: if nobody takes the stages any more, the engine stops.
            let mut received = received;
            while let Some(event) = received.recv().await {
                let stage = self.stage(event, &question.images, question.pages).await?;
                if let Some(stage) = stage {
                    stages.send(stage).await.map_err(|_| Error::cancelled())?;
                }
            }
            // And so is this: a watcher of the stages sees their end.
            drop(stages);
            Ok::<_, Error>(())
        };
        let (outcome, passed_on) = tokio::join!(work(events), pass_on);
        passed_on?;
        outcome
    }
}

#[async_trait(?Send)]
impl Session for LocalSession {
    async fn segment(&self, image: &InputImage, plan: &Plan) -> Result<SegmentedImage> {
        let Decoded {
            pixels,
            took,
            notes,
        } = self.decode(image).await?;
        let size = pixels.size();
        let request = SegmentRequest {
            segmenter: plan.segmenter.clone(),
            refine: plan.refine.clone(),
            ..SegmentRequest::new(pixels)
        };
        let mut segmented = self.engine.segment(request, &self.stop).await?;
        segmented.timings.decode = Some(took);
        Ok(SegmentedImage {
            size,
            notes,
            segmented,
        })
    }

    async fn mark(
        &self,
        image: &ImageToMark,
        plan: &Plan,
        encoding: Option<Encoding>,
    ) -> Result<MarkedImage> {
        let (decoded, regions) = match &image.given {
            Some((decoded, given)) => (decoded.clone(), RegionSource::Given(given.clone())),
            None => (
                self.decode(&image.image).await?,
                RegionSource::Segmenter(plan.segmenter.clone()),
            ),
        };
        let Decoded {
            pixels,
            took,
            notes,
        } = decoded;
        let size = pixels.size();
        let request = MarkRequest {
            regions,
            refine: plan.refine.clone(),
            layers: Some(plan.layers.clone()),
            options: plan.marks.clone(),
            draw: encoding.is_some(),
            ..MarkRequest::new(pixels)
        };
        let mut marking = self.engine.mark(request, &self.stop).await?;
        marking.timings.decode = Some(took);
        let encode = move || encoded(marking, size, encoding);
        let marked = self.engine.compute(encode).await?;
        Ok(MarkedImage { notes, ..marked })
    }

    async fn ask(
        &self,
        question: &Question,
        plan: &Plan,
        stages: mpsc::Sender<Stage>,
    ) -> Result<AskOutcome> {
        let request = request(question, plan)?;
        let ask = async |events| self.engine.ask(request, &self.stop, &events).await;
        self.told(question, stages, ask).await
    }

    async fn draft(
        &self,
        question: &Question,
        plan: &Plan,
        stages: mpsc::Sender<Stage>,
    ) -> Result<AskDraft> {
        let request = request(question, plan)?;
        let draft = async |events| self.engine.draft(request, &self.stop, &events).await;
        self.told(question, stages, draft).await
    }

    async fn compare(
        &self,
        question: &Question,
        plan: &Plan,
        rows: mpsc::Sender<ComparedRow>,
    ) -> Result<()> {
        let request = CompareRequest {
            ask: request(question, plan)?,
            rows: plan.rows.clone(),
        };
        let (done, received) = mpsc::channel(1);
        let compare = async {
            let result = self.engine.compare(request, &self.stop, &done).await;
            drop(done);
            result
        };
        let sizes: Vec<Size> = question.images.iter().map(QuestionImage::size).collect();
        let pages = question.pages;
        let pass_on = async {
            let mut received = received;
            while let Some(compared) = received.recv().await {
                let sizes = sizes.clone();
                let row = move || row(compared, &sizes, pages);
                let row = self.engine.compute(row).await?;
                rows.send(row).await.map_err(|_| Error::cancelled())?;
            }
            Ok::<_, Error>(())
        };
        let (compared, passed_on) = tokio::join!(compare, pass_on);
        passed_on?;
        compared
    }
}

/// The question as the engine takes it.
fn request(question: &Question, plan: &Plan) -> Result<AskRequest> {
    let images = question.images.iter().map(|image| AskImage {
        image: image.decoded.pixels.clone(),
        regions: match &image.regions {
            Some(regions) => RegionSource::Given(regions.clone()),
            None => RegionSource::Segmenter(plan.segmenter.clone()),
        },
        refine: image.refine(plan),
    });
    let words = question.words.as_deref();
    Ok(AskRequest {
        layers: Some(plan.layers.clone()),
        options: plan.marks.clone(),
        history: question.history.clone(),
        lmm: plan.lmm.clone(),
        template: words.map(Template::parse).transpose()?,
        layout: question.layout,
        votes: question.votes,
        budget: question.budget,
        ..AskRequest::new(images.collect(), question.task.clone())
    })
}

fn row(compared: Compared, sizes: &[Size], pages: Option<Encoding>) -> Result<ComparedRow> {
    let markings = compared.markings.into_iter().zip(sizes);
    let images = markings
        .map(|(marking, &size)| encoded(Arc::unwrap_or_clone(marking), size, pages))
        .collect::<Result<_>>()?;
    Ok(ComparedRow {
        index: compared.row,
        segmenter: compared.segmenter,
        images,
        outcome: compared.outcome,
        took: compared.took,
    })
}

/// What was marked on an image of `size`, its pages encoded. Blocks.
fn encoded(marking: Marking, size: Size, pages: Option<Encoding>) -> Result<MarkedImage> {
    let _span = tracing::info_span!("encode").entered();
    let start = std::time::Instant::now();
    let encode = |encoding| {
        let pages = marking.marked.pages.iter();
        pages
            .map(|page| encode_with(page, encoding, &marking.tags))
            .collect::<Result<Vec<_>>>()
    };
    let pages = pages.map(encode).transpose()?.unwrap_or_default();
    Ok(MarkedImage {
        size,
        notes: Vec::new(),
        origin: marking.origin,
        refined: marking.refined,
        layers: marking.layers,
        allocation: marking.marked.allocation,
        pages,
        timings: Timings {
            encode: Some(start.elapsed()),
            ..marking.timings
        },
    })
}
