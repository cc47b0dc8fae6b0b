//! `som mark`: images → marked images, their marks as JSON, and a prompt.

use std::{fmt, path::PathBuf, process::ExitCode, time::Instant};

use clap::Args;
use image::RgbImage;
use som_core::{
    Cancellation, Error, Result,
    encode::{Encoding, encode},
    prompt::ready_prompt,
};
use som_engine::{MarkRequest, Marking, RegionSource};

use crate::{
    General,
    batch::{Batch, BatchOptions},
    destination::{self, Destination},
    input::{Input, Inputs},
    output::Output,
    report::{self, MarkReport, MarkTimings, SegmenterReport, milliseconds},
    session::{Picture, RegionOptions, Session},
};

/// Mark the regions of images
///
/// Writes a copy of each image with a label on every region, and on request the marks as JSON
/// (each with the exact mask of its region) and a prompt that explains the marks to a model.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Images: files, folders (with their subfolders), patterns such as 'photos/*.jpg', or - for
    /// stdin
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,

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
    regions: RegionOptions,

    /// The layers of ink, from the lowest to the topmost [default: mark.styles of the settings]
    #[arg(
        long,
        value_name = "A,B,C",
        value_delimiter = ',',
        help_heading = "Marks"
    )]
    styles: Option<Vec<String>>,
    /// Most marks on one image; more go to further pages (coffee.marked.2.png); 0: as many as fit
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        help_heading = "Marks"
    )]
    page_size: Option<u32>,

    #[command(flatten)]
    batch: BatchOptions,
}

const EXAMPLES: &str = "\
Examples:
  som mark coffee.png
  som mark coffee.png -o out.jpg --json out.json --prompt out.txt
  som mark coffee.png --level 5 --styles contour,alphabet --set contour.thickness=3
  som mark coffee.png --hint point:300,200 --hint box:40,60,120,80
  som mark photos/ -o marked/ --json marked/ --jobs 8 --skip-existing
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
    /// For the person who waits.
    note: String,
}

/// Marks every image.
pub(crate) async fn run(
    options: Options,
    general: &General,
    stop: &Cancellation,
) -> Result<ExitCode> {
    let Inputs { images, single } = Inputs::find(&options.images)?;
    let jobs = jobs(&options, &images, single)?;
    let mut ladder = general.ladder();
    if let Some(styles) = options.styles {
        ladder = ladder.with_flag("--styles", "mark.styles", styles);
    }
    if let Some(page_size) = options.page_size {
        ladder = ladder.with_flag("--page-size", "mark.page_size", page_size);
    }
    let session = Session::open(ladder, options.regions, options.batch.jobs)?;
    let batch = Batch {
        single,
        jobs: session.jobs,
        quiet: general.quiet,
    };
    let (jobs, skipped) = options
        .batch
        .pass_over(jobs, |job| job.outputs().all(Output::exists));
    let finish = |Done { stdout, note }| {
        Output::Stdout.write(&stdout)?;
        if single && !general.quiet {
            eprintln!("som: {note}");
        }
        Ok(())
    };
    batch
        .run(
            jobs,
            skipped,
            async |job| mark(&session, job, single, stop).await,
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
async fn mark(session: &Session, job: Job, single: bool, stop: &Cancellation) -> Result<Done> {
    let picture = session.read(&job.input).await?;
    let request = MarkRequest {
        image: picture.pixels(),
        regions: RegionSource::Segmenter {
            id: None,
            params: picture.params(),
        },
        layers: Some(session.layers.clone()),
        options: session.engine.allocate_options(),
        draw: true,
    };
    let marking = session.engine.mark(request, stop).await?;
    session
        .engine
        .compute(move || write(&job, &picture, &marking, single))
        .await
}

/// Encodes and writes the outputs of one image. Blocks.
fn write(job: &Job, picture: &Picture, marking: &Marking, single: bool) -> Result<Done> {
    let Marking {
        segmentation,
        layers,
        marked,
        allocate,
        draw,
    } = marking;
    let segmentation = segmentation
        .as_ref()
        .ok_or_else(|| Error::internal("the image was marked, but not cut"))?;
    let start = Instant::now();
    let pages = encode_pages(&job.image, &marked.pages)?;
    let encoded = start.elapsed();

    let report = MarkReport {
        image: &picture.report,
        segmenter: SegmenterReport::from(segmentation),
        styles: layers.iter().map(|layer| layer.style.as_str()).collect(),
        marks: report::marks(&marked.allocation),
        pages: pages.iter().map(|(output, _)| output.to_string()).collect(),
        timings_ms: MarkTimings {
            decode: milliseconds(picture.decode),
            segment: milliseconds(segmentation.took),
            allocate: milliseconds(*allocate),
            draw: milliseconds(*draw),
            encode: milliseconds(encoded),
        },
    };
    let note = format!("{}: {} marks", report.pages.join(", "), report.marks.len());
    let mut stdout = Vec::new();
    for (output, bytes) in pages {
        output.write_or_keep(bytes, &mut stdout)?;
    }
    if let Some(output) = &job.prompt {
        output.write_or_keep(
            ready_prompt(&marked.allocation, None).into_bytes(),
            &mut stdout,
        )?;
    }
    // Last, so that a run that is resumed finds the others complete.
    if let Some(output) = &job.json {
        let lines = *output != Output::Stdout || single;
        let json = if lines {
            report::to_lines(&report)
        } else {
            report::to_line(&report)
        };
        output.write_or_keep(json?, &mut stdout)?;
    }
    Ok(Done { stdout, note })
}

/// The encoded pages and where each goes.
fn encode_pages(first: &Output, pages: &[RgbImage]) -> Result<Vec<(Output, Vec<u8>)>> {
    match (first, pages) {
        (Output::Stdout, [image]) => Ok(vec![(Output::Stdout, encode(image, Encoding::Png)?)]),
        (Output::Stdout, _) => Err(Error::invalid(format!(
            "the marks fill {} pages, but stdout takes one (give a file: -o FILE)",
            pages.len()
        ))),
        (Output::File(first), _) => {
            let encoding = Encoding::of_path(first)?;
            let page = |(image, number)| {
                Ok((
                    Output::File(destination::page(first, number)),
                    encode(image, encoding)?,
                ))
            };
            pages.iter().zip(1..).map(page).collect()
        }
    }
}
