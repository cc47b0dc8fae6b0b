//! `som compare`: one question in several ways, side by side.

mod page;

use std::{ffi::OsString, iter, path::PathBuf, process::ExitCode};

use clap::Args;
use som_core::{Cancellation, Error, Result, encode::Encoding, task::Task};
use som_engine::ask::AskOutcome;
use tokio::sync::mpsc;

use crate::{
    General,
    ask::{ending, finding_lines, label, missing_marks},
    destination, exit,
    flags::{
        Flags, GivenFlags, ImageFlags, MarkFlags, QuestionFlags, RegionFlags, RowArgument,
        ServerFlags,
    },
    output::Output,
    session::{self, ComparedRow, MarkedImage, Question},
};

/// Compare segmenters, mark styles and models on one question
///
/// Asks the same question in every way at once, prints a table, and writes a page with the marked
/// images side by side.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Images (files, or - for stdin), and then the question
    #[arg(required = true, num_args = 1.., value_names = ["IMAGE", "QUESTION"])]
    words: Vec<OsString>,

    /// One way to ask: segmenter=ID or granularity=G, styles=A+B, lmm=NAME, options of marks such as
    /// page_size=9, and parameters of the segmenter such as level=4, separated by commas; what is
    /// not given is as in the settings
    #[arg(long = "row", value_name = "KEY=VALUE,…", required = true)]
    rows: Vec<RowArgument>,

    /// Write the report as one HTML file, images included
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    html: Option<PathBuf>,

    #[command(flatten)]
    question: QuestionFlags,
    #[command(flatten)]
    files: ImageFlags,
    #[command(flatten)]
    regions: RegionFlags,
    #[command(flatten)]
    given: GivenFlags,
    #[command(flatten)]
    marks: MarkFlags,
    #[command(flatten)]
    server: ServerFlags,
}

const EXAMPLES: &str = "\
Examples:
  som compare coffee.png \"which region is the spoon?\" --row level=2 --row level=5 --html report.html
  som compare coffee.png \"what is the spoon?\" --row granularity=1.2 --row granularity=2.8
  som compare street.jpg --task describe --row lmm=gpt4o --row lmm=claude --row lmm=local
  som compare coffee.png \"what is [3]?\" --row styles=number --row styles=mask+contour+alphabet";

/// Asks, and prints rows as they are done.
pub(crate) async fn run(
    options: Options,
    general: &General,
    stop: &Cancellation,
) -> Result<ExitCode> {
    let asking = options.question;
    let (inputs, text) = asking.split(options.words)?;
    let task = asking.task(text.as_deref())?;
    inputs.tell_passed_over(general.quiet);
    let inputs = inputs.images;
    let html = options.html.clone().map(Output::File);
    destination::check(&inputs, iter::once(html.iter()))?;
    let flags = Flags {
        images: options.files,
        regions: options.regions.about(&task)?,
        given: options.given,
        single: inputs.len() == 1,
        marks: options.marks,
        rows: options.rows,
        server: options.server,
        ..Flags::default()
    };
    let opened = session::open(&general.ladder(), &flags, stop).await?;
    let images = opened.read_all(&inputs, general.quiet).await?;
    let pages = options.html.as_ref().map(|_| Encoding::Jpeg);
    let question = Question::new(&asking, text.as_deref(), images, pages)?;

    let (rows, received) = mpsc::channel(1);
    let compare = opened.session.compare(&question, &opened.plan, rows);
    let names: Vec<&str> = flags.rows.iter().map(RowArgument::text).collect();
    let width = names.iter().map(|name| name.chars().count()).max();
    let width = width.unwrap_or_default();
    let watch = async {
        let mut received = received;
        let mut all = Vec::new();
        while let Some(row) = received.recv().await {
            let name = names[row.index];
            let line = line(&row, &question.task);
            Output::Stdout.write(format!("{name:<width$}  {line}\n").as_bytes())?;
            all.push(row);
        }
        Ok::<_, Error>(all)
    };
    let (compared, all) = tokio::join!(compare, watch);
    let mut all = all?;
    compared?;
    all.sort_by_key(|row| row.index);

    if let Some(html) = html {
        let page = page::page(&question.task, &inputs, &names, &all);
        html.write(page.as_bytes())?;
    }
    let failures = all.iter().filter_map(|row| row.outcome.as_ref().err());
    Ok(ExitCode::from(exit::code_of_all(
        failures.map(|error| error.kind()),
    )))
}

/// A row in one line: marks, time, tokens, cost, and the answer or the error.
fn line(row: &ComparedRow, task: &Task) -> String {
    let took = row.took.as_secs_f64();
    let outcome = match &row.outcome {
        Ok(outcome) => outcome,
        Err(error) => return format!("{took:>7.2} s  failed: {}", exit::one_line(error)),
    };
    format!(
        "{took:>7.2} s  {:>3} marks  {:>12}  {:>8}  {}",
        marks(row),
        tokens(outcome),
        cost(outcome),
        summary(outcome, task, &row.images)
    )
}

/// How many marks all its images have.
fn marks(row: &ComparedRow) -> usize {
    let images = row.images.iter();
    images.map(|image| image.allocation.marks.len()).sum()
}

fn tokens(outcome: &AskOutcome) -> String {
    outcome.usage.map_or_else(
        || "–".to_owned(),
        |usage| format!("{} + {}", usage.input_tokens, usage.output_tokens),
    )
}

fn cost(outcome: &AskOutcome) -> String {
    outcome
        .cost
        .map_or_else(|| "–".to_owned(), |cost| format!("${cost:.4}"))
}

/// The answer, shortened to a line, and why part of it is missing.
fn summary(outcome: &AskOutcome, task: &Task, images: &[MarkedImage]) -> String {
    const LONGEST: usize = 100;
    let text = match task {
        Task::Ask { .. } => outcome.text.clone(),
        _ => finding_lines(task, outcome, |id| label(images, id)).join("; "),
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut line = words.join(" ");
    if let Some((end, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(end);
        line.push('…');
    }
    if let Some(ending) = ending(&outcome.finish, &outcome.text) {
        line.push_str(&format!(" ({ending})"));
    }
    let missing = missing_marks(outcome);
    if !missing.is_empty() {
        line.push_str(&format!(
            " (names marks that are not there: {})",
            missing.join(", ")
        ));
    }
    line.trim_start().to_owned()
}
