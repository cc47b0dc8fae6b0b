//! What is asked of every image, and who does the work: an engine of this process or a server.

mod local;
mod remote;

use std::{path::Path, thread};

use clap::Args;
use image::DynamicImage;
use som_core::{
    Allocation, Cancellation, Error, Hints, MarkOptions, Mask, Origin, Params, Result, Rle, Size,
    Timings, decode::decode, encode::Encoding,
};
use som_engine::{
    Segmented,
    settings::{Ladder, LimitSettings},
};

use self::remote::Remote;
use crate::{hint::HintArgument, input::Input, report::ImageReport, set::Setting};

pub(crate) use self::{
    local::{Local, Picture},
    remote::ServerOptions,
};

/// How regions are found.
#[derive(Args, Default)]
#[command(next_help_heading = "Regions")]
pub(crate) struct RegionOptions {
    /// The segmenter that cuts the image [default: mark.segmenter of the settings]
    #[arg(long, value_name = "ID")]
    segmenter: Option<String>,
    /// How fine to cut, from 1 (coarsest) to 6 (finest)
    #[arg(long, value_name = "N")]
    level: Option<String>,
    /// Set a parameter or an option of the segmenter, or STYLE.PARAMETER of a mark style
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<Setting>,
    /// Cut only what is pointed at: point:X,Y (point:X,Y,0: not this), box:X,Y,WIDTH,HEIGHT,
    /// stroke:MASK.png (bright pixels of an image of the same size), or mask:MASK.png (an earlier
    /// mask, to be refined)
    #[arg(long = "hint", value_name = "HINT")]
    hints: Vec<HintArgument>,
}

/// How regions are marked, where the flags say so.
#[derive(Default)]
pub(crate) struct InkOptions {
    /// The layers of ink.
    pub(crate) styles: Option<Vec<String>>,
    /// What is asked of the marks.
    pub(crate) marks: MarkOptions,
}

/// Who works on the images, and what is asked of each.
pub(crate) struct Session {
    /// Images at a time.
    pub(crate) jobs: usize,
    worker: Worker,
}

enum Worker {
    Local(Local),
    Remote(Box<Remote>),
}

/// The regions of an image.
pub(crate) struct SegmentedImage {
    pub(crate) report: ImageReport,
    pub(crate) segmented: Segmented,
    pub(crate) timings: Timings,
}

/// An image, its marks and its pages.
pub(crate) struct MarkedImage {
    pub(crate) report: ImageReport,
    pub(crate) origin: Origin,
    /// The layers of ink.
    pub(crate) styles: Vec<String>,
    pub(crate) allocation: Allocation,
    /// Encoded.
    pub(crate) pages: Vec<Vec<u8>>,
    pub(crate) timings: Timings,
}

impl Session {
    /// Gets ready for work; `jobs` is how many images are worked on at a time.
    ///
    /// # Errors
    /// Invalid or NotFound, naming the setting or flag that is wrong; what loading a plugin
    /// library reports; Unavailable for a server or segmenter that cannot be reached.
    pub(crate) async fn open(
        ladder: Ladder,
        regions: RegionOptions,
        ink: InkOptions,
        server: ServerOptions,
        jobs: Option<u16>,
    ) -> Result<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let at_a_time = jobs.map_or(cores, usize::from);
        let worker = if server.is_given() {
            Worker::Remote(Remote::open(server, &ladder, regions, ink).await?.into())
        } else {
            Worker::Local(Local::open(ladder, regions, ink, jobs, at_a_time).await?)
        };
        Ok(Self {
            jobs: at_a_time,
            worker,
        })
    }

    /// Cuts an image.
    ///
    /// # Errors
    /// NotFound, Invalid or Exhausted for an image that is missing, broken or too large; what the
    /// segmenter or the server reports.
    pub(crate) async fn segment(
        &self,
        input: &Input,
        stop: &Cancellation,
    ) -> Result<SegmentedImage> {
        match &self.worker {
            Worker::Local(local) => local.segment(input, stop).await,
            Worker::Remote(remote) => remote.segment(input).await,
        }
    }

    /// Marks an image; its pages are encoded as `encoding`.
    ///
    /// # Errors
    /// As [`segment`](Self::segment).
    pub(crate) async fn mark(
        &self,
        input: &Input,
        encoding: Encoding,
        stop: &Cancellation,
    ) -> Result<MarkedImage> {
        match &self.worker {
            Worker::Local(local) => local.mark(input, encoding, stop).await,
            Worker::Remote(remote) => remote.mark(input, encoding).await,
        }
    }
}

impl RegionOptions {
    /// What is set, `--level` first.
    fn assignments(&self) -> Vec<Setting> {
        let level = self.level.clone().map(|level| Setting::new("level", level));
        level.into_iter().chain(self.settings.clone()).collect()
    }

    /// The hints as a parameter of the call; nothing, if there are none. Blocks to read strokes
    /// and masks.
    ///
    /// # Errors
    /// As [`Input::read`] and [`decode`] for a stroke or mask.
    fn hints(&self, limits: &LimitSettings) -> Result<Params> {
        if self.hints.is_empty() {
            return Ok(Params::new());
        }
        let mut hints = Hints::default();
        for argument in &self.hints {
            match argument {
                HintArgument::Point(point) => hints.points.push(*point),
                HintArgument::Box(bbox) => hints.boxes.push(*bbox),
                HintArgument::Stroke(file) => hints.strokes.push(bright(file, limits)?),
                HintArgument::Mask(file) => hints.masks.push(bright(file, limits)?),
            }
        }
        let hints = serde_json::to_value(hints)
            .map_err(|error| Error::internal("the hints are no JSON").caused_by(error))?;
        Ok(Params::from_iter([("hints".to_owned(), hints)]))
    }
}

/// The bright pixels of an image.
fn bright(file: &Path, limits: &LimitSettings) -> Result<Rle> {
    let mask = || {
        let bytes = Input::file(file).read(limits.image_bytes)?;
        let gray = DynamicImage::from(decode(&bytes, limits.image_pixels)?).into_luma8();
        let size = Size::new(gray.width(), gray.height());
        let bright: Vec<u8> = gray.iter().map(|&gray| u8::from(gray >= 128)).collect();
        Mask::from_dense(size, size.bbox(), &bright)
    };
    let mask = mask().map_err(|error: Error| error.at(file.display()))?;
    Ok(mask.to_rle())
}
