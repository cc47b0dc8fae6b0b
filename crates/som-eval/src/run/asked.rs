//! An answer about images and their regions, with what was shown.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use sha2::{Digest as _, Sha256};
use som_core::{
    AllocatedMark, Cancellation, Color, Error, Result, Usage, encode::Encoding, task::Task,
};
use som_engine::{
    Engine, GivenRegions, Marking, RegionSource,
    ask::{AskEvent, AskImage, AskOutcome, AskRequest},
};

use super::{
    Row, files,
    picture::{Picture, hex},
    reading::{self, Shown},
    source::Cut,
};
use crate::{
    Sample,
    results::{Named, Outcome, Trace},
};

/// An answer about images and their regions.
pub(super) struct Asked {
    pub(super) answer: AskOutcome,
    /// Image by image.
    pub(super) markings: Vec<Arc<Marking>>,
    pub(super) cuts: Vec<Cut>,
}

/// Asks `task` about the images as `row` does.
///
/// # Errors
/// As [`Engine::ask`]; Unavailable, if fewer answers came than were wanted.
pub(super) async fn ask(
    engine: &Arc<Engine>,
    row: &Row,
    task: Task,
    shown: Vec<(&Picture, Cut)>,
    stop: &Cancellation,
) -> Result<Asked> {
    let images = shown.iter().map(|(picture, cut)| {
        let given = GivenRegions::from(Vec::clone(&cut.regions));
        AskImage::new(picture.pixels.clone(), RegionSource::Given(given))
    });
    let request = AskRequest {
        layers: row.layers(),
        options: row.marks.clone(),
        lmm: row.lmm.clone(),
        template: row.prompt()?,
        layout: row.layout(),
        votes: row.votes(),
        budget: row.budget(),
        ..AskRequest::new(images.collect(), task)
    };
    let mut markings = Vec::new();
    let answer = engine.ask_watched(request, stop, |stage| {
        if let AskEvent::Marked { marking, .. } = stage {
            markings.push(marking);
        }
    });
    let answer = answer.await?;
    match answer.cut_short {
        Some(why) => Err(Error::unavailable(format!("there are fewer votes: {why}"))),
        None => Ok(Asked {
            answer,
            markings,
            cuts: shown.into_iter().map(|(_, cut)| cut).collect(),
        }),
    }
}

impl Asked {
    /// The marks of all images.
    fn marks(&self) -> impl Iterator<Item = &AllocatedMark> {
        let markings = self.markings.iter();
        markings.flat_map(|marking| &marking.marked.allocation.marks)
    }

    /// What the answer says of a sample about one image.
    pub(super) fn outcome(&self, sample: &Sample) -> Outcome {
        let (Some(marking), Some(cut)) = (self.markings.first(), self.cuts.first()) else {
            return Outcome::default();
        };
        let shown = Shown {
            regions: &cut.regions,
            marks: &marking.marked.allocation.marks,
            ids: &cut.ids,
        };
        reading::outcome(sample, &shown, &self.answer.text, &self.answer.grounded)
    }

    /// How the answer came about.
    pub(super) fn trace(&self) -> Trace {
        let color = |id: &u32| -> Option<Color> {
            let mark = self.marks().find(|mark| mark.id == *id)?;
            Some(mark.mark.color)
        };
        let mentions = &self.answer.grounded.mentions;
        let named = mentions.iter().map(|mention| {
            let first = mention.marks.first().filter(|_| mention.is_meant());
            Named {
                start: mention.span.start,
                end: mention.span.end,
                color: first.and_then(color).map(|color| color.to_string()),
            }
        });
        let invented = mentions.iter().map(|mention| mention.unresolved.len());
        let consensus = self.answer.consensus.as_ref();
        let agreements = consensus.map(|consensus| consensus.findings.as_slice());
        let agreements = agreements.filter(|shares| !shares.is_empty());
        let mut trace = Trace {
            text: self.answer.text.clone(),
            mentions: named.collect(),
            finish: Some(self.answer.finish.clone()),
            marks: self.marks().count(),
            invented: invented.sum(),
            agreement: agreements.map(|shares| shares.iter().sum::<f64>() / shares.len() as f64),
            ..Trace::default()
        };
        trace.add(&self.answer);
        trace
    }

    /// Writes the pages that were shown below `folder`; their names from there.
    ///
    /// # Errors
    /// Unavailable, if they cannot be written.
    pub(super) async fn keep_images(&self, engine: &Engine, folder: &Path) -> Result<Vec<String>> {
        let (markings, folder) = (self.markings.clone(), folder.join("images"));
        let keep = move || {
            let pages = markings.iter().flat_map(|marking| &marking.marked.pages);
            let keep = pages.map(|page| {
                let bytes = som_core::encode::encode(page, Encoding::Jpeg)?;
                let digest = hex(&Sha256::digest(&bytes));
                let name = format!("{}.jpg", digest.get(..16).unwrap_or(&digest));
                let path: PathBuf = folder.join(&name);
                if !path.exists() {
                    files::write(&path, &bytes)?;
                }
                Ok(format!("images/{name}"))
            });
            keep.collect()
        };
        engine.compute(keep).await
    }
}

impl Trace {
    /// Adds what an answer took.
    pub(super) fn add(&mut self, answer: &AskOutcome) {
        let took = |took: Option<std::time::Duration>| took.unwrap_or_default().as_secs_f64() * 1e3;
        self.mark_ms += took(answer.timings.mark);
        self.answer_ms += took(answer.timings.answer);
        self.rounds += answer.rounds;
        if let Some(usage) = answer.usage {
            let sum = self.usage.get_or_insert_default();
            let Usage {
                input_tokens,
                output_tokens,
                cached_tokens,
            } = sum;
            *input_tokens = input_tokens.saturating_add(usage.input_tokens);
            *output_tokens = output_tokens.saturating_add(usage.output_tokens);
            *cached_tokens = cached_tokens.saturating_add(usage.cached_tokens);
        }
        if let Some(cost) = answer.cost {
            *self.cost.get_or_insert_default() += cost;
        }
    }

    /// Of a sample that has no answer, and why.
    pub(super) fn of_failure(error: &Error) -> Self {
        Self {
            failure: Some(som_core::with_causes(error)),
            ..Self::default()
        }
    }
}
