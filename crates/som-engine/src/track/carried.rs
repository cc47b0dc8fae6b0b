//! A segmenter that is no tracker, carried: what it finds in a frame is tied to what it found in the one
//! before ([`Carrier`]). What people point at is cut anew in each frame, at the place where it is
//! expected.

use std::{sync::Arc, time::Instant};

use som_core::{
    Call, Cancellation, Error, Hints, Image, ObjectHints, Params, Region, Result, Segmentation,
    Timings, Tracked,
    carry::{Carrier, Expected},
};

use super::{TrackFrame, TrackedFrame};
use crate::{
    Engine, Refinement, SegmentRequest, SegmenterChoice, SharedImage,
    engine::in_time,
    memory::PIXEL_BYTES,
    refine::{Cut, Refiner},
};

/// A segmenter, and what it was carried over.
pub(super) struct Carried {
    choice: SegmenterChoice,
    segmentation: Segmentation,
    carrier: Carrier,
    /// Whether people pointed at something: then nothing else is followed.
    is_pointed: bool,
}

impl Carried {
    /// Nothing seen yet.
    ///
    /// # Errors
    /// Unavailable, if the segmenter cannot be reached; Invalid for parameters that do not fit.
    pub(super) async fn new(
        engine: &Engine,
        id: String,
        params: Params,
        cancellation: &Cancellation,
    ) -> Result<Self> {
        let entry = engine.registry().segmenter(&id)?;
        let known = in_time(entry.reach(), cancellation).await?;
        let mut resolved = params.clone();
        for (key, value) in known.usual(engine.settings())? {
            resolved.entry(key).or_insert(value);
        }
        let descriptor = known.descriptor();
        Ok(Self {
            segmentation: Segmentation {
                segmenter: descriptor.id.clone(),
                version: descriptor.version.clone(),
                params: known.resolve(&resolved)?,
                granularity: None,
            },
            choice: SegmenterChoice {
                id: Some(id),
                params,
                granularity: None,
            },
            carrier: Carrier::default(),
            is_pointed: false,
        })
    }

    /// Who is carried, and with which parameters.
    pub(super) fn segmentation(&self) -> &Segmentation {
        &self.segmentation
    }

    /// As [`TrackSession::frame`](super::TrackSession::frame).
    pub(super) async fn frame(
        &mut self,
        engine: &Arc<Engine>,
        frame: TrackFrame,
        cancellation: &Cancellation,
    ) -> Result<TrackedFrame> {
        let started = Instant::now();
        let TrackFrame {
            image,
            index,
            hints,
            ..
        } = frame;
        // A frame that fails leaves no trace.
        let mut carrier = self.carrier.clone();
        let is_pointed = self.is_pointed || hints.iter().any(|said| !said.remove);
        let mut pointed = Vec::new();
        for ObjectHints {
            object,
            hints,
            remove,
        } in hints
        {
            match remove {
                true => carrier.forget(object),
                false => {
                    let found = self.point_out(engine, &image, &hints, cancellation).await;
                    let found = found.map_err(|error| error.at(format!("object {object}")))?;
                    pointed.extend(found.map(|region| Tracked { object, region }));
                }
            }
        }
        let bytes = image.size().pixels().saturating_mul(PIXEL_BYTES);
        let _held = engine.memory().hold("carrying objects", bytes)?;
        let (mut carrier, expected) = on(engine, &image, cancellation, move |image, call| {
            for Tracked { object, region } in pointed {
                carrier.point_at(image, index, object, region);
            }
            let expected = carrier.expect(image, index, call)?;
            Ok((carrier, expected))
        })
        .await?;
        let (carrier, tracked) = match is_pointed {
            true => {
                let cut = self.cut_anew(engine, &image, &expected, cancellation);
                let cut = cut.await?;
                on(engine, &image, cancellation, move |image, _| {
                    let tracked = carrier.follow(image, expected, cut);
                    Ok((carrier, tracked))
                })
                .await?
            }
            false => {
                let request = SegmentRequest {
                    segmenter: self.choice.clone(),
                    ..SegmentRequest::new(image.clone())
                };
                let regions = engine.segment(request, cancellation).await?.regions;
                on(engine, &image, cancellation, move |image, _| {
                    let tracked = carrier.assign(image, expected, regions);
                    Ok((carrier, tracked))
                })
                .await?
            }
        };
        self.carrier = carrier;
        self.is_pointed = is_pointed;
        Ok(TrackedFrame {
            tracked,
            took: started.elapsed(),
        })
    }

    /// What people point at: the first region that the segmenter gives for it.
    async fn point_out(
        &self,
        engine: &Engine,
        image: &SharedImage,
        hints: &Hints,
        cancellation: &Cancellation,
    ) -> Result<Option<Region>> {
        let hints = serde_json::to_value(hints)
            .map_err(|error| Error::internal("hints cannot be written").caused_by(error))?;
        let mut segmenter = self.choice.clone();
        segmenter.params.insert("hints".to_owned(), hints);
        let request = SegmentRequest {
            segmenter,
            ..SegmentRequest::new(image.clone())
        };
        let found = engine.segment(request, cancellation).await?;
        Ok(found.regions.into_iter().next())
    }

    /// Has what is still seen cut where it is expected.
    async fn cut_anew(
        &self,
        engine: &Engine,
        image: &SharedImage,
        expected: &[Expected],
        cancellation: &Cancellation,
    ) -> Result<Vec<Tracked>> {
        let wanted: Vec<&Expected> = expected
            .iter()
            .filter(|expected| expected.is_alike && !expected.is_said)
            .collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let refiner = self.refiner(engine, cancellation).await?;
        let regions = wanted.iter().map(|expected| expected.region.clone());
        let found = Cut {
            regions: regions.collect(),
            timings: Timings::default(),
        };
        let cut = engine.refine(image.clone(), found, None, &refiner, cancellation);
        let cut = cut.await?.regions.into_iter();
        let objects = wanted.iter().map(|expected| expected.object);
        let tracked = objects.zip(cut);
        Ok(tracked
            .map(|(object, region)| Tracked { object, region })
            .collect())
    }

    async fn refiner(&self, engine: &Engine, cancellation: &Cancellation) -> Result<Refiner> {
        let refinement = Refinement {
            segmenter: self.segmentation.segmenter.clone(),
            hint: None,
            params: self.choice.params.clone(),
        };
        engine.refiner(&refinement, cancellation).await
    }
}

/// Runs a pure stage on an image, off the async runtime.
async fn on<T: Send + 'static>(
    engine: &Arc<Engine>,
    image: &SharedImage,
    cancellation: &Cancellation,
    stage: impl FnOnce(&Image<'_>, &Call<'_>) -> Result<T> + Send + 'static,
) -> Result<T> {
    let (image, cancellation) = (image.clone(), cancellation.clone());
    engine
        .compute(move || {
            let cancelled = || cancellation.is_cancelled();
            let params = Params::new();
            stage(&image.as_image()?, &Call::new(&params, &cancelled))
        })
        .await
}
