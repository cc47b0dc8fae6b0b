//! `som compare`: one question in several ways, side by side.

mod page;
mod row;

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::Args;
use serde_json::json;
use som_core::{Cancellation, Error, Result, task::Task};
use som_engine::{
    Marking,
    ask::AskOutcome,
    compare::{CompareRequest, Compared},
};
use tokio::sync::mpsc;

use self::row::RowArgument;
use crate::{
    General,
    ask::{ending, finding_lines, label},
    exit,
    output::Output,
    question::QuestionOptions,
    session::{InkOptions, Local, RegionOptions},
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
    words: Vec<String>,

    /// One way to ask: segmenter=ID, styles=A+B, lmm=NAME, and parameters of the segmenter such as
    /// level=4, separated by commas; what is not given is as in the settings
    #[arg(long = "row", value_name = "KEY=VALUE,…", required = true)]
    rows: Vec<RowArgument>,

    /// Write the report as one HTML file, images included
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    html: Option<PathBuf>,

    #[command(flatten)]
    question: QuestionOptions,
    #[command(flatten)]
    regions: RegionOptions,
}

const EXAMPLES: &str = "\
Examples:
  som compare coffee.png \"which region is the spoon?\" --row level=2 --row level=5 --html report.html
  som compare street.jpg --task describe --row lmm=gpt4o --row lmm=claude --row lmm=local
  som compare coffee.png \"what is [3]?\" --row styles=number --row styles=mask+contour+alphabet";

/// Asks, and prints rows as they are done.
pub(crate) async fn run(
    options: Options,
    general: &General,
    stop: &Cancellation,
) -> Result<ExitCode> {
    let (inputs, text) = options.question.split(options.words)?;
    let mut ladder = general.ladder();
    for id in options.rows.iter().filter_map(|row| row.value("segmenter")) {
        // Named here, so that it is looked for among the installed libraries, too.
        ladder = ladder.with_flag("--row", &format!("segmenter.{id}"), json!({}));
    }
    let ink = InkOptions::default();
    let at_a_time = options.rows.len();
    let session = Local::open(ladder, options.regions, ink, None, at_a_time).await?;
    let pictures = session.read_all(&inputs).await?;
    let ask = options
        .question
        .request(text.as_deref(), &pictures, &session)?;
    let mut rows = Vec::new();
    for row in &options.rows {
        rows.push(row.resolve(&ask.images, &session).await?);
    }
    let task = ask.task.clone();
    let request = CompareRequest { ask, rows };

    let (done, mut received) = mpsc::channel(1);
    let compare = async {
        let result = session.engine.compare(request, stop, &done).await;
        drop(done);
        result
    };
    let width = options.rows.iter().map(|row| row.text().chars().count());
    let width = width.max().unwrap_or_default();
    let watch = async {
        let mut all: Vec<Compared> = Vec::new();
        while let Some(compared) = received.recv().await {
            let name = options.rows[compared.row].text();
            let line = line(&compared, &task);
            Output::Stdout.write(format!("{name:<width$}  {line}\n").as_bytes())?;
            all.push(compared);
        }
        Ok::<_, Error>(all)
    };
    let (compared, all) = tokio::join!(compare, watch);
    let mut all = all?;
    compared?;
    all.sort_by_key(|compared| compared.row);

    if let Some(file) = &options.html {
        let names: Vec<&str> = options.rows.iter().map(RowArgument::text).collect();
        let page = page::page(&task, &inputs, &names, &all)?;
        Output::File(file.clone()).write(page.as_bytes())?;
    }
    let failures = all
        .iter()
        .filter_map(|compared| compared.outcome.as_ref().err());
    Ok(ExitCode::from(exit::code_of_all(
        failures.map(|error| error.kind()),
    )))
}

/// A row in one line: marks, time, tokens, cost, and the answer or the error.
fn line(compared: &Compared, task: &Task) -> String {
    let took = compared.took.as_secs_f64();
    let outcome = match &compared.outcome {
        Ok(outcome) => outcome,
        Err(error) => return format!("{took:>7.2} s  failed: {}", exit::one_line(error)),
    };
    let marks: usize = compared
        .markings
        .iter()
        .map(|marking| marking.marked.allocation.marks.len())
        .sum();
    format!(
        "{took:>7.2} s  {marks:>3} marks  {:>12}  {:>8}  {}",
        tokens(outcome),
        cost(outcome),
        summary(outcome, task, &compared.markings)
    )
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
fn summary(outcome: &AskOutcome, task: &Task, markings: &[Arc<Marking>]) -> String {
    const LONGEST: usize = 100;
    let text = match task {
        Task::Ask { .. } => outcome.text.clone(),
        _ => finding_lines(task, outcome, |id| label(markings, id)).join("; "),
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
    line.trim_start().to_owned()
}
