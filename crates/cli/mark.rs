//! `som mark`: images → marked images, their marks as JSON or for other tools, and a prompt.

use std::{fmt, path::PathBuf, process::ExitCode};

use clap::Args;
use som_core::{
    Cancellation, Error, Result, Unmarked, UnmarkedReason, encode::Encoding, prompt::ready_prompt,
};
use som_formats::write::Picture;

use crate::{
    General,
    batch::{Batch, BatchFlags},
    destination::{self, Destination},
    export::{self, Export, Format, InOrder},
    flags::{Flags, GivenFlags, MarkFlags, RegionFlags, ServerFlags},
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
    /// Draw no marked image; the marks go to stdout, unless --json or --prompt say where
    #[arg(long, conflicts_with = "output", help_heading = "Output")]
    no_image: bool,
    /// Write the marks and their regions as JSON to a file, a folder (coffee.json), or - for
    /// stdout (a line for each image)
    #[arg(
        long,
        visible_alias = "export",
        value_name = "FILE|DIR",
        help_heading = "Output"
    )]
    json: Option<PathBuf>,
    /// How they are written; but for som's own JSON with the regions of all marks
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,
    /// Leave out of som's JSON how long the stages took: the same request gives the same bytes
    #[arg(long, help_heading = "Output")]
    no_timings: bool,
    /// Write a text that explains the marks to a multimodal model, to go before your question
    #[arg(long, value_name = "FILE|DIR", help_heading = "Output")]
    prompt: Option<PathBuf>,

    #[command(flatten)]
    regions: RegionFlags,
    #[command(flatten)]
    given: GivenFlags,
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
  som mark page.png --regions elements.csv --only label:button,link
  som mark photos/ --regions labels/ -o marked/
  som mark coffee.png --regions edited.json --keep-ids --no-image --format coco
  som mark coffee.png --server http://127.0.0.1:50051
  curl -s https://example.org/cat.jpg | som mark - > cat.marked.png";

/// One image and where its outputs go.
#[derive(Clone)]
struct Job {
    input: Input,
    /// `None` for marks alone.
    image: Option<Output>,
    json: Option<Output>,
    prompt: Option<Output>,
    format: Format,
    timings: bool,
    /// There are no others.
    single: bool,
}

impl Job {
    fn outputs(&self) -> impl Iterator<Item = &Output> {
        // Which masks there are, nobody knows before.
        let json = self.json.as_ref().filter(|_| self.format != Format::Masks);
        [self.image.as_ref(), json, self.prompt.as_ref()]
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
    /// For the person who waits: what was odd.
    notes: Vec<String>,
    /// And what was done.
    note: String,
    rest: Option<InOrder>,
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
    let by_default =
        options.format != Format::Json || (options.no_image && options.prompt.is_none());
    let json = options.json.as_deref();
    let mut export = Export::new(options.format, json, by_default, single)?;
    export.check_skip_existing(options.batch.skip_existing)?;
    let jobs = jobs(&options, &export, &images, single)?;
    let flags = Flags {
        regions: options.regions,
        given: options.given,
        single,
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
    let finish = |done: Done| {
        let Done {
            mut stdout,
            notes,
            note,
            rest,
        } = done;
        if let Some(rest) = rest {
            export.write_in_order(rest, &mut stdout)?;
        }
        Output::Stdout.write(&stdout)?;
        batch.tell(&notes);
        if single && !general.quiet {
            eprintln!("som: {note}");
        }
        Ok(())
    };
    let exit = batch
        .run(jobs, skipped, async |job| mark(&opened, job).await, finish)
        .await?;
    export.finish()?;
    Ok(exit)
}

/// Where the outputs of each image go.
fn jobs(options: &Options, export: &Export, images: &[Input], single: bool) -> Result<Vec<Job>> {
    let destination = |argument: &Option<PathBuf>| {
        argument
            .as_deref()
            .map(|argument| Destination::of(argument, single))
            .transpose()
    };
    let image = match options.no_image {
        true => None,
        false => Some(destination(&options.output)?.unwrap_or(Destination::Beside)),
    };
    let prompt = destination(&options.prompt)?;
    let job = |input: &Input| Job {
        input: input.clone(),
        image: image
            .as_ref()
            .map(|image| image.output(input, ".marked.png")),
        json: export.output(input),
        prompt: prompt
            .as_ref()
            .map(|prompt| prompt.output(input, ".prompt.txt")),
        format: export.format(),
        timings: !options.no_timings,
        single,
    };
    let jobs: Vec<Job> = images.iter().map(job).collect();
    for job in &jobs {
        match &job.image {
            Some(Output::File(path)) => drop(Encoding::of_path(path)?),
            Some(Output::Stdout) if single => {}
            None => {}
            Some(Output::Stdout) => {
                let message = "several marked images cannot go to stdout (give a folder: -o DIR)";
                return Err(Error::invalid(message));
            }
        }
    }
    destination::check(images, jobs.iter().map(Job::outputs))?;
    Ok(jobs)
}

/// The work for one image, all but what must be done in order.
async fn mark(opened: &Opened, job: Job) -> Result<Done> {
    let encoding = match &job.image {
        None => None,
        Some(Output::Stdout) => Some(Encoding::Png),
        Some(Output::File(path)) => Some(Encoding::of_path(path)?),
    };
    let (image, notes) = opened.read_to_mark(&job.input).await?;
    let marked = opened.session.mark(&image, &opened.plan, encoding).await?;
    blocking(move || write(&job, &image.image, marked, notes)).await
}

/// Writes the outputs of one image. Blocks.
fn write(
    job: &Job,
    image: &InputImage,
    marked: MarkedImage,
    mut notes: Vec<String>,
) -> Result<Done> {
    let pages = match &job.image {
        Some(first) => pages(first, marked.pages)?,
        None => Vec::new(),
    };
    let report = MarkReport {
        image: ImageReport::new(image, marked.size, &marked.notes),
        segmenter: &marked.origin,
        styles: report::styles(&marked.layers),
        marks: report::marks(&marked.allocation),
        unmarked: &marked.allocation.unmarked,
        pages: pages.iter().map(|(output, _)| output.to_string()).collect(),
        scale: marked.allocation.scale,
        timings_ms: job.timings.then_some(&marked.timings),
    };
    let marks = counted(report.marks.len(), "mark");
    let mut note = match report.pages.as_slice() {
        [] => format!("{}: {marks}", image.name),
        pages => format!("{}: {marks}", pages.join(", ")),
    };
    if !report.unmarked.is_empty() {
        note.push_str(&format!(
            "; regions without: {} (the JSON says why)",
            report.unmarked.len()
        ));
    }
    let crowded = |unmarked: &&Unmarked| unmarked.reason == UnmarkedReason::Crowded;
    match report.unmarked.iter().filter(crowded).count() {
        0 => {}
        crowded => note.push_str(&format!(
            "; {crowded} of them, the smallest, did not fit on {} (--max-pages 0 takes all)",
            counted(marked.allocation.pages as usize, "page")
        )),
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
    let json = || match &job.json {
        Some(Output::Stdout) if !job.single => report::to_line(&report),
        _ => report::to_lines(&report),
    };
    let picture = Picture::marked(&image.name, marked.size, &marked.allocation);
    // Last, so that a run that is resumed finds the others complete.
    let rest = export::write(job.format, job.json.as_ref(), &picture, json, &mut stdout)?;
    notes.extend(report::odd(image, &marked.notes));
    Ok(Done {
        stdout,
        notes,
        note,
        rest,
    })
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
