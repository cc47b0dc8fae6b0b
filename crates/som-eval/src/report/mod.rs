//! What came of runs: every row scored, with what it took, for people and programs.

mod took;
mod csv;
mod html;

use std::{collections::BTreeMap, path::Path};

use serde::Serialize;

pub use self::{
    csv::{samples, scores},
    html::page,
    took::Took,
};
use crate::{
    Error, Result,
    data::Dataset,
    run::{Manifest, Row},
    score::{self, Options, Verdict, score},
};

/// The JSON Schema of a report.
pub const SCHEMA: &str = include_str!("../../schemas/report.schema.json");

/// What came of a run.
#[derive(Debug, Serialize)]
pub struct RunReport {
    /// The folder of the run.
    pub run: String,
    /// Which data set.
    pub data: &'static str,
    /// How many of its samples were chosen.
    pub samples: usize,
    /// The rows, in order.
    pub rows: Vec<RowReport>,
    /// The chosen samples.
    #[serde(skip)]
    pub dataset: Dataset,
}

/// What came of a row.
#[derive(Debug, Serialize)]
pub struct RowReport {
    /// What people call it.
    pub row: String,
    /// How it asks.
    pub asked: Row,
    /// Its scores.
    pub scores: score::Report,
    /// How many samples went how.
    pub verdicts: BTreeMap<Verdict, usize>,
    /// What it took.
    pub took: Took,
}

impl RunReport {
    /// Scores every row of the run in `folder`.
    ///
    /// # Errors
    /// NotFound, if there is no run; what opening the data set reports; [`Error::Invalid`], if a row
    /// has no result that can be scored.
    pub fn of(folder: &Path, options: &Options) -> som_core::Result<Self> {
        let manifest = Manifest::read(folder)?;
        let mut dataset = Dataset::open(&manifest.data)?;
        let mut chosen = manifest.selection.choose(&dataset.samples).into_iter();
        let mut next = chosen.next();
        let mut at = 0;
        dataset.samples.retain(|_| {
            let is_chosen = next == Some(at);
            if is_chosen {
                next = chosen.next();
            }
            at += 1;
            is_chosen
        });
        let options = Options {
            only_run: true,
            ..options.clone()
        };
        let rows = manifest.rows.into_iter().map(|row| {
            let report = RowReport::of(folder, row, &dataset, &options);
            report.map_err(som_core::Error::from)
        });
        Ok(Self {
            run: folder.display().to_string(),
            data: dataset.kind.name(),
            samples: dataset.samples.len(),
            rows: rows.collect::<som_core::Result<_>>()?,
            dataset,
        })
    }

    /// The row that people call `title`.
    ///
    /// # Errors
    /// [`Error::Invalid`], listing those there are.
    pub fn row(&self, title: &str) -> Result<&RowReport> {
        let known = self.rows.iter().map(|row| row.row.as_str());
        self.rows
            .iter()
            .find(|row| row.row == title)
            .ok_or_else(|| {
                let kind = som_core::ErrorKind::Invalid;
                let unknown = som_core::Error::unknown(kind, "row", title, known);
                Error::Invalid(format!("{}: {unknown}", self.run))
            })
    }
}

impl RowReport {
    fn of(folder: &Path, row: Row, data: &Dataset, options: &Options) -> Result<Self> {
        let results = Manifest::results(folder, &row);
        let scores = score(data, &results, options)?;
        let mut verdicts = BTreeMap::new();
        for sample in &scores.each {
            *verdicts.entry(sample.verdict()).or_default() += 1;
        }
        Ok(Self {
            row: row.title(),
            asked: row,
            verdicts,
            took: Took::of(&results)?,
            scores,
        })
    }

    /// The metric that samples are judged by: the first whose losses are told, else the first.
    pub fn leading(&self) -> Option<&'static str> {
        self.scores
            .each
            .iter()
            .find_map(score::SampleScore::leading)
    }
}
