//! `som eval run`: samples asked row by row.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    thread,
    time::Duration,
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use som_core::{Cancellation, Error, ErrorKind, Result};
use som_eval::{
    report::RunReport,
    run::{self, Estimate, Grid, Plan, Progress, Ran, RowRan},
    score,
};

use super::{Part, engine::engine, given::GivenFiles, row::row, table};
use crate::{General, exit, flags::RowArgument, output::Output, plural::counted, report};

// Brackets of TOML, as they are shown to people.
#[allow(rustdoc::broken_intra_doc_links)]
/// Ask about the samples of a data set: segmenters, styles, models, wordings, votes
///
/// A grid is a TOML file with data = "KIND:FOLDER", rows as [[row]], and [grid] for every combination
/// of segmenter, styles, lmm, template and votes; flags go before it. Outcomes, regions and answers are
/// on file as they come: the same command goes on where it was stopped, and asks nothing twice.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Options {
    /// What is run over which samples, as TOML
    #[arg(value_name = "GRID")]
    grid: Option<PathBuf>,
    /// Which data set, and the folder that holds it
    #[arg(long, value_name = "KIND:FOLDER")]
    data: Option<String>,
    #[command(flatten)]
    part: Part,
    /// A row besides those of the grid: segmenter=ID, granularity=G or regions=golden (or FILE),
    /// styles=A+B, lmm=NAME, template=NAME, votes=N, oracle=true, specialist=true, name=TEXT, options
    /// of marks, and parameters of the segmenter, separated by commas
    #[arg(long = "row", value_name = "KEY=VALUE,…")]
    rows: Vec<RowArgument>,
    /// Where outcomes go [default: the grid's name without its ending]
    #[arg(long, short, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Where regions and answers are kept, for several runs [default: cache in the folder of the run]
    #[arg(long, value_name = "FOLDER")]
    cache: Option<PathBuf>,
    /// At most so many samples, chosen at random
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// What the choice of samples begins with
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Give every kind of sample its share
    #[arg(long)]
    stratified: bool,
    /// Samples at a time [default: as many as there are cores]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// US dollars that are never passed
    #[arg(long, value_name = "DOLLARS")]
    max_cost: Option<f64>,
    /// Tell what would be asked, with images and tokens, and ask nothing
    #[arg(long)]
    dry_run: bool,
    /// Keep no marked images, which pages of reports show
    #[arg(long)]
    no_images: bool,
    /// Print JSON: the report, or what would be asked
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  som eval run grid.toml --dry-run
  som eval run grid.toml --limit 100 --seed 1 --max-cost 5
  som eval run --data refcoco:data/refcoco --split testA --out refcoco \\
    --row segmenter=classic,lmm=gpt4o --row regions=golden,lmm=gpt4o
  som eval run --data flickr30k:data/flickr30k --out flickr \\
    --row segmenter=grounding-dino,specialist=true";

/// Runs, or tells what would be run.
pub(super) async fn run(
    options: Options,
    general: &General,
    stop: &Cancellation,
) -> Result<ExitCode> {
    let (json, dry) = (options.json, options.dry_run);
    let (plan, folder) = options.plan()?;
    let engine = engine(&plan.rows, plan.jobs, general)?;
    let given = Arc::new(GivenFiles::default());
    if dry {
        let estimates = run::estimate(engine, given, &plan, &folder, stop).await?;
        let text = match json {
            true => report::to_lines(&estimates)?,
            false => told(&estimates).into_bytes(),
        };
        Output::Stdout.write(&text)?;
        return Ok(ExitCode::SUCCESS);
    }
    let bar = bar(general.quiet);
    let ran = run::run(engine, given, &plan, &folder, stop, |progress| {
        tell(&bar, progress);
    });
    let ran = ran.await;
    bar.finish_and_clear();
    let ran = ran?;
    if !general.quiet {
        summary(&ran)
            .iter()
            .for_each(|line| eprintln!("som: {line}"));
    }
    let has_any = ran
        .rows
        .iter()
        .all(|row| row.before + row.done + row.failed > 0);
    if has_any {
        let scored = RunReport::of(&folder, &score::Options::default())?;
        let text = match json {
            true => report::to_lines(&[scored])?,
            false => table::text(&[scored]).into_bytes(),
        };
        Output::Stdout.write(&text)?;
    }
    Ok(ExitCode::from(code(&ran)))
}

impl Options {
    /// What is run, and where to.
    fn plan(self) -> Result<(Plan, PathBuf)> {
        let grid = self
            .grid
            .as_deref()
            .map(Grid::read)
            .transpose()?
            .unwrap_or_default();
        let below = self
            .grid
            .as_deref()
            .and_then(Path::parent)
            .unwrap_or(Path::new(""));
        let at = |error: Error| match &self.grid {
            Some(file) => error.at(file.display()),
            None => error,
        };
        let mut rows = grid.rows(below).map_err(at)?;
        for argument in &self.rows {
            rows.push(row(argument)?);
        }
        let data = self.data.or_else(|| grid.data.clone()).ok_or_else(|| {
            Error::invalid(
                "data is missing (write data = \"KIND:FOLDER\" into the grid, or give --data)",
            )
        })?;
        let part = Part {
            split: self.part.split.or_else(|| grid.split.clone()),
            images: self.part.images.or_else(|| grid.images.clone()),
        };
        let out = self
            .out
            .or_else(|| self.grid.as_ref().map(|grid| grid.with_extension("")));
        let out =
            out.ok_or_else(|| Error::invalid("--out is missing (without a grid it is needed)"))?;
        let mut selection = grid.selection();
        selection.limit = self.limit.or(selection.limit);
        selection.seed = self.seed.unwrap_or(selection.seed);
        selection.stratified |= self.stratified;
        let max_cost = self.max_cost.or(grid.max_cost);
        if let Some(cost) = max_cost.filter(|cost| !(cost.is_finite() && *cost > 0.0)) {
            return Err(Error::invalid(format!(
                "max_cost is {cost} (write a number above 0)"
            )));
        }
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let mut data = part.place(&data)?;
        // Reports are told from other folders, too.
        data.folder = absolute(&data.folder)?;
        data.images = data.images.as_deref().map(absolute).transpose()?;
        let plan = Plan {
            data,
            selection,
            rows,
            jobs: self.jobs.or(grid.jobs).map_or(cores, usize::from),
            max_cost,
            cache: self.cache,
            keeps_images: !self.no_images,
        };
        Ok((plan, out))
    }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path)
        .map_err(|error| Error::invalid(format!("{}: is no path", path.display())).caused_by(error))
}

/// A bar on stderr, if that is a terminal.
fn bar(quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::no_length();
    let style = ProgressStyle::with_template("{bar:32} {pos}/{len} samples, {eta} left{msg}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn tell(bar: &ProgressBar, progress: &Progress<'_>) {
    let Progress {
        row,
        done,
        of,
        failed,
        spent,
    } = *progress;
    if bar.length().is_none() {
        // What an earlier run did says nothing of how long the rest will take.
        bar.set_length(of as u64);
        bar.set_position(done.saturating_sub(1) as u64);
        bar.reset_eta();
    }
    bar.set_position(done as u64);
    let mut told = String::new();
    if spent > 0.0 {
        told += &format!(", ${spent:.4}");
    }
    if failed > 0 {
        told += &format!(", {failed} failed");
    }
    bar.set_message(format!("{told} ({row})"));
}

/// What came of the run, line by line.
fn summary(ran: &Ran) -> Vec<String> {
    let mut lines: Vec<String> = ran
        .problems
        .iter()
        .map(|why| format!("left out: {why}"))
        .collect();
    for row in &ran.rows {
        let RowRan {
            title,
            before,
            done,
            failed,
            failure,
            left_out,
            is_given_up,
        } = row;
        let counts = [
            (*done, "done"),
            (*before, "on file"),
            (*failed, "failed"),
            (left_out.len(), "left out"),
        ];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        lines.push(format!("{title}: {}", counts.join(", ")));
        lines.extend(failure.iter().map(|(_, why)| format!("{title}: {why}")));
        if *is_given_up {
            lines.push(format!(
                "{title}: given up, as nothing but failures came of it"
            ));
        }
        lines.extend(left_out.iter().map(|why| format!("left out: {why}")));
    }
    lines.push(format!(
        "{} asked, ${:.4}",
        counted(ran.asked as usize, "answer"),
        ran.spent
    ));
    if let Some(why) = &ran.cut_short {
        lines.push(format!(
            "stopped before everything was asked: {why} (run it again with more to go on)"
        ));
    }
    lines
}

fn code(ran: &Ran) -> u8 {
    let failures = ran.rows.iter().filter_map(|row| row.failure.as_ref());
    let kinds = failures.map(|(kind, _)| *kind);
    match ran.cut_short {
        Some(_) => exit::code(ErrorKind::Exhausted),
        None => exit::code_of_all(kinds),
    }
}

/// What would be asked, row by row.
fn told(estimates: &[Estimate]) -> String {
    let mut text = String::new();
    let (mut least, mut most) = (0.0, 0.0);
    for estimate in estimates {
        let Estimate {
            row,
            samples,
            looked_at,
            requests,
            images,
            input_tokens,
            max_output_tokens,
            input_cost,
            max_output_cost,
            problems,
        } = estimate;
        text += &format!(
            "{row}: {} to ask ({looked_at} looked at)\n  {requests:.0} requests, {images:.0} images, \
             about {input_tokens:.0} tokens of prompts, at most {max_output_tokens:.0} of answers\n",
            counted(*samples, "sample")
        );
        if let (Some(input), Some(output)) = (input_cost, max_output_cost) {
            least += input;
            most += input + output;
            text += &format!("  about ${input:.4} for prompts, at most ${output:.4} for answers\n");
        }
        for problem in problems {
            text += &format!("  {problem}\n");
        }
    }
    text + &format!("together from about ${least:.4} to ${most:.4}; nothing was asked\n")
}
