//! `som compare`: one question in several ways, side by side.

mod agreement;
mod page;
mod report;
mod rows;
mod table;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::Args;
use som_core::{Cancellation, Error, Result, encode::Encoding, task::Task};
use tokio::sync::mpsc;

use self::{agreement::agreements, page::Page, report::CompareReport, rows::Row};
use crate::{
    General, destination, exit,
    flags::{
        Flags, GivenFlags, ImageFlags, MarkFlags, QuestionFlags, RegionFlags, RowArgument,
        ServerFlags,
    },
    output::Output,
    report::to_lines,
    session::{self, Opened, Question},
};

/// Compare segmenters, mark styles and models on one question
///
/// Asks the same question in every way at once and prints a table: what each took, what was answered,
/// and how far the answers agree. Waiting for a segmenter or for a model's rate limit is told apart, and
/// an image is cut once for all rows whose segmenter is told the same.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Images (files, or - for stdin), and then the question
    #[arg(required = true, num_args = 1.., value_names = ["IMAGE", "QUESTION"])]
    words: Vec<OsString>,

    /// One way to ask: segmenter=ID or granularity=G, refine=ID, styles=A+B, lmm=NAME, template=NAME,
    /// votes=N, clean=true, table=true, options of marks such as page_size=9, and parameters of the
    /// segmenter such as level=4, separated by commas; what is not given is as in the flags and settings
    #[arg(long = "row", value_name = "KEY=VALUE,…", required = true)]
    rows: Vec<RowArgument>,

    /// Ask about each image by itself, and tell mean and spread over the images
    #[arg(long)]
    trials: bool,

    /// Write the report as one HTML file, images included
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    html: Option<PathBuf>,
    /// Write the rows as CSV: times, tokens, cost, agreement
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    csv: Option<PathBuf>,
    /// Print JSON instead of the table: marks, answers, findings, times, agreement
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// Leave out of the JSON how long the stages took: the same request gives the same bytes
    #[arg(long, help_heading = "Output", requires = "json")]
    no_timings: bool,

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
  som compare photos/ \"which region is red?\" --row level=2 --row level=5 --trials --csv rows.csv
  som compare coffee.png \"the spoon\" --task refer --row template=reason --row votes=5,table=true --json
  som compare street.jpg --task describe --row lmm=gpt4o --row lmm=claude --row lmm=local
  som compare coffee.png \"what is [3]?\" --row styles=number --row styles=mask+contour+alphabet";

/// What is asked in every way at once: all images, or one of several trials.
struct Trial {
    question: Question,
    /// Index of its first image among all.
    first_image: usize,
}

/// Asks, and prints rows as they are done.
pub(crate) async fn run(
    options: Options,
    general: &General,
    stop: &Cancellation,
) -> Result<ExitCode> {
    let asking = options.question;
    let (inputs, text) = asking.split(options.words)?;
    let task = asking.task(text.as_deref())?;
    if options.trials && matches!(task, Task::Track { .. }) {
        let message = "--trials asks about each image by itself, but track needs several at once";
        return Err(Error::invalid(message));
    }
    inputs.tell_passed_over(general.quiet);
    let inputs = inputs.images;
    let [html, csv] = [options.html, options.csv].map(|file| file.map(Output::File));
    // They belong to no image.
    let files: Vec<&Output> = html.iter().chain(&csv).collect();
    destination::check(&inputs, std::iter::once(files.into_iter()))?;
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
    let pages = html.as_ref().map(|_| Encoding::Jpeg);
    let together = match options.trials {
        true => 1,
        false => images.len(),
    };
    let mut images = images.into_iter();
    let trials = (0..inputs.len()).step_by(together).map(|first_image| {
        let images = images.by_ref().take(together).collect();
        let question = Question::new(&asking, text.as_deref(), images, pages)?;
        Ok(Trial {
            question,
            first_image,
        })
    });
    let trials = trials.collect::<Result<Vec<_>>>()?;

    let names = flags.rows.iter().map(RowArgument::text);
    let mut rows: Vec<Row<'_>> = names
        .map(|name| Row {
            name,
            trials: Vec::new(),
        })
        .collect();
    for trial in &trials {
        let is_told = !options.json && trials.len() == 1;
        ask(&opened, trial, &mut rows, is_told).await?;
    }
    if !options.json && trials.len() > 1 {
        rows.iter().try_for_each(|row| print(row, &rows, &task))?;
    }

    let agreements = agreements(&task, &rows);
    if options.json {
        let timings = !options.no_timings;
        let report = CompareReport::new(&task, &trials, &rows, &agreements, timings);
        Output::Stdout.write(&to_lines(&report)?)?;
    } else {
        let text = table::agreement(&rows, &agreements);
        Output::Stdout.write(text.as_bytes())?;
    }
    if let Some(csv) = csv {
        csv.write(&table::csv(&rows, &agreements)?)?;
    }
    if let Some(html) = html {
        let page = Page {
            task: &task,
            images: &inputs,
            rows: &rows,
            agreements: &agreements,
        };
        html.write(page.html().as_bytes())?;
    }
    let failures = rows.iter().flat_map(Row::failures);
    Ok(ExitCode::from(exit::code_of_all(
        failures.map(|error| error.kind()),
    )))
}

/// Asks the question of one trial in every way; what comes of each row is added to it, and printed as
/// it is done, if it `is_told`.
async fn ask(opened: &Opened, trial: &Trial, rows: &mut [Row<'_>], is_told: bool) -> Result<()> {
    let (sender, received) = mpsc::channel(1);
    let question = &trial.question;
    let compare = opened.session.compare(question, &opened.plan, sender);
    let watch = async {
        // Gone with this block: if a row cannot be printed, nobody goes on.
        let mut received = received;
        while let Some(row) = received.recv().await {
            let index = row.index;
            rows[index].trials.push(row);
            if is_told {
                print(&rows[index], rows, &question.task)?;
            }
        }
        Ok::<_, Error>(())
    };
    let (compared, watched) = tokio::join!(compare, watch);
    watched?;
    compared
}

/// Prints one of `rows` in a line.
fn print(row: &Row<'_>, rows: &[Row<'_>], task: &Task) -> Result<()> {
    let width = rows.iter().map(|row| row.name.chars().count()).max();
    let width = width.unwrap_or_default();
    let line = table::line(row, task);
    Output::Stdout.write(format!("{:<width$}  {line}\n", row.name).as_bytes())
}
