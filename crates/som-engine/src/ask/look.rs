//! What the LMM gets to see: every image with marks, under one set of names and colours.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use som_core::{
    AllocateOptions, Cancellation, Error, ImagePolicy, Layer, Origin, PromptImage, ProviderInfo,
    Region, RegionNote, Result, Scene, SceneImage, Segmentation, Size, Timings,
    prompt::BoxReference,
};
use tokio::sync::mpsc;

use super::{
    AskImage, AskRequest,
    conversation::Conversation,
    cuts::Cuts,
    events::{AskEvent, send},
    prompt_image::in_srgb,
};
use crate::{Engine, Marking, RegionSource, SegmentRequest, engine::Inking, settings::Counted};

/// All images, marked and encoded.
pub(super) struct Look(Vec<Looked>);

/// One image, marked and encoded.
struct Looked {
    image: SceneImage,
    marking: Arc<Marking>,
    /// What is known of each mark without a model.
    notes: Vec<RegionNote>,
    pages: Vec<PromptImage>,
    clean: Option<PromptImage>,
    /// The ids of the marks that boxes in texts became, in the order of the boxes; 0 for a box
    /// without a mark.
    boxes: Vec<u32>,
    /// What encoding the pages took.
    encoded: Duration,
}

impl Look {
    /// Its images and marks, as prompts and answers speak of them.
    pub(super) fn scene(&self) -> Scene<'_> {
        let images = self.0.iter();
        Scene::of(images.map(|looked| (looked.image, &looked.marking.marked.allocation)))
    }

    /// Page number `page`, from 1, of image number `image`.
    pub(super) fn page(&self, image: usize, page: u32) -> Option<PromptImage> {
        let page = (page as usize).checked_sub(1)?;
        self.0.get(image)?.pages.get(page).cloned()
    }

    /// Image number `image` without marks.
    pub(super) fn clean(&self, image: usize) -> Option<PromptImage> {
        self.0.get(image)?.clean.clone()
    }

    /// What marking and encoding all images took, waiting left out.
    pub(super) fn took(&self) -> Duration {
        let each = self.0.iter().map(|looked| {
            let Timings { allocate, draw, .. } = looked.marking.timings;
            allocate.unwrap_or_default() + draw.unwrap_or_default() + looked.encoded
        });
        each.sum()
    }

    /// What is known of every mark without a model.
    pub(super) fn notes(&self) -> Vec<RegionNote> {
        let notes = self.0.iter().flat_map(|looked| &looked.notes);
        notes.cloned().collect()
    }

    /// The ids of the marks that `boxes` became, which are all there are, in order.
    pub(super) fn ids_of(&self, boxes: impl Iterator<Item = BoxReference>) -> Vec<u32> {
        let mut left: Vec<_> = self.0.iter().map(|looked| looked.boxes.iter()).collect();
        boxes
            .map(|reference| {
                let next = left.get_mut(reference.image).and_then(Iterator::next);
                next.copied().unwrap_or_default()
            })
            .collect()
    }
}

/// The regions of one image.
struct Cut {
    origin: Origin,
    /// Who refined them.
    refined: Option<Segmentation>,
    regions: Vec<Region>,
    /// The numbers that they have; empty for numbers by area.
    ids: Vec<u32>,
    /// How many of them, at the end, are boxes from texts.
    boxes: usize,
}

/// Marks the images of one request, as often as it takes.
pub(super) struct Looker<'a> {
    engine: &'a Arc<Engine>,
    request: &'a AskRequest,
    policy: ImagePolicy,
    layers: Vec<Layer>,
    /// Image by image.
    cut: Vec<Cut>,
    /// What cutting them took.
    cut_took: Duration,
    watch: Watch<'a>,
}

/// Who watches the work, and may call it off.
#[derive(Clone, Copy)]
pub(super) struct Watch<'a> {
    pub(super) cancellation: &'a Cancellation,
    pub(super) events: &'a mpsc::Sender<AskEvent>,
}

impl<'a> Looker<'a> {
    /// Cuts all images, but for what of `cuts` is known.
    ///
    /// # Errors
    /// As [`Engine::segment`] and [`Engine::resolve_layers`]: what is wrong with a layer is told before
    /// an image is cut.
    pub(super) async fn new(
        engine: &'a Arc<Engine>,
        request: &'a AskRequest,
        conversation: &Conversation,
        info: &ProviderInfo,
        cuts: &Cuts,
        watch: Watch<'a>,
    ) -> Result<Self> {
        let Watch {
            cancellation,
            events,
        } = watch;
        let layers = engine.resolve_layers(request.layers.clone())?;
        let mut cut = Vec::new();
        let mut cut_took = Duration::ZERO;
        for (image, asked) in request.images.iter().enumerate() {
            let count = conversation.count_on(image);
            let given = match &asked.regions {
                RegionSource::Given(given) => given.regions.len(),
                RegionSource::Segmenter(_) => 0,
            };
            let limits = &engine.settings().limits;
            let allowed = limits.allow(Counted::Regions, given + count);
            allowed.map_err(|error| error.at(format!("image {}", image + 1)))?;
            let mut ids = Vec::new();
            let refine = asked.refine.as_ref();
            let (origin, refined, mut regions, timings) = match &asked.regions {
                RegionSource::Given(given) => {
                    ids.clone_from(&given.ids);
                    let (pixels, regions) = (&asked.image, &given.regions);
                    let given = cuts.given(engine, image, pixels, regions, refine, cancellation);
                    let (refined, regions, timings) = given.await?;
                    (Origin::Given, refined, regions, timings)
                }
                RegionSource::Segmenter(segmenter) => {
                    let segment = SegmentRequest {
                        image: asked.image.clone(),
                        segmenter: segmenter.clone(),
                        refine: refine.cloned(),
                    };
                    let segmented = cuts.segment(engine, image, segment, cancellation);
                    let segmented = Arc::new(segmented.await?);
                    let origin = Origin::Segmented(segmented.segmentation.clone());
                    let refined = segmented.refined.clone();
                    let (regions, timings) = (segmented.regions.clone(), segmented.timings);
                    send(events, AskEvent::Regions { image, segmented }).await?;
                    (origin, refined, regions, timings)
                }
            };
            cut_took += timings.segment.unwrap_or_default();
            regions.extend(conversation.boxes_on(image, asked.size()));
            cut.push(Cut {
                origin,
                refined,
                regions,
                ids,
                boxes: count,
            });
        }
        Ok(Self {
            engine,
            request,
            policy: info.images.clone(),
            layers,
            cut,
            cut_took,
            watch,
        })
    }

    /// What cutting all images took, waiting left out.
    pub(super) fn cut_took(&self) -> Duration {
        self.cut_took
    }

    /// The most bytes that the words of a prompt may have.
    pub(super) fn max_prompt_bytes(&self) -> usize {
        self.engine.settings().limits.prompt_bytes
    }

    /// Marks all images under the names that `shuffle` chooses; the first ones, 0, are told.
    pub(super) async fn look(&self, shuffle: u64) -> Result<Look> {
        let mut images = Vec::new();
        let mut first = 0;
        let mut drawn = Vec::new();
        let mut taken = HashSet::new();
        for (image, (asked, cut)) in self.request.images.iter().zip(&self.cut).enumerate() {
            let inking = Inking {
                image: asked.image.clone(),
                origin: cut.origin.clone(),
                refined: cut.refined.clone(),
                regions: cut.regions.clone(),
                layers: self.layers.clone(),
                options: AllocateOptions {
                    marks: self.request.options.clone(),
                    view: self.policy.view,
                    first,
                    ids: cut.ids.clone(),
                    appended: cut.boxes,
                    shuffle,
                    kept: Vec::new(),
                },
                draw: true,
                drawn: drawn.clone(),
            };
            let marking = Arc::new(self.engine.ink(inking, self.watch.cancellation).await?);
            let pages = marking.marked.pages.iter();
            drawn.extend(pages.map(|page| Size::new(page.width(), page.height())));
            for mark in &marking.marked.allocation.marks {
                if !taken.insert(mark.id) {
                    return Err(Error::invalid(format!(
                        "image {}: the id {} belongs to a region of an image before it (ids of \
                         regions are kept, so those of all images have to be different)",
                        image + 1,
                        mark.id
                    )));
                }
                first = first.max(mark.id);
            }
            if shuffle == 0 {
                let marking = marking.clone();
                send(self.watch.events, AskEvent::Marked { image, marking }).await?;
            }
            let boxes = cut.regions.len() - cut.boxes..cut.regions.len();
            images.push(self.looked(image, asked, marking, boxes).await?);
        }
        Ok(Look(images))
    }

    /// Encodes what was drawn; `boxes` are the indices of the regions that are boxes from texts.
    async fn looked(
        &self,
        index: usize,
        asked: &AskImage,
        marking: Arc<Marking>,
        boxes: std::ops::Range<usize>,
    ) -> Result<Looked> {
        let (policy, clean) = (self.policy.clone(), self.request.layout.clean);
        let (image, size) = (asked.image.clone(), asked.size());
        let encode = move || {
            let started = Instant::now();
            let pages = marking.marked.pages.iter();
            let pages: Vec<PromptImage> = pages
                .map(|page| in_srgb(page, image.tags(), &policy))
                .collect::<Result<_>>()?;
            let pixels = image.as_image()?;
            let clean = clean.then(|| in_srgb(&pixels, image.tags(), &policy));
            let clean = clean.transpose()?;
            let allocation = &marking.marked.allocation;
            let notes = allocation.marks.iter().map(|mark| {
                let mark = &mark.mark;
                RegionNote::new(index, &mark.text, &mark.region, &pixels)
            });
            let ids = boxes.map(|index| {
                let mark = allocation.marks.iter().find(|mark| mark.index == index);
                mark.map_or(0, |mark| mark.id)
            });
            let sent = pages.first().map_or(size, |page| page.size);
            Ok(Looked {
                image: SceneImage {
                    size,
                    seen: policy.seen(sent),
                    pages: allocation.pages.max(1),
                    places: policy.places(),
                },
                notes: notes.collect(),
                boxes: ids.collect(),
                pages,
                clean,
                marking,
                encoded: started.elapsed(),
            })
        };
        self.engine.compute(encode).await
    }
}
