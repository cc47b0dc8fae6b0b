//! Scores and samples as tables: comma-separated values (RFC 4180).

use std::collections::BTreeSet;

use super::{RowReport, RunReport};
use crate::{
    Error, Result,
    results::{self, Outcome},
    run::Manifest,
};

/// Every score of `runs`, one a line: run, row, metric, kind, value, its interval, over how much.
///
/// # Errors
/// [`Error::Invalid`], if it cannot be written.
pub fn scores(runs: &[RunReport]) -> Result<Vec<u8>> {
    let mut table = Table::new(&[
        "run", "row", "metric", "kind", "value", "low", "high", "of", "groups",
    ])?;
    for (run, row) in rows(runs) {
        for score in &row.scores.scores {
            table.line([
                run.run.clone(),
                row.row.clone(),
                score.metric.to_owned(),
                score.kind.clone().unwrap_or_default(),
                score.value.to_string(),
                score.low.to_string(),
                score.high.to_string(),
                score.of.to_string(),
                score.groups.to_string(),
            ])?;
        }
    }
    table.finish()
}

/// Every sample of every row of `runs`, one a line: how it went, its metrics, who lost what of the
/// leading one, and what it took.
///
/// # Errors
/// [`Error::Unreadable`], if results are gone; [`Error::Invalid`], if it cannot be written.
pub fn samples(runs: &[RunReport]) -> Result<Vec<u8>> {
    let each = rows(runs).flat_map(|(_, row)| &row.scores.each);
    let metrics: BTreeSet<&str> = each
        .flat_map(|sample| sample.metrics.keys().copied())
        .collect();
    let mut heads = vec!["run", "row", "sample", "group", "kinds", "verdict"];
    heads.extend(&metrics);
    heads.extend([
        "reached",
        "segmenter",
        "marks",
        "model",
        "parsing",
        "reading",
        "rounds",
        "input_tokens",
        "output_tokens",
        "cost",
        "segment_ms",
        "mark_ms",
        "answer_ms",
        "text",
        "failure",
    ]);
    let mut table = Table::new(&heads)?;
    for (run, row) in rows(runs) {
        let path = Manifest::results(run.run.as_ref(), &row.asked);
        let outcomes = results::read(&path)?.filter_map(|(_, outcome)| outcome.ok());
        let outcomes: std::collections::HashMap<String, Outcome> = outcomes
            .map(|outcome| (outcome.sample.clone(), told(outcome)))
            .collect();
        for score in &row.scores.each {
            let sample = &run.dataset.samples[score.place];
            let mut line = vec![
                run.run.clone(),
                row.row.clone(),
                sample.id.clone(),
                sample.group.clone(),
                sample.kinds.join(" "),
                score.verdict().name().to_owned(),
            ];
            line.extend(metrics.iter().map(|metric| number(score.value(metric))));
            let losses = score.losses.values().next();
            line.extend(match losses {
                Some(l) => {
                    [l.reached, l.segmenter, l.marks, l.model, l.parsing].map(|n| n.to_string())
                }
                None => Default::default(),
            });
            line.extend(taken(outcomes.get(&sample.id)));
            table.line(line)?;
        }
    }
    table.finish()
}

/// What is told of an outcome, without its regions.
fn told(mut outcome: Outcome) -> Outcome {
    outcome.regions = None;
    outcome.answer = Default::default();
    outcome.oracle = None;
    outcome
}

fn taken(outcome: Option<&Outcome>) -> [String; 10] {
    let Some((outcome, trace)) =
        outcome.and_then(|outcome| Some((outcome, outcome.trace.as_ref()?)))
    else {
        return Default::default();
    };
    let usage = trace.usage;
    [
        outcome.reading.name().to_owned(),
        trace.rounds.to_string(),
        usage.map_or_else(String::new, |usage| usage.input_tokens.to_string()),
        usage.map_or_else(String::new, |usage| usage.output_tokens.to_string()),
        number(trace.cost),
        trace.segment_ms.to_string(),
        trace.mark_ms.to_string(),
        trace.answer_ms.to_string(),
        trace.text.clone(),
        trace.failure.clone().unwrap_or_default(),
    ]
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn rows(runs: &[RunReport]) -> impl Iterator<Item = (&RunReport, &RowReport)> {
    runs.iter()
        .flat_map(|run| run.rows.iter().map(move |row| (run, row)))
}

struct Table(csv::Writer<Vec<u8>>);

impl Table {
    fn new(heads: &[&str]) -> Result<Self> {
        let mut table = Self(csv::Writer::from_writer(Vec::new()));
        table.line(heads.iter().map(|head| (*head).to_owned()))?;
        Ok(table)
    }

    fn line(&mut self, cells: impl IntoIterator<Item = String>) -> Result<()> {
        self.0.write_record(cells).map_err(unwritable)
    }

    fn finish(self) -> Result<Vec<u8>> {
        self.0.into_inner().map_err(unwritable)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn unwritable(error: impl ToString) -> Error {
    Error::Invalid(format!(
        "the table cannot be written: {}",
        error.to_string()
    ))
}
