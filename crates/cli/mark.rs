//! `som mark`: images → marked images, their marks as JSON or for other tools, and a prompt.

use std::{
    collections::HashSet,
    fmt,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Args;
use som_core::{Allocation, Cancellation, Error, Result, encode::Encoding, prompt::ready_prompt};
use som_formats::write::Picture;

use crate::{
    General,
    batch::{Batch, BatchFlags, Left},
    destination::{self, Destination},
    earlier::{Earlier, Leftovers},
    exit,
    export::{self, Export, Format, InOrder},
    flags::{Flags, GivenFlags, ImageFlags, MarkFlags, RegionFlags, ServerFlags},
    input::{ImageArguments, Input, InputImage, Inputs},
    journal::{ImageJob, Journal},
    output::Output,
    plural::counted,
    report::{self, ImageReport, MarkReport},
    runtime::blocking,
    session::{self, MarkedImage, Opened},
    signature::sign,
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
    files: ImageFlags,
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
    earlier: Arc<Earlier>,
}

impl Job {
    fn outputs(&self) -> impl Iterator<Item = &Output> {
        [
            self.image.as_ref(),
            self.json.as_ref(),
            self.prompt.as_ref(),
        ]
        .into_iter()
        .flatten()
    }
}

impl ImageJob for Job {
    fn input(&self) -> &Input {
        &self.input
    }

    fn files(&self) -> Vec<&Path> {
        // Which masks there are, nobody knows before.
        let json = self.json.as_ref().filter(|_| self.format != Format::Masks);
        [self.image.as_ref(), json, self.prompt.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(Output::path)
            .collect()
    }

    fn folder(&self) -> Option<&Path> {
        self.outputs().find_map(Output::path)?.parent()
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.input.fmt(f)
    }
}

/// What is left to do in the order of the images.
struct Done {
    input: Input,
    /// Nothing was found.
    is_empty: bool,
    /// What was written.
    files: Vec<PathBuf>,
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
    let form = (options.format, options.no_timings, options.no_image);
    let flags = Flags {
        images: options.files,
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
    let asked = format!("mark {form:?} {}", opened.asked);
    let Left {
        jobs,
        skipped,
        mut journal,
    } = (options.batch).pass_over(jobs, &asked, |input| opened.beside(input))?;
    batch.tell(journal.iter().filter_map(Journal::told));
    let fail_empty = options.batch.fail_empty;
    let mut is_any_empty = false;
    let finish = |done: Done| {
        let Done {
            input,
            is_empty,
            files,
            mut stdout,
            notes,
            note,
            rest,
        } = done;
        is_any_empty |= is_empty;
        if let Some(rest) = rest {
            export.write_in_order(rest, &mut stdout)?;
        }
        Output::Stdout.write(&stdout)?;
        if let Some(journal) = &mut journal {
            journal.keep(&input, &files)?;
        }
        batch.tell(notes);
        if single && !general.quiet {
            eprintln!("som: {note}");
        }
        Ok(())
    };
    let code = batch
        .run(jobs, skipped, async |job| mark(&opened, job).await, finish)
        .await?;
    export.finish()?;
    Ok(ExitCode::from(match code {
        0 if is_any_empty && fail_empty => exit::EMPTY,
        code => code,
    }))
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
    let earlier = Arc::new(Earlier::default());
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
        earlier: earlier.clone(),
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
    let left = leftovers(job, &pages)?;
    let report = MarkReport {
        image: ImageReport::new(image, marked.size, &marked.notes),
        segmenter: &marked.origin,
        refiner: marked.refined.as_ref(),
        styles: report::styles(&marked.layers),
        marks: report::marks(&marked.allocation),
        unmarked: &marked.allocation.unmarked,
        pages: pages.iter().map(|(output, _)| output.to_string()).collect(),
        scale: marked.allocation.scale,
        timings_ms: job.timings.then_some(&marked.timings),
    };
    let marks = counted(report.marks.len(), "mark");
    let note = match report.pages.as_slice() {
        [] => format!("{}: {marks}", image.name),
        pages => format!("{}: {marks}", pages.join(", ")),
    };
    let outputs = pages.iter().map(|(output, _)| output).chain(&job.prompt);
    let paths = outputs.filter_map(Output::path);
    let mut files: Vec<PathBuf> = paths.map(Path::to_owned).collect();
    let mut stdout = Vec::new();
    // The first page last: where it is, the others are.
    for (output, bytes) in pages.into_iter().rev() {
        output.write_or_keep(bytes, &mut stdout)?;
    }
    left.map_or(Ok(()), Leftovers::remove)?;
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
    let output = job.json.as_ref();
    let (exported, rest) = export::write(
        job.format,
        output,
        &picture,
        json,
        &job.earlier,
        &mut stdout,
    )?;
    files.extend(exported);
    notes.extend(report::odd(image, &marked.notes));
    let Allocation {
        marks, unmarked, ..
    } = &marked.allocation;
    let found = marks.iter().map(|mark| &mark.mark.region);
    let found = found.chain(unmarked.iter().map(|unmarked| &unmarked.region));
    notes.extend(report::capped(image, found, marked.origin.segmentation()));
    notes.extend(report::without_marks(image, unmarked));
    if marks.is_empty() && !job.single {
        notes.push(format!("{}: no marks", image.name));
    }
    Ok(Done {
        input: job.input.clone(),
        is_empty: marks.is_empty(),
        files,
        stdout,
        notes,
        note,
        rest,
    })
}

/// The further pages of an earlier run in whose place none of `pages` comes.
fn leftovers(job: &Job, pages: &[(Output, Vec<u8>)]) -> Result<Option<Leftovers>> {
    let Some(Output::File(first)) = &job.image else {
        return Ok(None);
    };
    let written = pages.iter().filter_map(|(output, _)| output.path());
    let written: HashSet<PathBuf> = written.map(PathBuf::from).collect();
    let (base, ending) = (first.with_extension(""), first.extension());
    let json = job.json.as_ref().filter(|_| job.format == Format::Json);
    let left = job
        .earlier
        .leftovers(&base, ending.unwrap_or_default(), &written, json)?;
    Ok(Some(left))
}

/// Where each page goes.
fn pages(first: &Output, mut pages: Vec<Vec<u8>>) -> Result<Vec<(Output, Vec<u8>)>> {
    pages.iter_mut().for_each(sign);
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
