//! The JSON of `som ask`; its schema is `schemas/ask.schema.json`.

use serde::Serialize;
use som_core::{
    ProviderInfo, Segmentation, Timings, Unmarked, Usage,
    ground::{Mention, Thought},
    task::{Consensus, Finding, Task},
};
use som_engine::{Segmented, ask::AskOutcome};

use super::Asked;
pub(super) use crate::report::{to_line, to_lines};
use crate::{
    report::{self, ImageReport, MarkEntry},
    session::Question,
};

/// What was asked and answered.
#[derive(Serialize)]
pub(super) struct AskReport<'a> {
    question: &'a Task,
    lmm: LmmReport<'a>,
    images: Vec<AskedImage<'a>>,
    answer: AnswerReport<'a>,
    mentions: &'a [Mention],
    findings: &'a [Finding],
    thoughts: &'a [Thought],
    agreement: Option<&'a Consensus>,
    rounds: u32,
    usage: Option<Usage>,
    cost_usd: Option<f64>,
    cut_short: Option<&'a str>,
    marked: &'a [String],
    highlighted: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    timings_ms: Option<Timings>,
}

#[derive(Serialize)]
pub(crate) struct LmmReport<'a> {
    name: &'a str,
    provider: &'a str,
    model: &'a str,
}

/// An image, and the marks on it.
#[derive(Serialize)]
struct AskedImage<'a> {
    image: ImageReport<'a>,
    segmenter: Option<&'a Segmentation>,
    /// As in [`report::MarkReport`].
    #[serde(skip_serializing_if = "Option::is_none")]
    refiner: Option<&'a Segmentation>,
    styles: Vec<&'a str>,
    /// As in the report of `som mark`.
    scale: u32,
    marks: Vec<MarkEntry<'a>>,
    /// Regions that got no mark, and why.
    unmarked: &'a [Unmarked],
}

#[derive(Serialize)]
pub(crate) struct AnswerReport<'a> {
    text: &'a str,
    finish: &'static str,
    /// Why it is not complete.
    reason: Option<&'a str>,
}

impl<'a> LmmReport<'a> {
    pub(crate) fn new(lmm: &'a ProviderInfo) -> Self {
        Self {
            name: &lmm.name,
            provider: &lmm.provider,
            model: &lmm.model,
        }
    }
}

impl<'a> AnswerReport<'a> {
    pub(crate) fn new(outcome: &'a AskOutcome) -> Self {
        Self {
            text: &outcome.text,
            finish: outcome.finish.name(),
            reason: outcome.finish.reason(),
        }
    }
}

impl<'a> AskReport<'a> {
    /// Of an answer; `cut` are the regions of each image, and `marked` and `highlighted` the files
    /// that were written; `timings` says whether they are told.
    pub(super) fn new(
        question: &'a Question,
        asked: &'a Asked,
        cut: &'a [Option<Segmented>],
        marked: &'a [String],
        highlighted: &'a [String],
        timings: bool,
    ) -> Self {
        let outcome = &asked.outcome;
        let images = question.images.iter().zip(&asked.images).zip(cut);
        let images = images.map(|((image, marked), segmented)| AskedImage {
            image: ImageReport::new(&image.image, marked.size, &image.decoded.notes),
            segmenter: segmented.as_ref().map(|segmented| &segmented.segmentation),
            refiner: segmented
                .as_ref()
                .and_then(|segmented| segmented.refined.as_ref()),
            styles: report::styles(&marked.layers),
            scale: marked.allocation.scale,
            marks: report::marks(&marked.allocation),
            unmarked: &marked.allocation.unmarked,
        });
        let decode = question.images.iter().map(|image| image.decoded.took);
        Self {
            question: &question.task,
            lmm: LmmReport::new(&outcome.lmm),
            images: images.collect(),
            answer: AnswerReport::new(outcome),
            mentions: &outcome.grounded.mentions,
            findings: &outcome.grounded.findings,
            thoughts: &outcome.grounded.thoughts,
            agreement: outcome.consensus.as_ref(),
            rounds: outcome.rounds,
            usage: outcome.usage,
            cost_usd: outcome.cost,
            cut_short: outcome.cut_short.as_deref(),
            marked,
            highlighted,
            timings_ms: timings.then(|| Timings {
                decode: Some(decode.sum()),
                // Where there was nothing to do, it took no time.
                segment: Some(outcome.timings.segment.unwrap_or_default()),
                ..outcome.timings
            }),
        }
    }
}
