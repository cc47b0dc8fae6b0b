//! One sample, asked as one row asks.

use std::{path::Path, sync::Arc, time::Instant};

use som_core::{Cancellation, Region, Result};
use som_engine::SegmenterChoice;

use super::{
    Row, asked::ask, fault::Fault, picture::Picture, question::task, row::Regions, source::Sources,
    specialist, track,
};
use crate::{
    Sample, Truth,
    results::{Outcome, Trace},
};

/// Asks samples.
pub(super) struct Asker {
    pub(super) sources: Arc<Sources>,
    /// Whether marked images are kept.
    pub(super) keeps_images: bool,
}

impl Asker {
    /// Asks sample number `at` as `row` does; marked images go to `folder`.
    ///
    /// # Errors
    /// Why it has no outcome.
    pub(super) async fn outcome(
        &self,
        row: &Row,
        at: usize,
        folder: &Path,
        stop: &Cancellation,
    ) -> Result<Outcome, Fault> {
        let (sources, sample) = (&self.sources, self.sample(at));
        if let Truth::Video(video) = &sample.truth {
            return track::outcome(sources, row, at, video, stop).await;
        }
        let picture = sources.picture(at).await.map_err(Fault::LeftOut)?;
        if row.specialist {
            let outcome = self.specialist(row, at, &picture, stop).await;
            return outcome.map_err(Fault::Failed);
        }
        let task = task(sample).map_err(Fault::LeftOut)?;
        let began = Instant::now();
        let cut = sources.cut(row.source(), at, &picture, stop).await;
        // The truth is the data set's; what a segmenter cannot cut, it has lost.
        let cut = cut.map_err(|error| match row.source() {
            Regions::Segmenter(_) => Fault::Failed(error),
            Regions::Golden | Regions::Given(_) => Fault::LeftOut(error),
        })?;
        let segment_ms = milliseconds(began);
        let engine = &sources.engine;
        let asked = ask(engine, row, task.clone(), vec![(&picture, cut)], stop).await;
        let asked = asked.map_err(Fault::Failed)?;
        let mut outcome = asked.outcome(sample);
        let mut trace = asked.trace();
        trace.segment_ms += segment_ms;
        if self.keeps_images {
            let images = asked.keep_images(engine, folder).await;
            trace.images = images.map_err(Fault::Failed)?;
        }
        if row.oracle && row.source() != Regions::Golden {
            let cut = sources.cut(Regions::Golden, at, &picture, stop).await;
            let cut = cut.map_err(Fault::LeftOut)?;
            let oracle = ask(engine, row, task, vec![(&picture, cut)], stop).await;
            let oracle = oracle.map_err(Fault::Failed)?;
            trace.add(&oracle.answer);
            outcome.oracle = Some(oracle.outcome(sample).answer);
        }
        outcome.trace = Some(trace);
        Ok(outcome)
    }

    fn sample(&self, at: usize) -> &Sample {
        &self.sources.data.samples[at]
    }

    async fn specialist(
        &self,
        row: &Row,
        at: usize,
        picture: &Picture,
        stop: &Cancellation,
    ) -> Result<Outcome> {
        let began = Instant::now();
        let sample = self.sample(at);
        let mut all = Vec::new();
        for params in specialist::calls(sample, &row.params)? {
            let choice = SegmenterChoice {
                id: row.segmenter.clone(),
                params,
                granularity: row.granularity,
            };
            all.push(self.sources.segmented(choice, picture, stop).await?);
        }
        let calls: Vec<&[Region]> = all.iter().map(|regions| regions.as_slice()).collect();
        let mut outcome = specialist::outcome(sample, &calls);
        outcome.trace = Some(Trace {
            segment_ms: milliseconds(began),
            ..Trace::default()
        });
        Ok(outcome)
    }
}

fn milliseconds(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1e3
}
