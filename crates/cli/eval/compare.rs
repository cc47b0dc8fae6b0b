//! `som eval compare`: two runs on the same samples.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use som_core::{Error, Result};
use som_eval::{
    compare::{Comparison, Side, compare},
    report::{RowReport, RunReport},
    score,
};

use super::synonyms::SynonymFlags;
use crate::{output::Output, report::to_lines};

/// Compare two runs on the samples that both have: is one better, or is it noise?
///
/// The same images are drawn again for both (paired bootstrap, 95 %); where every sample is right or
/// wrong, McNemar's exact test is told as well. A row of a run is named as RUN:ROW; without one, rows of
/// the same name are compared, or the only rows.
#[derive(Args)]
pub(super) struct Options {
    /// The first, from which differences are counted
    #[arg(value_name = "RUN[:ROW]")]
    first: String,
    /// The second
    #[arg(value_name = "RUN[:ROW]")]
    second: String,
    #[command(flatten)]
    synonyms: SynonymFlags,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Compares.
pub(super) fn run(options: &Options) -> Result<ExitCode> {
    let how = score::Options {
        synonyms: options.synonyms.read()?,
        ..score::Options::default()
    };
    let (first, first_row) = named(&options.first);
    let (second, second_row) = named(&options.second);
    let (first, second) = (RunReport::of(&first, &how)?, RunReport::of(&second, &how)?);
    let pairs = pairs(&first, first_row, &second, second_row)?;
    let compared = pairs.into_iter().map(|(a, b)| {
        let names =
            [(&first, a), (&second, b)].map(|(run, row)| format!("{}:{}", run.run, row.row));
        let sides = (side(&names[0], &first, a), side(&names[1], &second, b));
        let comparison = compare(sides.0, sides.1, &how);
        comparison.map_err(Error::from)
    });
    let compared: Vec<Comparison> = compared.collect::<Result<_>>()?;
    let text = match options.json {
        true => to_lines(&compared)?,
        false => compared.iter().map(text).collect::<String>().into_bytes(),
    };
    Output::Stdout.write(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// The folder of a run, and the row in it if one is named.
fn named(text: &str) -> (PathBuf, Option<&str>) {
    match text.rsplit_once(':') {
        Some((run, row)) if !Path::new(text).exists() => (run.into(), Some(row)),
        _ => (text.into(), None),
    }
}

/// The rows that are compared.
fn pairs<'a>(
    first: &'a RunReport,
    first_row: Option<&str>,
    second: &'a RunReport,
    second_row: Option<&str>,
) -> Result<Vec<(&'a RowReport, &'a RowReport)>> {
    let only = |run: &'a RunReport, row: Option<&str>| match (row, run.rows.as_slice()) {
        (Some(row), _) => Ok(Some(run.row(row)?)),
        (None, [row]) => Ok(Some(row)),
        (None, _) => Ok::<_, Error>(None),
    };
    if let (Some(a), Some(b)) = (only(first, first_row)?, only(second, second_row)?) {
        return Ok(vec![(a, b)]);
    }
    let same = first.rows.iter().filter_map(|a| {
        let b = second.rows.iter().find(|b| b.row == a.row)?;
        Some((a, b))
    });
    let same: Vec<_> = same.collect();
    if first_row.is_some() || second_row.is_some() || same.is_empty() {
        return Err(Error::invalid(
            "which rows? (name one of each run, as RUN:ROW; som eval report lists them)",
        ));
    }
    Ok(same)
}

fn side<'a>(name: &'a str, run: &'a RunReport, row: &'a RowReport) -> Side<'a> {
    Side {
        name,
        data: &run.dataset,
        scores: &row.scores,
    }
}

fn text(comparison: &Comparison) -> String {
    let Comparison {
        first,
        second,
        samples,
        metrics,
    } = comparison;
    let mut text = format!("{first}\n{second}\n{samples} samples in both\n\n");
    text += &format!("{:<28}  first   second  difference\n", "");
    for metric in metrics {
        text += &format!(
            "{:<28} {:.4}  {:.4}  {:+.4}  [{:+.4}, {:+.4}]  p {:.3}",
            metric.metric,
            metric.first,
            metric.second,
            metric.difference,
            metric.low,
            metric.high,
            metric.p
        );
        if let Some(test) = metric.mcnemar {
            text += &format!(
                "  McNemar p {:.3} ({} to {})",
                test.p, test.only_first, test.only_second
            );
        }
        text += "\n";
    }
    text + "\n"
}
