//! `som segment`: images → regions, as JSON, as a COCO dataset or as masks.

use std::{fmt, path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use image::{ExtendedColorType, ImageEncoder as _, codecs::png::PngEncoder};
use som_core::{Cancellation, Error, Mask, Result};

use crate::{
    General,
    batch::{Batch, BatchFlags},
    coco::{Annotated, Dataset},
    destination::{self, Destination},
    flags::{Flags, RegionFlags, ServerFlags},
    input::{ImageArguments, Input, InputImage, Inputs},
    output::Output,
    report::{self, ImageReport, SegmentReport},
    runtime::blocking,
    session::{self, Opened, SegmentedImage},
};

/// Cut images into regions, without marks
///
/// Prints the regions as JSON, each with its exact mask as COCO RLE; or writes one COCO dataset of
/// all images, or a black-and-white PNG of every region.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    #[command(flatten)]
    images: ImageArguments,

    /// Where the JSON goes: a file, a folder (coffee.json), or - for stdout (a line for each
    /// image) [default: stdout, unless there is --masks]
    #[arg(long, value_name = "FILE|DIR", help_heading = "Output")]
    json: Option<PathBuf>,
    /// What the JSON is: som's own, or one COCO dataset of all images
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,
    /// Write the mask of each region to this folder as coffee.0.png, coffee.1.png, …, numbered as
    /// in the JSON's list
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    masks: Option<PathBuf>,

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
  som segment photos/ --format coco --json dataset.json";

/// What the JSON is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One object for each image
    #[default]
    Json,
    /// A dataset as the COCO API reads it
    Coco,
}

/// One image and where its outputs go.
#[derive(Clone)]
struct Job {
    input: Input,
    /// som's own JSON.
    json: Option<Output>,
    /// The mask of the first region.
    masks: Option<Output>,
    /// Whether the image is wanted for the dataset.
    coco: bool,
}

impl Job {
    fn outputs(&self) -> impl Iterator<Item = &Output> {
        [self.json.as_ref(), self.masks.as_ref()]
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
    /// For the person who waits: what is odd about the image's file.
    odd: Vec<String>,
    /// For the dataset.
    annotated: Option<Annotated>,
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
    let dataset_file = dataset_file(&options)?;
    let jobs = jobs(&options, &images, single)?;
    let flags = Flags {
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
    let (jobs, skipped) = options
        .batch
        .pass_over(jobs, |job| job.outputs().all(Output::exists));
    let mut dataset = Dataset::default();
    let finish = |Done {
                      stdout,
                      odd,
                      annotated,
                  }| {
        dataset.extend(annotated);
        batch.tell(&odd);
        Output::Stdout.write(&stdout)
    };
    let exit = batch
        .run(
            jobs,
            skipped,
            async |job| segment(&opened, job, single).await,
            finish,
        )
        .await?;
    if let Some(output) = dataset_file {
        output.write(&report::to_lines(&dataset.file())?)?;
    }
    Ok(exit)
}

/// Where the dataset goes, if one is wanted.
fn dataset_file(options: &Options) -> Result<Option<Output>> {
    if options.format != Format::Coco {
        return Ok(None);
    }
    if options.batch.skip_existing {
        return Err(Error::invalid(
            "--skip-existing cannot resume one dataset of all images (leave it out)",
        ));
    }
    let Some(argument) = &options.json else {
        return Ok(Some(Output::Stdout));
    };
    match Destination::of(argument, true)? {
        Destination::File(path) => Ok(Some(Output::File(path))),
        Destination::Stdout => Ok(Some(Output::Stdout)),
        Destination::Folder(_) | Destination::Beside => Err(Error::invalid(format!(
            "{}: is a folder, but the dataset of all images is one file (name a file in it)",
            argument.display()
        ))),
    }
}

/// Where the outputs of each image go.
fn jobs(options: &Options, images: &[Input], single: bool) -> Result<Vec<Job>> {
    let coco = options.format == Format::Coco;
    let json = match &options.json {
        _ if coco => None,
        Some(argument) => Some(Destination::of(argument, single)?),
        None => options.masks.is_none().then_some(Destination::Stdout),
    };
    let masks = options.masks.clone().map(Destination::Folder);
    let job = |input: &Input| Job {
        input: input.clone(),
        json: json.as_ref().map(|json| json.output(input, ".json")),
        masks: masks.as_ref().map(|masks| masks.output(input, ".0.png")),
        coco,
    };
    let jobs: Vec<Job> = images.iter().map(job).collect();
    destination::check(images, jobs.iter().map(Job::outputs))?;
    Ok(jobs)
}

/// The work for one image, all but what must be done in order.
async fn segment(opened: &Opened, job: Job, single: bool) -> Result<Done> {
    let image = opened.read(&job.input).await?;
    let segmented = opened.session.segment(&image, &opened.plan).await?;
    blocking(move || write(&job, &image, &segmented, single)).await
}

/// Writes the outputs of one image. Blocks.
fn write(job: &Job, image: &InputImage, found: &SegmentedImage, single: bool) -> Result<Done> {
    let SegmentedImage {
        size,
        notes,
        segmented,
    } = found;
    let regions = &segmented.regions;
    let mut stdout = Vec::new();
    if let Some(Output::File(first)) = &job.masks {
        // From the last to the first: when that is there, all are.
        for (index, region) in regions.iter().enumerate().rev() {
            let path = first
                .with_extension("")
                .with_extension(format!("{index}.png"));
            Output::File(path).write(&mask_png(&region.mask)?)?;
        }
    }
    if let Some(output) = &job.json {
        let report = SegmentReport {
            image: ImageReport::new(image, *size, notes),
            segmenter: &segmented.segmentation,
            regions,
            timings_ms: &segmented.timings,
        };
        let json = match output {
            Output::Stdout if !single => report::to_line(&report)?,
            _ => report::to_lines(&report)?,
        };
        output.write_or_keep(json, &mut stdout)?;
    }
    let annotated = job
        .coco
        .then(|| Annotated::new(image.name.clone(), *size, regions));
    Ok(Done {
        stdout,
        odd: report::odd(image, notes),
        annotated,
    })
}

/// A gray image: 255 inside, 0 outside.
fn mask_png(mask: &Mask) -> Result<Vec<u8>> {
    let size = mask.size();
    let mut pixels = vec![0; size.pixels() as usize];
    mask.paint(size.bbox(), &mut pixels, 255_u8);
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(&pixels, size.width, size.height, ExtendedColorType::L8)
        .map_err(|error| Error::internal("the mask could not be encoded").caused_by(error))?;
    Ok(bytes)
}
