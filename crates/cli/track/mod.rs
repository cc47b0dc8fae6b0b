//! `som track`: the frames of a video → objects, each with its mask in every frame, and frames with marks
//! that stay.

mod course;
mod drawn;
mod ffmpeg;
mod hint;
mod opened;
mod report;
mod video;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use som_core::{Cancellation, Error, ErrorKind, Result, Size, Tracked, decode::DecodeOptions};
use som_engine::{
    Engine,
    settings::LimitSettings,
    track::{TrackFrame, TrackSession},
};
use som_formats::write::masks;

use self::{
    course::Step,
    drawn::{Drawing, Drawn},
    hint::ObjectHintArgument,
    opened::Opened,
    report::{FrameReport, Frames, MarkedReport, ObjectReport, VideoReport},
    video::{Choice, ChosenFrame, Video},
};
use crate::{
    General, destination,
    flags::{ImageFlags, MarkFlags, assignment::Assignment},
    input::{Decoded, Input, InputImage},
    output::Output,
    plural::counted,
    report as mark_report,
    runtime::blocking,
};

/// Follow objects through a video
///
/// Prints the objects of every frame as JSON, each with its exact mask as COCO RLE, and writes frames with
/// marks that keep their number, colour and place. What --hint points at is followed, forwards and
/// backwards; without hints everything is, by trackers that can.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// The video: a folder of frames, a pattern such as 'frames/*.jpg', frames one by one, an animated GIF,
    /// WebP or PNG, or a video file, which an installed ffmpeg reads
    #[arg(required = true, value_name = "VIDEO")]
    video: Vec<PathBuf>,
    /// Who follows objects: a tracker, or a segmenter, whose regions are then carried from frame to frame
    /// [default: track.tracker of the settings]
    #[arg(long, value_name = "ID")]
    tracker: Option<String>,
    /// Set a parameter or an option of the tracker, or STYLE.PARAMETER of a mark style
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<Assignment>,
    /// What is said of an object in a frame, FRAME:OBJECT:HINT: 0:1:point:X,Y (0:1:point:X,Y,0: not this),
    /// 0:1:box:X,Y,WIDTH,HEIGHT, 0:1:mask:MASK.png, 0:1:stroke:MASK.png, 9:1:remove, or 0:map:NUMBERS.png,
    /// whose pixels hold the numbers of objects. Frames count from 0, objects from 1; what is said of one
    /// object in one frame belongs together
    #[arg(long = "hint", value_name = "HINT")]
    hints: Vec<ObjectHintArgument>,
    /// The first frame
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Frames")]
    from: u64,
    /// The last frame [default: that of the video]
    #[arg(long, value_name = "N", help_heading = "Frames")]
    to: Option<u64>,
    /// Take one frame of N
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..), help_heading = "Frames")]
    every: u64,

    /// Where frames with marks go: a folder, a .gif, or a video file (.mp4), which an installed ffmpeg
    /// writes
    #[arg(long, short, value_name = "DIR|FILE", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Where the JSON goes: a file, or - for stdout [default: stdout, unless there is -o or --masks]
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    json: Option<PathBuf>,
    /// Write a picture for each frame to this folder whose pixels hold the numbers of objects, as DAVIS
    /// has them
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    masks: Option<PathBuf>,

    #[command(flatten)]
    files: ImageFlags,
    #[command(flatten)]
    marks: MarkFlags,
}

const EXAMPLES: &str = "\
Examples:
  som track frames/ -o marked/
  som track clip.gif --hint 0:1:box:40,60,120,80 -o marked.gif
  som track clip.mp4 --tracker sam2 --set weights=sam2.1_hiera_tiny.pt --hint 0:1:point:300,200 -o out.mp4
  som track frames/ --hint 0:map:first.png --masks out/ --json out.json
  som track frames/ --every 5 --json - | jq '.objects'";

/// Tracks one video.
pub(crate) async fn run(
    options: Options,
    general: &General,
    stop: &Cancellation,
) -> Result<ExitCode> {
    let opened = Opened::new(&options, &general.ladder()).await?;
    let settings = opened.engine.settings();
    let (limits, decoding) = (settings.limits.clone(), settings.decoding());
    let (arguments, bounds) = (options.video.clone(), limits.clone());
    let video = blocking(move || Video::open(&arguments, &bounds)).await?;
    if let Some(odd) = video.odd.as_ref().filter(|_| !general.quiet) {
        eprintln!("som: {odd}");
    }
    let choice = Choice {
        from: options.from,
        to: options.to,
        every: options.every,
    };
    let frames = video.chosen(choice)?;
    let (arguments, bounds) = (options.hints.clone(), limits.clone());
    let hints = blocking(move || hint::by_frame(&arguments, &bounds)).await?;
    let said: BTreeSet<u64> = hints
        .values()
        .flatten()
        .filter(|said| !said.remove)
        .map(|said| said.object)
        .collect();
    if said.is_empty() && !opened.is_automatic {
        let tracker = opened.request.tracker.unwrap_or_default();
        return Err(Error::invalid(format!(
            "{tracker} follows what it is pointed at alone: say what, such as --hint 0:1:point:X,Y"
        )));
    }
    let numbers: Vec<u64> = frames.iter().map(|frame| frame.number).collect();
    let steps = course::steps(&numbers, hints)?;
    let drawing = match &options.output {
        Some(output) => Some(Drawing::to(
            output,
            opened.layers.clone(),
            opened.marks.clone(),
        )?),
        None => None,
    };
    check_outputs(&frames, drawing.as_ref(), options.masks.as_deref())?;
    let json = match &options.json {
        Some(path) if path.as_os_str() == "-" => Some(Output::Stdout),
        Some(path) => Some(Output::File(path.clone())),
        None if options.output.is_none() && options.masks.is_none() => Some(Output::Stdout),
        None => None,
    };
    let mut session = opened.engine.track(opened.request, stop).await?;
    let mut run = Run {
        engine: opened.engine,
        frames: &frames,
        decoding,
        limits,
        is_of_files: video.is_of_files(),
        masks: options.masks,
        drawing,
        kept: Frames::new()?,
        size: None,
        quiet: general.quiet,
    };
    let progress = progress(&steps, general.quiet);
    let mut ended = None;
    for step in &steps {
        if let Err(error) = run.step(step, &mut session, &progress, stop).await {
            ended = Some(error);
            break;
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    let Run {
        kept,
        drawing,
        size,
        ..
    } = run;
    if kept.len() == 0
        && let Some(error) = ended
    {
        return Err(error);
    }
    let never = kept.never_seen(said.into_iter());
    let told = format!(
        "{}: {} in {}",
        video.name,
        counted(kept.objects(), "object"),
        counted(kept.len(), "frame")
    );
    // What there is of it is not lost.
    if let Some(json) = json {
        let size = size.unwrap_or_default();
        let report = VideoReport {
            path: &video.name,
            width: size.width,
            height: size.height,
            frames: video.len(),
            rate: video.rate,
        };
        kept.write(&json, &report, session.tracker(), ended.as_ref())
            .map_err(|error| error.at(&json))?;
    }
    if let Some(drawing) = drawing {
        let rate = video.rate.map(|rate| rate / options.every as f64);
        blocking(move || drawing.finish(rate)).await?;
    }
    if !general.quiet {
        for object in never {
            eprintln!(
                "som: {}: object {object} was not found in any frame",
                video.name
            );
        }
        eprintln!("som: {told}");
    }
    match ended {
        Some(error) => Err(error),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// A video under way.
struct Run<'a> {
    engine: Arc<Engine>,
    frames: &'a [ChosenFrame],
    decoding: DecodeOptions,
    limits: LimitSettings,
    /// Frames have names of their own.
    is_of_files: bool,
    masks: Option<PathBuf>,
    drawing: Option<Drawing>,
    kept: Frames,
    size: Option<Size>,
    quiet: bool,
}

impl Run<'_> {
    /// Gives the tracker a frame, and keeps and writes what it finds.
    async fn step(
        &mut self,
        step: &Step,
        session: &mut TrackSession,
        progress: &ProgressBar,
        stop: &Cancellation,
    ) -> Result<()> {
        let frame = &self.frames[step.at];
        let at = |error: Error| match self.is_of_files {
            true => error.at(&frame.input),
            false => error.at(format!("frame {}", frame.number)),
        };
        let Decoded { pixels, notes, .. } = self.read(frame).await.map_err(at)?;
        if !self.quiet && step.counts {
            progress.suspend(|| {
                notes
                    .iter()
                    .for_each(|note| eprintln!("som: {}: {note}", frame.input));
            });
        }
        let seen = TrackFrame {
            image: pixels.clone(),
            index: step.at as u64,
            count: Some(self.frames.len() as u64),
            is_backward: step.is_backward,
            hints: step.hints.clone(),
        };
        let tracked = session.frame(seen, stop).await.map_err(at)?.tracked;
        self.size.get_or_insert(pixels.size());
        if !step.counts {
            if step.is_backward
                && let Some(drawing) = &mut self.drawing
            {
                drawing.turn_back();
            }
            return Ok(());
        }
        if let Some(folder) = &self.masks {
            let output = mask_of(folder, frame);
            let (size, tracked) = (pixels.size(), tracked.clone());
            blocking(move || write_map(&output, size, &tracked)).await?;
        }
        let drawn = match &mut self.drawing {
            Some(drawing) => {
                let drawn = drawing.draw(&self.engine, frame, step.at, pixels, &tracked, stop);
                Some(drawn.await?)
            }
            None => None,
        };
        let marked = drawn.as_ref().map(|drawn: &Drawn| MarkedReport {
            path: drawn.path.clone(),
            marks: mark_report::marks(&drawn.allocation),
            label_shift: drawn.label_shift,
        });
        let path = frame.input.path().map(|path| path.display().to_string());
        self.kept.keep(&FrameReport {
            index: frame.number,
            path: path.as_deref().filter(|_| self.is_of_files),
            objects: tracked.iter().map(ObjectReport::from).collect(),
            marked,
        })
    }

    async fn read(&self, frame: &ChosenFrame) -> Result<Decoded> {
        let (input, limits) = (frame.input.clone(), self.limits.clone());
        let decoding = self.decoding.clone();
        blocking(move || InputImage::read(&input, &limits)?.decode(&decoding)).await
    }
}

/// Checks that no two frames are written to one file, and none over a frame that is read.
fn check_outputs(
    frames: &[ChosenFrame],
    drawing: Option<&Drawing>,
    masks: Option<&Path>,
) -> Result<()> {
    let outputs = |frame: &ChosenFrame| -> Vec<Output> {
        let drawn = drawing.and_then(|drawing| drawing.file_of(frame));
        let mask = masks.map(|folder| mask_of(folder, frame));
        drawn.into_iter().chain(mask).collect()
    };
    let inputs: Vec<Input> = frames.iter().map(|frame| frame.input.clone()).collect();
    let outputs: Vec<Vec<Output>> = frames.iter().map(outputs).collect();
    destination::check(&inputs, outputs.iter().map(|outputs| outputs.iter()))
}

/// Where the numbers of a frame's objects go.
fn mask_of(folder: &Path, frame: &ChosenFrame) -> Output {
    Output::File(folder.join(format!("{:05}.png", frame.number)))
}

/// Writes whose each pixel is.
fn write_map(output: &Output, size: Size, tracked: &[Tracked]) -> Result<()> {
    let numbered = tracked.iter().map(|tracked| {
        let number = u8::try_from(tracked.object).map_err(|_| {
            let object = tracked.object;
            Error::new(
                ErrorKind::Unsupported,
                format!("--masks: a picture holds the numbers up to 255, but there is an object {object}"),
            )
        })?;
        Ok((number, &tracked.region.mask))
    });
    let bytes = masks::map(size, numbered.collect::<Result<_>>()?)?;
    output.write(&bytes).map_err(|error| error.at(output))
}

/// A bar on stderr, if that is a terminal.
fn progress(steps: &[Step], quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(steps.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:32} {pos}/{len} frames, {eta} left") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
