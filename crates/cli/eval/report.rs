//! `som eval report`: what came of runs.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use som_core::Result;
use som_eval::{
    report::{self, RunReport},
    score,
};

use super::{synonyms::SynonymFlags, table};
use crate::{output::Output, report::to_lines};

/// Tell what came of runs: scores, who lost what, cost and time, the worst samples
///
/// Nobody is asked: what is on file is scored again.
#[derive(Args)]
pub(super) struct Options {
    /// Folders of runs
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    #[command(flatten)]
    synonyms: SynonymFlags,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Write every score as CSV
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write every sample of every row as CSV
    #[arg(long, value_name = "FILE")]
    samples: Option<PathBuf>,
    /// Write one HTML page with tables, charts and the worst samples
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Samples of each row on the page
    #[arg(long, value_name = "N", default_value_t = 60, requires = "html")]
    worst: usize,
}

/// Tells.
pub(super) fn run(options: &Options) -> Result<ExitCode> {
    let how = score::Options {
        synonyms: options.synonyms.read()?,
        ..score::Options::default()
    };
    let runs = options.runs.iter().map(|run| RunReport::of(run, &how));
    let runs: Vec<RunReport> = runs.collect::<Result<_>>()?;
    if let Some(file) = &options.csv {
        Output::File(file.clone()).write(&report::scores(&runs)?)?;
    }
    if let Some(file) = &options.samples {
        Output::File(file.clone()).write(&report::samples(&runs)?)?;
    }
    if let Some(file) = &options.html {
        let page = report::page(&runs, options.worst)?;
        Output::File(file.clone()).write(page.as_bytes())?;
    }
    let text = match options.json {
        true => to_lines(&runs)?,
        false => table::text(&runs).into_bytes(),
    };
    Output::Stdout.write(&text)?;
    Ok(ExitCode::SUCCESS)
}
