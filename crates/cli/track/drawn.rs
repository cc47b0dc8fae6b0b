//! Frames with marks that stay: numbers and colours are those of objects, and labels keep their place.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use image::{Delay, Frame as GifFrame, codecs::gif::GifEncoder};
use som_core::{
    Allocation, Cancellation, Error, Layer, MarkOptions, Result, Tracked,
    encode::{Encoding, encode_with},
};
use som_engine::{
    Engine, Marking, SharedImage,
    track::{MarkedFrame, VideoMarks},
};
use tempfile::TempDir;

use super::{ffmpeg, video::ChosenFrame};
use crate::{destination::Destination, output::Output, runtime::blocking};

/// Frames a second of a video whose own are not known.
const USUAL_RATE: f64 = 25.0;
/// GIFs shown faster than this are slowed down by browsers.
const FASTEST_GIF: f64 = 50.0;

/// Draws frames one after the other.
pub(super) struct Drawing {
    place: Place,
    marks: VideoMarks,
    /// What they were on the first frame: from there frames are seen backwards, too.
    first: Option<VideoMarks>,
}

/// Where the frames go.
enum Place {
    /// A picture for each, named as the frame is.
    Folder(Destination),
    /// One file, made in the end of pictures in a folder.
    File { path: PathBuf, frames: TempDir },
}

/// A frame that was drawn.
pub(super) struct Drawn {
    pub(super) path: Option<String>,
    pub(super) allocation: Allocation,
    /// As [`MarkedFrame::label_shift`].
    pub(super) label_shift: Option<f64>,
}

impl Drawing {
    /// To a folder, or to a video or GIF with this name.
    ///
    /// # Errors
    /// Exhausted, if no folder for its frames can be made.
    pub(super) fn to(output: &Path, layers: Vec<Layer>, options: MarkOptions) -> Result<Self> {
        let is_folder = output.is_dir() || output.extension().is_none();
        let place = match is_folder {
            true => Place::Folder(Destination::Folder(output.to_owned())),
            false => {
                let frames = tempfile::Builder::new().prefix("som-frames-").tempdir();
                let frames = frames.map_err(|error| {
                    Error::exhausted("no folder for frames could be made").caused_by(error)
                })?;
                Place::File {
                    path: output.to_owned(),
                    frames,
                }
            }
        };
        Ok(Self {
            place,
            marks: VideoMarks::new(Some(layers), options),
            first: None,
        })
    }

    /// Where a frame goes, if it has a file of its own.
    pub(super) fn file_of(&self, frame: &ChosenFrame) -> Option<Output> {
        match &self.place {
            Place::Folder(folder) => Some(folder.output(&frame.input, ".png")),
            Place::File { .. } => None,
        }
    }

    /// The way back begins: marks are those of the first frame again.
    pub(super) fn turn_back(&mut self) {
        if let Some(first) = self.first.take() {
            self.marks = first;
        }
    }

    /// Draws the marks of a frame, the `at`th of those that are worked on.
    ///
    /// # Errors
    /// As [`VideoMarks::mark`]; as [`Output::write`].
    pub(super) async fn draw(
        &mut self,
        engine: &Arc<Engine>,
        frame: &ChosenFrame,
        at: usize,
        image: SharedImage,
        tracked: &[Tracked],
        stop: &Cancellation,
    ) -> Result<Drawn> {
        let marked = self.marks.mark(engine, image, tracked, stop).await?;
        let MarkedFrame {
            marking,
            label_shift,
        } = marked;
        self.first.get_or_insert_with(|| self.marks.clone());
        let Marking {
            marked, tags, held, ..
        } = marking;
        let (output, path) = match &self.place {
            Place::Folder(folder) => {
                let output = folder.output(&frame.input, ".png");
                let path = output.to_string();
                (output, Some(path))
            }
            Place::File { frames, .. } => {
                let frame = frames.path().join(format!("{at:08}.png"));
                (Output::File(frame), None)
            }
        };
        let page = marked.pages.into_iter().next();
        let page = page.ok_or_else(|| Error::internal("a frame was not drawn"))?;
        let write = move || {
            // Until it is written.
            let _held = held;
            let encoding = match &output {
                Output::File(path) => Encoding::of_path(path)?,
                Output::Stdout => Encoding::Png,
            };
            let bytes = encode_with(&page, encoding, &tags)?;
            output.write(&bytes).map_err(|error| error.at(&output))
        };
        blocking(write).await?;
        Ok(Drawn {
            path,
            allocation: marked.allocation,
            label_shift,
        })
    }

    /// Makes the one file, if that is wanted. Blocks.
    ///
    /// # Errors
    /// As [`ffmpeg::pack`]; as [`Output::write`].
    pub(super) fn finish(self, rate: Option<f64>) -> Result<()> {
        let Place::File { path, frames } = &self.place else {
            return Ok(());
        };
        let rate = rate.unwrap_or(USUAL_RATE);
        let is_gif = path
            .extension()
            .is_some_and(|it| it.eq_ignore_ascii_case("gif"));
        match is_gif {
            true => gif(frames.path(), rate, path),
            false => ffmpeg::pack(frames.path(), rate, path),
        }
        .map_err(|error| error.at(path.display()))
    }
}

/// Makes a GIF of numbered PNGs.
fn gif(folder: &Path, rate: f64, path: &Path) -> Result<()> {
    let unwritten =
        |error: image::ImageError| Error::internal("the GIF could not be made").caused_by(error);
    let seconds = 1.0 / rate.min(FASTEST_GIF);
    let delay = Delay::from_saturating_duration(Duration::from_secs_f64(seconds));
    let names = fs::read_dir(folder).and_then(|entries| {
        entries
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<Vec<_>, _>>()
    });
    let mut names =
        names.map_err(|error| Error::internal("the frames are gone").caused_by(error))?;
    names.sort();
    let mut bytes = Vec::new();
    {
        let mut encoder = GifEncoder::new_with_speed(&mut bytes, 10);
        encoder
            .set_repeat(image::codecs::gif::Repeat::Infinite)
            .map_err(unwritten)?;
        for name in names {
            let picture = image::open(&name).map_err(unwritten)?.into_rgba8();
            let frame = GifFrame::from_parts(picture, 0, 0, delay);
            encoder.encode_frame(frame).map_err(unwritten)?;
        }
    }
    Output::File(path.to_owned()).write(&bytes)
}
