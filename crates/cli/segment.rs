//! `som segment`: images → regions, as JSON, as other tools read them, or as masks.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Args;
use som_core::{Cancellation, Result};
use som_formats::write::Picture;

use crate::{
    General,
    batch::{Batch, BatchFlags, Left},
    destination::{self, Destination},
    earlier::Earlier,
    exit,
    export::{self, Export, Format, InOrder},
    flags::{Flags, ImageFlags, RegionFlags, ServerFlags},
    input::{ImageArguments, Input, InputImage, Inputs},
    journal::{ImageJob, Journal},
    output::Output,
    report::{self, ImageReport, SegmentReport},
    runtime::blocking,
    session::{self, Opened, SegmentedImage},
};

/// Cut images into regions, without marks
///
/// Prints the regions as JSON, each with its exact mask as COCO RLE; or writes them as COCO, YOLO,
/// LabelMe and others read them.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    #[command(flatten)]
    images: ImageArguments,

    /// Where the regions go: a file, a folder (coffee.json), or - for stdout (a line for each
    /// image) [default: stdout, unless there is --masks]
    #[arg(
        long,
        visible_alias = "export",
        value_name = "FILE|DIR",
        help_heading = "Output"
    )]
    json: Option<PathBuf>,
    /// How they are written
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,
    /// Leave out of som's JSON how long the stages took: the same request gives the same bytes
    #[arg(long, help_heading = "Output")]
    no_timings: bool,
    /// Write the mask of each region to this folder as coffee.0.png, coffee.1.png, …, numbered as
    /// in the JSON's list
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    masks: Option<PathBuf>,

    #[command(flatten)]
    files: ImageFlags,
    #[command(flatten)]
    regions: RegionFlags,
    #[command(flatten)]
    batch: BatchFlags,
    #[command(flatten)]
    server: ServerFlags,
}

const EXAMPLES: &str = "\
Examples:
  som segment coffee.png --json coffee.json
  som segment coffee.png --level 6 --masks masks/
  som segment coffee.png --hint box:40,60,120,80 | jq '.regions[0].bbox'
  som segment photos/ --format coco --json dataset.json
  som segment photos/ --format yolo --export labels/";

/// One image and where its outputs go.
#[derive(Clone)]
struct Job {
    input: Input,
    /// Its regions; `None`, if they go where those of all images go.
    json: Option<Output>,
    /// The mask of the first region.
    masks: Option<Output>,
    format: Format,
    timings: bool,
    /// There are no others.
    single: bool,
    earlier: Arc<Earlier>,
}

impl Job {
    fn outputs(&self) -> impl Iterator<Item = &Output> {
        [self.json.as_ref(), self.masks.as_ref()]
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
        json.and_then(Output::path).into_iter().collect()
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
    /// For the person who waits: what is odd about the image's file.
    odd: Vec<String>,
    rest: Option<InOrder>,
}

/// Cuts every image.
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
    let by_default = options.masks.is_none() || options.format == Format::Coco;
    let json = options.json.as_deref();
    let mut export = Export::new(options.format, json, by_default, single)?;
    export.check_skip_existing(options.batch.skip_existing)?;
    let jobs = jobs(&options, &export, &images, single)?;
    let form = (options.format, options.no_timings);
    let flags = Flags {
        images: options.files,
        regions: options.regions,
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
    let asked = format!("segment {form:?} {}", opened.asked);
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
            odd,
            rest,
        } = done;
        is_any_empty |= is_empty;
        if let Some(rest) = rest {
            export.write_in_order(rest, &mut stdout)?;
        }
        if let Some(journal) = &mut journal {
            journal.keep(&input, &files)?;
        }
        batch.tell(odd);
        Output::Stdout.write(&stdout)
    };
    let code = batch
        .run(
            jobs,
            skipped,
            async |job| segment(&opened, job).await,
            finish,
        )
        .await?;
    export.finish()?;
    Ok(ExitCode::from(match code {
        0 if is_any_empty && fail_empty => exit::EMPTY,
        code => code,
    }))
}

/// Where the outputs of each image go.
fn jobs(options: &Options, export: &Export, images: &[Input], single: bool) -> Result<Vec<Job>> {
    let masks = options.masks.clone().map(Destination::Folder);
    let earlier = Arc::new(Earlier::default());
    let job = |input: &Input| Job {
        input: input.clone(),
        json: export.output(input),
        masks: masks.as_ref().map(|masks| masks.output(input, ".0.png")),
        format: export.format(),
        timings: !options.no_timings,
        single,
        earlier: earlier.clone(),
    };
    let jobs: Vec<Job> = images.iter().map(job).collect();
    destination::check(images, jobs.iter().map(Job::outputs))?;
    Ok(jobs)
}

/// The work for one image, all but what must be done in order.
async fn segment(opened: &Opened, job: Job) -> Result<Done> {
    let image = opened.read(&job.input).await?;
    let segmented = opened.session.segment(&image, &opened.plan).await?;
    blocking(move || write(&job, &image, &segmented)).await
}

/// Writes the outputs of one image. Blocks.
fn write(job: &Job, image: &InputImage, found: &SegmentedImage) -> Result<Done> {
    let SegmentedImage {
        size,
        notes,
        segmented,
    } = found;
    let picture = Picture::segmented(&image.name, *size, &segmented.regions);
    let mut files = match &job.masks {
        Some(first) => export::write_masks(first, &picture, &job.earlier)?,
        None => Vec::new(),
    };
    let json = || {
        let report = SegmentReport {
            image: ImageReport::new(image, *size, notes),
            segmenter: &segmented.segmentation,
            refiner: segmented.refined.as_ref(),
            regions: &segmented.regions,
            timings_ms: job.timings.then_some(&segmented.timings),
        };
        match &job.json {
            Some(Output::Stdout) if !job.single => report::to_line(&report),
            _ => report::to_lines(&report),
        }
    };
    let mut stdout = Vec::new();
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
    let count = segmented.regions.len();
    let mut odd = report::odd(image, notes);
    odd.extend(report::capped(
        image,
        segmented.regions.iter(),
        Some(&segmented.segmentation),
    ));
    if count == 0 {
        odd.push(format!("{}: no regions", image.name));
    }
    Ok(Done {
        input: job.input.clone(),
        is_empty: count == 0,
        files,
        stdout,
        odd,
        rest,
    })
}
