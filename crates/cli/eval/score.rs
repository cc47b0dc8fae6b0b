//! `som eval score`: the results of a run, scored.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use som_core::Result;
use som_eval::score::{self, Report, Score};

use super::{Part, synonyms::SynonymFlags};
use crate::{output::Output, report};

/// Score the results of a run by the metrics that are published for the data set
///
/// Results are JSON lines, one a sample: {"sample": "…", "answer": {"masks": […], "boxes": […],
/// "names": {…}, …}}. With the regions that there were ("regions") it is told who lost what:
/// segmenter, marks, model or parsing. The intervals are of 95 %, over images.
#[derive(Args)]
pub(crate) struct Options {
    /// Which data set, and the folder that holds it
    #[arg(long, value_name = "KIND:FOLDER")]
    data: String,
    #[command(flatten)]
    part: Part,
    /// The results
    #[arg(long, value_name = "FILE")]
    results: PathBuf,
    #[command(flatten)]
    synonyms: SynonymFlags,
    /// Leave out samples that the results do not have; else they are wrong
    #[arg(long)]
    only_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Scores the results.
pub(super) fn run(options: Options) -> Result<ExitCode> {
    let synonyms = options.synonyms.read()?;
    let data = options.part.open(&options.data)?;
    let how = score::Options {
        synonyms,
        only_run: options.only_run,
        ..score::Options::default()
    };
    let scores = score::score(&data, &options.results, &how)?;
    if options.json {
        Output::Stdout.write(&report::to_lines(&scores)?)?;
    } else {
        Output::Stdout.write(text(&scores).as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn text(report: &Report) -> String {
    let Report {
        samples,
        answered,
        not_run,
        ..
    } = report;
    let told = if report.only_run { "left out" } else { "wrong" };
    let mut text = format!(
        "{}: {answered} of {samples} samples answered, {not_run} not in the results ({told})\n\n",
        report.data
    );
    for score in &report.scores {
        text += &line(score);
    }
    if let Some(quality) = report.panoptic {
        text += &format!(
            "PQ {:.4}, SQ {:.4}, RQ {:.4}, over {} classes\n",
            quality.pq, quality.sq, quality.rq, quality.classes
        );
    }
    if !report.oracle.is_empty() {
        text += "\nwith the truth's own regions marked (the oracle of reading)\n";
        text.extend(report.oracle.iter().map(line));
    }
    for (metric, losses) in &report.losses {
        text += &format!(
            "\n{metric}: reached {:.4}, lost by segmenter {:.4}, marks {:.4}, model {:.4}, parsing {:.4}\n",
            losses.reached, losses.segmenter, losses.marks, losses.model, losses.parsing
        );
    }
    for (what, count) in &report.counts {
        text += &format!("{count} {what}\n");
    }
    for note in &report.notes {
        text += &format!("note: {note}\n");
    }
    for left_out in &report.left_out {
        text += &format!("left out: {left_out}\n");
    }
    text
}

fn line(score: &Score) -> String {
    let kind = score.kind.as_ref();
    let name = kind.map_or(score.metric.to_owned(), |kind| {
        format!("{} ({kind})", score.metric)
    });
    format!(
        "{name:<36} {:.4}  [{:.4}, {:.4}]  of {}\n",
        score.value, score.low, score.high, score.of
    )
}
