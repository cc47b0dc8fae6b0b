//! Scores as they are told: values with intervals, losses, and what was left out.

use std::{collections::BTreeMap, path::Path};

use serde::Serialize;

use super::{
    Losses, Options, SampleScore,
    naming::Naming,
    refer,
    tally::{Scope, Tally},
};
use crate::{
    Error,
    data::Dataset,
    metrics::{
        Ratio, bootstrap,
        panoptic::{Panoptic, Quality},
    },
};

/// The JSON Schema of a report.
pub const SCHEMA: &str = include_str!("../../schemas/scores.schema.json");

/// The scores of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Which data set.
    pub data: &'static str,
    /// The file of the results.
    pub results: String,
    /// How many samples the data set has.
    pub samples: usize,
    /// How many of them the results answer.
    pub answered: usize,
    /// How many the results do not have.
    pub not_run: usize,
    /// True if those are left out; else they are wrong.
    pub only_run: bool,
    /// The scores, over all samples and over each kind.
    pub scores: Vec<Score>,
    /// The scores of the answers with the truth's own regions marked: the oracle of reading.
    pub oracle: Vec<Score>,
    /// Panoptic quality, where regions were named.
    pub panoptic: Option<Quality>,
    /// Who lost what, by metric.
    pub losses: BTreeMap<&'static str, Losses>,
    /// What else was counted.
    pub counts: BTreeMap<&'static str, u64>,
    /// Entries that were left out, of the data set and of the results.
    pub left_out: Vec<String>,
    /// What one has to know to read the numbers.
    pub notes: Vec<String>,
    /// Every sample by itself, in the order of the results; those that were not answered last.
    #[serde(skip)]
    pub each: Vec<SampleScore>,
}

/// One score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    /// The metric.
    pub metric: &'static str,
    /// The kind of samples; `None` for all.
    pub kind: Option<String>,
    /// Its value.
    pub value: f64,
    /// The lower end of its 95 % interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Over how much: expressions, phrases, marks, objects or pixels.
    pub of: f64,
    /// Over how many images or sequences, which the interval is drawn from.
    pub groups: usize,
}

/// What was counted on the way.
pub(super) struct Counted {
    pub(super) answered: usize,
    pub(super) not_run: usize,
    pub(super) left_out: Vec<Error>,
}

impl Report {
    pub(super) fn new(
        data: &Dataset,
        results: &Path,
        options: &Options,
        counted: Counted,
        tally: &Tally,
        naming: &Naming<'_>,
        mut each: Vec<SampleScore>,
    ) -> Self {
        let Counted {
            answered,
            not_run,
            left_out,
        } = counted;
        let mut counts = tally.counts().clone();
        // Where there are boxes too, a run without a mask says nothing of masks.
        let has_boxes = tally.sums().any(|(_, metric, _)| metric == refer::ACC);
        let has_masks = counts.remove(refer::MASKS).is_some() || !has_boxes;
        let (mut scores, mut oracle) = (Vec::new(), Vec::new());
        for (scope, metric, sums) in tally.sums() {
            let (list, kind) = match scope {
                Scope::All => (&mut scores, None),
                Scope::Kind(kind) => (&mut scores, Some(kind.clone())),
                Scope::Oracle => (&mut oracle, None),
            };
            let is_told = has_masks || !refer::is_of_masks(metric);
            list.extend(Score::of(metric, kind, &sums, options).filter(|_| is_told));
        }
        let mut losses = tally.losses();
        let is_told = |metric: &str| has_masks || !refer::is_of_masks(metric);
        losses.retain(|metric, _| is_told(metric));
        for sample in &mut each {
            sample.metrics.retain(|metric, _| is_told(metric));
            sample.losses.retain(|metric, _| is_told(metric));
        }
        let of_data = data.problems.iter().map(ToString::to_string);
        let left_out = left_out.iter().map(ToString::to_string);
        Self {
            data: data.kind.name(),
            results: results.display().to_string(),
            samples: data.samples.len(),
            answered,
            not_run,
            only_run: options.only_run,
            scores,
            oracle,
            panoptic: naming.panoptic().and_then(Panoptic::quality),
            losses,
            counts,
            left_out: of_data.chain(left_out).collect(),
            notes: data.notes.clone(),
            each,
        }
    }

    /// The score of a metric over all samples.
    pub fn score(&self, metric: &str) -> Option<&Score> {
        let mut scores = self.scores.iter();
        scores.find(|score| score.metric == metric && score.kind.is_none())
    }
}

impl Score {
    /// Of a metric's sums over groups; `None` over nothing.
    pub(crate) fn of(
        metric: &'static str,
        kind: Option<String>,
        sums: &[Ratio],
        options: &Options,
    ) -> Option<Self> {
        let all: Ratio = sums.iter().sum();
        let value = all.value()?;
        let interval = bootstrap(sums, options.draws, options.seed)?;
        Some(Self {
            metric,
            kind,
            value,
            low: interval.low,
            high: interval.high,
            of: all.of,
            groups: sums.len(),
        })
    }
}
