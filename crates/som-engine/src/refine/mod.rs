//! image → regions by two: the regions of a detector become hints of a refiner.
//!
//! > regions → hints → masks → regions
//!
//! A segmenter that is made of two does so, and any regions may be refined for one request, those that
//! are given as well. The parts work on their own workers, with the deadline of the request.

mod answer;
mod hint;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, FutureExt as _};
use som_core::{Cancellation, Error, HintKind, Params, Region, Result, Segmentation, Timings};

use self::answer::Story;
use crate::{
    Engine, Refinement, SharedImage,
    engine::in_time,
    registry::{KnownSegmenter, Told},
    worker::Request,
};

/// What an image was cut into, and how long that took.
#[derive(Clone)]
pub(crate) struct Cut {
    pub(crate) regions: Vec<Region>,
    /// What `segment`, and of that `detect` and `refine`, took.
    pub(crate) timings: Timings,
}

/// A segmenter that is told of regions, and how.
pub(crate) struct Refiner {
    segmenter: Arc<KnownSegmenter>,
    /// What it is told of each; `None` for what suits.
    hint: Option<HintKind>,
    /// Defaults filled in, without hints.
    params: Params,
}

impl Refiner {
    /// `segmenter`, told of regions as `refinement` says.
    ///
    /// # Errors
    /// Unsupported, if it takes no such hints; Invalid for parameters that do not fit.
    pub(crate) fn new(segmenter: Arc<KnownSegmenter>, refinement: &Refinement) -> Result<Self> {
        let Refinement { hint, params, .. } = refinement;
        let kinds: Vec<&str> = kinds(&segmenter).iter().map(|kind| kind.name()).collect();
        let refused = |what: &str| {
            let takes = match kinds.as_slice() {
                [] => "none".to_owned(),
                kinds => kinds.join(", "),
            };
            let message = format!("takes no {what} (hints that it takes of a region: {takes})");
            Err(Error::unsupported(message).at(segmenter.who()))
        };
        if kinds.is_empty() {
            return refused("hints of regions, so it cannot refine any");
        }
        if let Some(kind) = hint.filter(|kind| !kinds.contains(&kind.name())) {
            return refused(&format!("{kind} as a hint"));
        }
        if params.contains_key("hints") {
            let message =
                "the regions that are refined are its hints: leave out its parameter \"hints\"";
            return Err(Error::invalid(message).at(segmenter.who()));
        }
        Ok(Self {
            params: segmenter.resolve(params)?,
            segmenter,
            hint: *hint,
        })
    }

    /// What it was asked for, defaults filled in.
    pub(crate) fn refinement(&self) -> Refinement {
        Refinement {
            segmenter: self.segmenter.descriptor().id.clone(),
            hint: self.hint,
            params: self.params.clone(),
        }
    }

    /// Who refines, and how.
    pub(crate) fn segmentation(&self) -> Segmentation {
        let descriptor = self.segmenter.descriptor();
        Segmentation {
            segmenter: descriptor.id.clone(),
            version: descriptor.version.clone(),
            params: self.params.clone(),
            granularity: None,
        }
    }
}

impl Engine {
    /// image → regions: by the workers of a segmenter, or by the two that it is made of. `params` are
    /// valid for it.
    ///
    /// # Errors
    /// What the segmenter reports; Cancelled, as soon as the request is called off.
    pub(crate) fn cut<'a>(
        &'a self,
        segmenter: &'a KnownSegmenter,
        image: SharedImage,
        params: Params,
        cancellation: &'a Cancellation,
    ) -> BoxFuture<'a, Result<Cut>> {
        let cut = async move {
            let Some([detector, refiner]) = segmenter.parts() else {
                let job = Request {
                    image,
                    params,
                    // Whoever is refused or leaves calls off its own part alone.
                    cancellation: cancellation.part(),
                };
                let pool = segmenter.pool(self.settings(), self.memory())?;
                let done = pool.segment(job).await?;
                let timings = Timings {
                    segment: Some(done.took),
                    ..Timings::default()
                };
                return Ok(Cut {
                    regions: done.regions,
                    timings,
                });
            };
            let by_two = async {
                let Told {
                    detect,
                    refine,
                    hint,
                } = Told::of(params)?;
                let refinement = Refinement {
                    segmenter: refiner.descriptor().id.clone(),
                    hint,
                    params: refine,
                };
                // What is wrong with either is told before the image is cut.
                let refiner = Refiner::new(refiner.clone(), &refinement)?;
                let detect = detector.resolve(&detect)?;
                let found = self
                    .cut(detector, image.clone(), detect, cancellation)
                    .await?;
                let detector = Some(&*detector.descriptor().id);
                self.refine(image, found, detector, &refiner, cancellation)
                    .await
            };
            by_two.await.map_err(|error| error.at(segmenter.who()))
        };
        cut.boxed()
    }

    /// regions → hints → masks: what a refiner makes of what was `found` by the `detector`, or was given.
    /// There are as many regions afterwards, in the same order.
    ///
    /// # Errors
    /// Unsupported for regions that are no hints of the refiner; what it reports; Cancelled, as soon as
    /// the request is called off.
    pub(crate) async fn refine(
        &self,
        image: SharedImage,
        found: Cut,
        detector: Option<&str>,
        refiner: &Refiner,
        cancellation: &Cancellation,
    ) -> Result<Cut> {
        let Refiner {
            segmenter,
            hint,
            params,
        } = refiner;
        let (wanted, taken, size) = (*hint, kinds(segmenter), image.size());
        let who = segmenter.who();
        let regions = found.regions;
        let hints = move || {
            let hints = hint::of_all(&regions, size, wanted, &taken);
            let hints = hints.map_err(|error| error.at(who))?;
            Ok((regions, hints))
        };
        let (regions, hints) = self.compute(hints).await?;

        let mut answers = vec![Vec::new(); hints.len()];
        let mut took = Duration::ZERO;
        let mut calls = VecDeque::from(hint::calls(&hints));
        while let Some(call) = calls.pop_front() {
            let told = call.iter().filter_map(|&index| hints[index].as_ref());
            let params = segmenter.resolve(&hint::told(params, told)?)?;
            let cut = self
                .cut(segmenter, image.clone(), params, cancellation)
                .await?;
            took += cut.timings.segment.unwrap_or_default();
            match answer::by_hint(cut.regions, call.len()) {
                Some(sorted) => call
                    .into_iter()
                    .zip(sorted)
                    .for_each(|(index, found)| answers[index] = found),
                // Then one after the other, as all that follow.
                None => {
                    let left = call.into_iter().chain(calls.drain(..).flatten());
                    calls = left.map(|index| vec![index]).collect();
                }
            }
        }

        let (detector, refiner) = (
            detector.map(str::to_owned),
            segmenter.descriptor().id.clone(),
        );
        let tell = move || {
            let story = Story {
                detector: detector.as_deref(),
                refiner: &refiner,
            };
            let all = regions.into_iter().zip(hints).zip(answers);
            let told = all.map(|((region, hint), found)| story.told(region, hint.as_ref(), found));
            Ok(told.collect())
        };
        let detect = found.timings.segment;
        Ok(Cut {
            regions: self.compute(tell).await?,
            timings: Timings {
                segment: Some(detect.unwrap_or_default() + took),
                detect,
                refine: Some(took),
                ..Timings::default()
            },
        })
    }

    /// Regions that come with a request, refined if that is asked for: who did it, the regions, and
    /// what that took.
    ///
    /// # Errors
    /// As [`segment`](Self::segment), as far as it is about refining.
    pub(crate) async fn given(
        &self,
        image: &SharedImage,
        regions: Vec<Region>,
        refine: Option<&Refinement>,
        cancellation: &Cancellation,
    ) -> Result<(Option<Segmentation>, Vec<Region>, Timings)> {
        let timings = Timings::default();
        let Some(refine) = refine else {
            return Ok((None, regions, timings));
        };
        let refiner = self.refiner(refine, cancellation).await?;
        let given = Cut { regions, timings };
        let refined = self.refine(image.clone(), given, None, &refiner, cancellation);
        let Cut { regions, timings } = refined.await?;
        Ok((Some(refiner.segmentation()), regions, timings))
    }

    /// The refiner that a request names.
    ///
    /// # Errors
    /// NotFound, Unavailable or Invalid for the segmenter, as [`segment`](Self::segment); as
    /// [`Refiner::new`].
    pub(crate) async fn refiner(
        &self,
        refine: &Refinement,
        cancellation: &Cancellation,
    ) -> Result<Refiner> {
        let refiner = async {
            let entry = self.registry().segmenter(&refine.segmenter)?;
            let reached = in_time(entry.reach(), cancellation).await?;
            Refiner::new(reached, refine)
        };
        refiner.await.map_err(|error| error.at("refine"))
    }
}

/// The hints that a segmenter takes of a region.
fn kinds(segmenter: &KnownSegmenter) -> Vec<HintKind> {
    let kinds = HintKind::ALL.into_iter();
    let kinds = kinds.filter(|kind| segmenter.descriptor().can(kind.capability()));
    kinds.collect()
}
