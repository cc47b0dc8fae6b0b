//! The JSON of `som compare`; its schema is `schemas/compare.schema.json`.

use serde::Serialize;
use serde_json::{Map, Value, json};
use som_core::{
    Timings, Unmarked, Usage,
    ground::Mention,
    task::{Consensus, Finding, Task},
};

use super::{
    Trial,
    agreement::Agreement,
    rows::{Row, Spread},
};
use crate::{
    ask::{AnswerReport, LmmReport},
    exit,
    report::{self, ImageReport, MarkEntry},
    session::ComparedRow,
};

/// What was asked, and how it was answered in each way.
#[derive(Serialize)]
pub(super) struct CompareReport<'a> {
    question: &'a Task,
    images: Vec<ImageReport<'a>>,
    rows: Vec<RowReport<'a>>,
    agreement: &'a [Agreement],
}

#[derive(Serialize)]
struct RowReport<'a> {
    /// As it was written.
    row: &'a str,
    trials: Vec<TrialReport<'a>>,
    /// Mean and spread over the trials that were answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    times_ms: Option<Value>,
}

/// One answer, or why there is none.
#[derive(Serialize)]
struct TrialReport<'a> {
    segmenter: Option<&'a str>,
    images: Vec<MarkedReport<'a>>,
    failure: Option<String>,
    #[serde(flatten)]
    answered: Option<AnsweredReport<'a>>,
}

/// An image that was marked.
#[derive(Serialize)]
struct MarkedReport<'a> {
    /// Index among all images, from 0.
    image: usize,
    styles: Vec<&'a str>,
    scale: u32,
    marks: Vec<MarkEntry<'a>>,
    unmarked: &'a [Unmarked],
}

#[derive(Serialize)]
struct AnsweredReport<'a> {
    lmm: LmmReport<'a>,
    answer: AnswerReport<'a>,
    mentions: &'a [Mention],
    findings: &'a [Finding],
    /// Of several votes.
    agreement: Option<&'a Consensus>,
    rounds: u32,
    usage: Option<Usage>,
    cost_usd: Option<f64>,
    cut_short: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timings_ms: Option<Timings>,
}

impl<'a> CompareReport<'a> {
    /// Of the answers of all `rows` in all `trials`; `timings` says whether it is told how long they
    /// took.
    pub(super) fn new(
        task: &'a Task,
        trials: &'a [Trial],
        rows: &'a [Row<'a>],
        agreement: &'a [Agreement],
        timings: bool,
    ) -> Self {
        let images = trials.iter().flat_map(|trial| &trial.question.images);
        let images =
            images.map(|image| ImageReport::new(&image.image, image.size(), &image.decoded.notes));
        let row = |row: &'a Row<'a>| {
            let answered = row.trials.iter().zip(trials);
            RowReport {
                row: row.name,
                trials: answered
                    .map(|(answered, trial)| TrialReport::new(answered, trial, timings))
                    .collect(),
                times_ms: timings.then(|| times(row)),
            }
        };
        Self {
            question: task,
            images: images.collect(),
            rows: rows.iter().map(row).collect(),
            agreement,
        }
    }
}

impl<'a> TrialReport<'a> {
    fn new(row: &'a ComparedRow, trial: &Trial, timings: bool) -> Self {
        let images = row.images.iter().zip(trial.first_image..);
        let images = images.map(|(marked, image)| MarkedReport {
            image,
            styles: report::styles(&marked.layers),
            scale: marked.allocation.scale,
            marks: report::marks(&marked.allocation),
            unmarked: &marked.allocation.unmarked,
        });
        let answered = row.outcome.as_ref().ok().map(|outcome| AnsweredReport {
            lmm: LmmReport::new(&outcome.lmm),
            answer: AnswerReport::new(outcome),
            mentions: &outcome.grounded.mentions,
            findings: &outcome.grounded.findings,
            agreement: outcome.consensus.as_ref(),
            rounds: outcome.rounds,
            usage: outcome.usage,
            cost_usd: outcome.cost,
            cut_short: outcome.cut_short.as_deref(),
            timings_ms: timings.then_some(outcome.timings),
        });
        let failure = row.outcome.as_ref().err();
        Self {
            segmenter: Some(row.segmenter.as_str()).filter(|id| !id.is_empty()),
            images: images.collect(),
            failure: failure.map(|error| exit::one_line(error)),
            answered,
        }
    }
}

/// What the stages of a row took, in the mean over its trials.
fn times(row: &Row<'_>) -> Value {
    let stages = [
        ("segment", row.seconds(|timings| timings.segment)),
        ("mark", row.seconds(|timings| timings.mark)),
        ("answer", row.seconds(|timings| timings.answer)),
        ("wait", row.seconds(|timings| timings.wait)),
        ("total", row.took()),
    ];
    let milliseconds = |seconds: f64| (seconds * 1e6).round() / 1e3;
    let told = |Spread { mean, deviation }: Spread| json!({"mean": milliseconds(mean), "spread": deviation.map(milliseconds)});
    let stages = stages.into_iter();
    let stages = stages.filter_map(|(stage, took)| Some((stage.to_owned(), told(took?))));
    Value::Object(stages.collect::<Map<_, _>>())
}
