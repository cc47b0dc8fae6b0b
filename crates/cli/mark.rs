//! `som mark`: images → marked images, their marks as JSON, and a prompt.

use std::{fmt, path::PathBuf, process::ExitCode};

use clap::Args;
use som_core::{Cancellation, Error, Result, encode::Encoding, prompt::ready_prompt};

use crate::{
    General,
    batch::{Batch, BatchFlags},
    destination::{self, Destination},
    flags::{Flags, MarkFlags, RegionFlags, ServerFlags},
    input::{ImageArguments, Input, InputImage, Inputs},
    output::Output,
    plural::counted,
    report::{self, ImageReport, MarkReport},
    runtime::blocking,
    session::{self, MarkedImage, Opened},
};

/// Mark the regions of images
///
/// Writes a copy of each image with a label on every region, and on request the marks as JSON
/// (each with the exact mask of its region) and a prompt that explains the marks to a model.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    #[command(flatten)]
    images: ImageArguments,

    /// Where the marked image goes: a file (.png, .jpg or .webp), a folder, or - for stdout
    /// [default: coffee.marked.png beside coffee.png; stdout for stdin]
    #[arg(long, short, value_name = "FILE|DIR", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Write the marks and their regions as JSON to a file, a folder (coffee.json), or - for
    /// stdout (a line for each image)
    #[arg(long, value_name = "FILE|DIR", help_heading = "Output")]
    json: Option<PathBuf>,
    /// Write a text that explains the marks to a multimodal model, to go before your question
    #[arg(long, value_name = "FILE|DIR", help_heading = "Output")]
    prompt: Option<PathBuf>,

    #[command(flatten)]
    regions: RegionFlags,
    #[command(flatten)]
    marks: MarkFlags,
    #[command(flatten)]
    batch: BatchFlags,
    #[command(flatten)]
    server: ServerFlags,
}

const EXAMPLES: &str = "\
Examples:
  som mark coffee.png
  som mark coffee.png -o out.jpg --json out.json --prompt out.txt
  som mark coffee.png --level 5 --styles contour,alphabet --set contour.thickness=3
  som mark coffee.png --hint point:300,200 --hint box:40,60,120,80
  som mark photos/ -o marked/ --json marked/ --jobs 8 --skip-existing
  som mark coffee.png --server http://127.0.0.1:50051
  curl -s https://example.org/cat.jpg | som mark - > cat.marked.png";

/// One image and where its outputs go.
#[derive(Clone)]
struct Job {
    input: Input,
    image: Output,
    json: Option<Output>,
    prompt: Option<Output>,
}

impl Job {
    fn outputs(&self) -> impl Iterator<Item = &Output> {
        [Some(&self.image), self.json.as_ref(), self.prompt.as_ref()]
            .into_iter()
            .flatten()
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.input.fmt(f)
    }
}

/// What is left to do in the order of the images.
struct Done {
    /// For stdout.
    stdout: Vec<u8>,
    /// For the person who waits: what is odd about the image's file, and what was written.
    odd: Vec<String>,
    note: String,
}

/// Marks every image.
pub(crate) async fn run(
    options: Options,
    general: &General,
    stop: &Cancellation,
) -> Result<ExitCode> {
    let Inputs {
        images,
        single,
        passed_over,
    } = Inputs::find(&options.images)?;
    let jobs = jobs(&options, &images, single)?;
    let flags = Flags {
        regions: options.regions,
        marks: options.marks,
        server: options.server,
        jobs: options.batch.jobs,
        ..Flags::default()
    };
    let opened = session::open(&general.ladder(), &flags, stop).await?;
    let batch = Batch {
        single,
        jobs: opened.jobs,
        quiet: general.quiet,
        passed_over,
    };
    let (jobs, skipped) = options
        .batch
        .pass_over(jobs, |job| job.outputs().all(Output::exists));
    let finish = |Done { stdout, odd, note }| {
        Output::Stdout.write(&stdout)?;
        batch.tell(&odd);
        if single && !general.quiet {
            eprintln!("som: {note}");
        }
        Ok(())
    };
    batch
        .run(
            jobs,
            skipped,
            async |job| mark(&opened, job, single).await,
            finish,
        )
        .await
}

/// Where the outputs of each image go.
fn jobs(options: &Options, images: &[Input], single: bool) -> Result<Vec<Job>> {
    let destination = |argument: &Option<PathBuf>| {
        argument
            .as_deref()
            .map(|argument| Destination::of(argument, single))
            .transpose()
    };
    let image = destination(&options.output)?.unwrap_or(Destination::Beside);
    let (json, prompt) = (destination(&options.json)?, destination(&options.prompt)?);
    let job = |input: &Input| Job {
        input: input.clone(),
        image: image.output(input, ".marked.png"),
        json: json.as_ref().map(|json| json.output(input, ".json")),
        prompt: prompt
            .as_ref()
            .map(|prompt| prompt.output(input, ".prompt.txt")),
    };
    let jobs: Vec<Job> = images.iter().map(job).collect();
    for job in &jobs {
        match &job.image {
            Output::File(path) => drop(Encoding::of_path(path)?),
            Output::Stdout if single => {}
            Output::Stdout => {
                let message = "several marked images cannot go to stdout (give a folder: -o DIR)";
                return Err(Error::invalid(message));
            }
        }
    }
    destination::check(images, jobs.iter().map(Job::outputs))?;
    Ok(jobs)
}

/// The work for one image, all but what must be done in order.
async fn mark(opened: &Opened, job: Job, single: bool) -> Result<Done> {
    let encoding = match &job.image {
        Output::Stdout => Encoding::Png,
        Output::File(path) => Encoding::of_path(path)?,
    };
    let image = opened.read(&job.input).await?;
    let session = &opened.session;
    let marked = session.mark(&image, &opened.plan, encoding).await?;
    blocking(move || write(&job, &image, marked, single)).await
}

/// Writes the outputs of one image. Blocks.
fn write(job: &Job, image: &InputImage, marked: MarkedImage, single: bool) -> Result<Done> {
    let pages = pages(&job.image, marked.pages)?;
    let report = MarkReport {
        image: ImageReport::new(image, marked.size, &marked.notes),
        segmenter: &marked.origin,
        styles: report::styles(&marked.layers),
        marks: report::marks(&marked.allocation),
        unmarked: &marked.allocation.unmarked,
        pages: pages.iter().map(|(output, _)| output.to_string()).collect(),
        timings_ms: &marked.timings,
    };
    let marks = counted(report.marks.len(), "mark");
    let mut note = format!("{}: {marks}", report.pages.join(", "));
    if !report.unmarked.is_empty() {
        note.push_str(&format!(
            "; regions without: {} (the JSON says why)",
            report.unmarked.len()
        ));
    }
    let mut stdout = Vec::new();
    // The first page last: where it is, the others are.
    for (output, bytes) in pages.into_iter().rev() {
        output.write_or_keep(bytes, &mut stdout)?;
    }
    if let Some(output) = &job.prompt {
        let prompt = ready_prompt(&marked.allocation, None);
        output.write_or_keep(prompt.into_bytes(), &mut stdout)?;
    }
    // Last, so that a run that is resumed finds the others complete.
    if let Some(output) = &job.json {
        let json = match output {
            Output::Stdout if !single => report::to_line(&report)?,
            _ => report::to_lines(&report)?,
        };
        output.write_or_keep(json, &mut stdout)?;
    }
    let odd = report::odd(image, &marked.notes);
    Ok(Done { stdout, odd, note })
}

/// Where each page goes.
fn pages(first: &Output, pages: Vec<Vec<u8>>) -> Result<Vec<(Output, Vec<u8>)>> {
    match first {
        Output::Stdout if pages.len() > 1 => Err(Error::invalid(format!(
            "the marks fill {} pages, but stdout takes one (give a file: -o FILE)",
            pages.len()
        ))),
        Output::Stdout => Ok(pages
            .into_iter()
            .map(|page| (Output::Stdout, page))
            .collect()),
        Output::File(first) => {
            let page = |(page, number)| (Output::File(destination::page(first, number)), page);
            Ok(pages.into_iter().zip(1..).map(page).collect())
        }
    }
}
