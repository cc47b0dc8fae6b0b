//! What is asked of every image: settings, segmenter, parameters, hints.

use std::{
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use clap::Args;
use image::{DynamicImage, RgbImage};
use serde_json::Value;
use som_core::{Error, Hints, Mask, Params, Result, Size, decode::decode};
use som_engine::{
    Engine, LayerRequest,
    registry::Registry,
    settings::{Ladder, LimitSettings},
};

use crate::{
    embedded::PLUGINS,
    hint::HintArgument,
    input::Input,
    report::ImageReport,
    set::{Assigned, Setting},
};

/// How regions are found.
#[derive(Args)]
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
    /// Cut only what is pointed at: point:X,Y (point:X,Y,0: not this), box:X,Y,WIDTH,HEIGHT, or
    /// stroke:MASK.png (bright pixels of an image of the same size)
    #[arg(long = "hint", value_name = "HINT")]
    hints: Vec<HintArgument>,
}

/// An engine, and what it is asked of every image.
pub(crate) struct Session {
    pub(crate) engine: Arc<Engine>,
    /// The layers of ink.
    pub(crate) layers: Vec<LayerRequest>,
    /// Images at a time.
    pub(crate) jobs: usize,
    params: Params,
    hints: Vec<HintArgument>,
}

/// An image to work on, decoded and upright.
pub(crate) struct Picture {
    pub(crate) report: ImageReport,
    /// How long decoding took.
    pub(crate) decode: Duration,
    pixels: Arc<RgbImage>,
    params: Params,
}

impl Session {
    /// Starts an engine; `jobs` is how many images are worked on at a time.
    ///
    /// # Errors
    /// Invalid or NotFound, naming the setting or flag that is wrong; what loading a plugin
    /// library reports.
    pub(crate) fn open(ladder: Ladder, options: RegionOptions, jobs: Option<u16>) -> Result<Self> {
        let ladder = match options.segmenter {
            Some(id) => ladder.with_flag("--segmenter", "mark.segmenter", id),
            None => ladder,
        };
        let (mut settings, _) = ladder.load()?;
        let registry = Registry::open(PLUGINS, &settings)?;

        let id = settings.mark.segmenter.clone();
        let level = options.level.map(|level| Setting::new("level", level));
        let assigned = Assigned::of(level.iter().chain(&options.settings), &id, &registry)?;
        let layers = assigned.layers(&settings.mark.styles, &registry)?;
        let Assigned {
            params,
            options: segmenter_options,
            ..
        } = assigned;

        let table = settings.segmenter.entry(id).or_default();
        table.extend(segmenter_options);
        if let Some(jobs) = jobs {
            table.insert("instances".to_owned(), jobs.into());
        }
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let jobs = jobs.map_or(cores, usize::from);
        let engine = Arc::new(Engine::new(settings, registry)?);
        Ok(Self {
            engine,
            layers,
            jobs,
            params,
            hints: options.hints,
        })
    }

    /// Reads and decodes an image, and fits the hints to it.
    ///
    /// # Errors
    /// NotFound, Invalid or Exhausted for an image that is missing, broken or too large; Invalid
    /// for hints that lie outside it.
    pub(crate) async fn read(&self, input: &Input) -> Result<Picture> {
        let limits = self.engine.settings().limits.clone();
        let (input, hints, mut params) = (input.clone(), self.hints.clone(), self.params.clone());
        let read = move || {
            let bytes = input.read(limits.image_bytes)?;
            let start = Instant::now();
            let pixels = decode(&bytes, limits.image_pixels)?;
            let decode = start.elapsed();
            let size = Size::new(pixels.width(), pixels.height());
            if !hints.is_empty() {
                params.insert("hints".to_owned(), fit(&hints, size, &limits)?);
            }
            tracing::debug!(image = %input, %size, took = ?decode, "decoded");
            let report = ImageReport::new(input.to_string(), size, &bytes);
            Ok(Picture {
                report,
                decode,
                pixels: Arc::new(pixels),
                params,
            })
        };
        self.engine.compute(read).await
    }
}

impl Picture {
    /// Its size in pixels.
    pub(crate) fn size(&self) -> Size {
        Size::new(self.pixels.width(), self.pixels.height())
    }

    /// Its pixels.
    pub(crate) fn pixels(&self) -> Arc<RgbImage> {
        self.pixels.clone()
    }

    /// The parameters of the call, with the hints.
    pub(crate) fn params(&self) -> Params {
        self.params.clone()
    }
}

/// The hints as a parameter of the call, for an image of `size`. Blocks to read strokes.
///
/// # Errors
/// Invalid, if a hint lies outside the image or a stroke belongs to an image of another size; as
/// [`Input::read`] for a stroke.
fn fit(arguments: &[HintArgument], size: Size, limits: &LimitSettings) -> Result<Value> {
    let mut hints = Hints::default();
    for argument in arguments {
        match argument {
            HintArgument::Point(point) => hints.points.push(*point),
            HintArgument::Box(bbox) => hints.boxes.push(*bbox),
            HintArgument::Stroke(file) => {
                let stroke = stroke(file, limits).map_err(|error| error.at(file.display()))?;
                hints.masks.push(stroke.to_rle());
            }
        }
    }
    hints.check(size)?;
    serde_json::to_value(hints)
        .map_err(|error| Error::internal("the hints are no JSON").caused_by(error))
}

/// The bright pixels of an image.
fn stroke(file: &Path, limits: &LimitSettings) -> Result<Mask> {
    let bytes = Input::file(file).read(limits.image_bytes)?;
    let gray = DynamicImage::from(decode(&bytes, limits.image_pixels)?).into_luma8();
    let size = Size::new(gray.width(), gray.height());
    let bright: Vec<u8> = gray.iter().map(|&gray| u8::from(gray >= 128)).collect();
    Mask::from_dense(size, size.bbox(), &bright)
}
