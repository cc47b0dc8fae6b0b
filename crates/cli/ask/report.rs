//! The JSON of `som ask`; its schema is `schemas/ask.schema.json`.

use serde::Serialize;
use som_core::{
    Finish, Segmentation, Timings, Usage,
    ground::Mention,
    task::{Consensus, Finding, Task},
};
use som_engine::ask::AskRequest;

use super::Asked;
use crate::{
    report::{self, ImageReport, MarkEntry},
    session::Picture,
};

pub(super) use crate::report::{to_line, to_lines};

/// What was asked and answered.
#[derive(Serialize)]
pub(super) struct AskReport<'a> {
    question: &'a Task,
    lmm: LmmReport<'a>,
    images: Vec<AskedImage<'a>>,
    answer: AnswerReport<'a>,
    mentions: &'a [Mention],
    findings: &'a [Finding],
    agreement: Option<&'a Consensus>,
    rounds: u32,
    usage: Option<Usage>,
    cost_usd: Option<f64>,
    cut_short: Option<&'a str>,
    marked: &'a [String],
    highlighted: &'a [String],
    timings_ms: Timings,
}

#[derive(Serialize)]
struct LmmReport<'a> {
    name: &'a str,
    provider: &'a str,
    model: &'a str,
}

/// An image, and the marks on it.
#[derive(Serialize)]
struct AskedImage<'a> {
    image: &'a ImageReport,
    segmenter: Option<&'a Segmentation>,
    styles: Vec<&'a str>,
    marks: Vec<MarkEntry<'a>>,
}

#[derive(Serialize)]
struct AnswerReport<'a> {
    text: &'a str,
    finish: &'static str,
    /// Why it is not complete.
    reason: Option<&'a str>,
}

impl<'a> AskReport<'a> {
    /// Of an answer; `marked` and `highlighted` are the files that were written.
    pub(super) fn new(
        request: &'a AskRequest,
        pictures: &'a [Picture],
        asked: &'a Asked,
        marked: &'a [String],
        highlighted: &'a [String],
    ) -> Self {
        let outcome = &asked.outcome;
        let (finish, reason) = match &outcome.finish {
            Finish::Stop => ("stop", None),
            Finish::Length => ("length", None),
            Finish::Refusal(why) => ("refusal", Some(why.as_str())),
            Finish::Partial(why) => ("partial", Some(why.as_str())),
        };
        let images = pictures.iter().zip(&asked.markings).enumerate();
        let images = images.map(|(index, (picture, marking))| AskedImage {
            image: &picture.report,
            segmenter: asked.segmented[index]
                .as_deref()
                .map(|segmented| &segmented.segmentation),
            styles: marking
                .layers
                .iter()
                .map(|layer| layer.style.as_str())
                .collect(),
            marks: report::marks(&marking.marked.allocation),
        });
        Self {
            question: &request.task,
            lmm: LmmReport {
                name: &outcome.lmm.name,
                provider: &outcome.lmm.provider,
                model: &outcome.lmm.model,
            },
            images: images.collect(),
            answer: AnswerReport {
                text: &outcome.text,
                finish,
                reason,
            },
            mentions: &outcome.grounded.mentions,
            findings: &outcome.grounded.findings,
            agreement: outcome.consensus.as_ref(),
            rounds: outcome.rounds,
            usage: outcome.usage,
            cost_usd: outcome.cost,
            cut_short: outcome.cut_short.as_deref(),
            marked,
            highlighted,
            timings_ms: Timings {
                decode: Some(pictures.iter().map(|picture| picture.decode).sum()),
                ..outcome.timings
            },
        }
    }
}
