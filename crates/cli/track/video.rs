//! Which frames there are: a folder, a pattern, an animation, or a video file that an installed `ffmpeg`
//! takes apart. The frames of the last two lie in a folder of their own while som runs.

use std::{
    fs::File,
    io::{BufReader, Read as _},
    path::{Path, PathBuf},
};

use image::{
    AnimationDecoder, DynamicImage, ImageError,
    codecs::{gif::GifDecoder, png::PngDecoder, webp::WebPDecoder},
};
use som_core::{Error, Result, Size};
use som_engine::settings::LimitSettings;
use tempfile::TempDir;

use super::ffmpeg;
use crate::input::{ImageArguments, Input, Inputs};

/// The frames of one video, in order.
pub(super) struct Video {
    /// As the user names it.
    pub(super) name: String,
    frames: Vec<Input>,
    /// Frames a second, where that is known.
    pub(super) rate: Option<f64>,
    /// For the person who waits: what is odd about the file.
    pub(super) odd: Option<String>,
    /// Where the frames lie that were taken out of a file.
    unpacked: Option<TempDir>,
}

/// Which frames are worked on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    /// The first one.
    pub(super) from: u64,
    /// The last one; `None` for that of the video.
    pub(super) to: Option<u64>,
    /// One of so many.
    pub(super) every: u64,
}

/// A frame that is worked on.
#[derive(Clone, Debug)]
pub(super) struct ChosenFrame {
    /// Its number in the video, from 0.
    pub(super) number: u64,
    pub(super) input: Input,
}

impl Video {
    /// The video that the arguments name. Blocks.
    ///
    /// # Errors
    /// NotFound, if there is none; Unavailable for a video file without `ffmpeg`; Invalid for one that
    /// cannot be read.
    pub(super) fn open(arguments: &[PathBuf], limits: &LimitSettings) -> Result<Self> {
        let names: Vec<String> = arguments
            .iter()
            .map(|argument| argument.display().to_string())
            .collect();
        let name = names.join(" ");
        if let [file] = arguments
            && file.is_file()
        {
            let unpacked = Unpacked::of(file, limits).map_err(|error| error.at(&name))?;
            if let Some(Unpacked { folder, rate, odd }) = unpacked {
                let frames = of_files(&[folder.path().to_owned()])?;
                return Ok(Self {
                    odd: odd.map(|odd| format!("{name}: {odd}")),
                    name,
                    frames,
                    rate,
                    unpacked: Some(folder),
                });
            }
        }
        Ok(Self {
            frames: of_files(arguments)?,
            name,
            rate: None,
            odd: None,
            unpacked: None,
        })
    }

    /// How many frames it has.
    pub(super) fn len(&self) -> u64 {
        self.frames.len() as u64
    }

    /// True if its frames are files of their own, whose names people know.
    pub(super) const fn is_of_files(&self) -> bool {
        self.unpacked.is_none()
    }

    /// The frames that are chosen.
    ///
    /// # Errors
    /// Invalid, if there is none among them.
    pub(super) fn chosen(&self, choice: Choice) -> Result<Vec<ChosenFrame>> {
        let Choice { from, to, every } = choice;
        let last = to.unwrap_or(u64::MAX);
        let numbered = (0..).zip(&self.frames);
        let chosen = numbered.filter(|(number, _)| {
            (from..=last).contains(number) && (number - from).is_multiple_of(every)
        });
        let chosen: Vec<ChosenFrame> = chosen
            .map(|(number, input)| ChosenFrame {
                number,
                input: input.clone(),
            })
            .collect();
        match chosen.is_empty() {
            true => Err(Error::invalid(format!(
                "{}: there is no frame from {from} on (it has {}, counted from 0)",
                self.name,
                self.len()
            ))),
            false => Ok(chosen),
        }
    }
}

/// The images that the arguments name, in the order in which people count: 2 before 10.
fn of_files(arguments: &[PathBuf]) -> Result<Vec<Input>> {
    let arguments = ImageArguments {
        images: arguments.to_vec(),
        keep_endings: false,
    };
    let mut images = Inputs::find(&arguments)?.images;
    if images.contains(&Input::Stdin) {
        return Err(Error::invalid(
            "a video cannot come from stdin (name a folder, a pattern or a file)",
        ));
    }
    images.sort_by_cached_key(|image| image.path().map(natural));
    Ok(images)
}

/// A part of a name: what is no number, or how a number compares.
type NamePart = (String, u128);

/// By which names are sorted, so that numbers in them count as such.
fn natural(path: &Path) -> Vec<NamePart> {
    let text = path.to_string_lossy();
    let mut parts = vec![(String::new(), 0)];
    let mut digits = String::new();
    let close = |parts: &mut Vec<NamePart>, digits: &mut String| {
        if !digits.is_empty() {
            if let Some(last) = parts.last_mut() {
                last.1 = digits.parse().unwrap_or(u128::MAX);
            }
            parts.push((String::new(), 0));
            digits.clear();
        }
    };
    for letter in text.chars() {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        close(&mut parts, &mut digits);
        if let Some(last) = parts.last_mut() {
            last.0.push(letter);
        }
    }
    close(&mut parts, &mut digits);
    parts
}

/// Frames that were taken out of one file.
struct Unpacked {
    folder: TempDir,
    rate: Option<f64>,
    odd: Option<String>,
}

impl Unpacked {
    /// The frames of an animation or a video; `None` for a picture that stands still.
    fn of(file: &Path, limits: &LimitSettings) -> Result<Option<Self>> {
        let folder = || {
            let made = tempfile::Builder::new().prefix("som-frames-").tempdir();
            made.map_err(|error| {
                Error::exhausted("no folder for its frames could be made").caused_by(error)
            })
        };
        let kind = head(file)?;
        let unreadable =
            |error: std::io::Error| Error::invalid("the file cannot be read").caused_by(error);
        let reader = || Ok::<_, Error>(BufReader::new(File::open(file).map_err(unreadable)?));
        let decoder_error =
            |error: ImageError| Error::invalid("the animation cannot be read").caused_by(error);
        let frames: image::Frames<'_> = match kind {
            Kind::Gif => GifDecoder::new(reader()?)
                .map_err(decoder_error)?
                .into_frames(),
            Kind::WebP => {
                let decoder = WebPDecoder::new(reader()?).map_err(decoder_error)?;
                match decoder.has_animation() {
                    true => decoder.into_frames(),
                    false => return Ok(None),
                }
            }
            Kind::Png => {
                let decoder = PngDecoder::new(reader()?).map_err(decoder_error)?;
                match decoder.is_apng().map_err(decoder_error)? {
                    true => decoder.apng().map_err(decoder_error)?.into_frames(),
                    false => return Ok(None),
                }
            }
            Kind::Picture => return Ok(None),
            Kind::Other => {
                let folder = folder()?;
                let rate = ffmpeg::unpack(file, folder.path())?;
                let odd = None;
                return Ok(Some(Self { folder, rate, odd }));
            }
        };
        let folder = folder()?;
        let (mut took, mut odd) = (0.0, None);
        let mut count = 0_u32;
        for frame in frames {
            let at = |error: Error| error.at(format!("frame {count}"));
            let frame = match frame {
                Ok(frame) => frame,
                // What there is of it is a video.
                Err(error) if count > 0 => {
                    odd = Some(format!("ends early, at frame {count}: {error}"));
                    break;
                }
                Err(error) => return Err(at(decoder_error(error))),
            };
            let (numerator, denominator) = frame.delay().numer_denom_ms();
            took += f64::from(numerator) / f64::from(denominator.max(1)) / 1000.0;
            let pixels = frame.into_buffer();
            let size = Size::new(pixels.width(), pixels.height());
            limits.allow_pixels("frames", [size]).map_err(at)?;
            let path = folder.path().join(format!("{count:08}.png"));
            let saved = DynamicImage::ImageRgba8(pixels).save(path);
            saved.map_err(|error| {
                Error::exhausted(
                    "a frame could not be kept (is there room in the temporary folder?)",
                )
                .caused_by(error)
            })?;
            count += 1;
        }
        let rate = (took > 0.0).then(|| f64::from(count) / took);
        Ok(Some(Self { folder, rate, odd }))
    }
}

/// What a file is by its first bytes.
enum Kind {
    Gif,
    WebP,
    Png,
    /// Any other picture.
    Picture,
    Other,
}

fn head(file: &Path) -> Result<Kind> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|file| file.take(64).read_to_end(&mut bytes));
    read.map_err(|error| Error::invalid("the file cannot be read").caused_by(error))?;
    Ok(match image::guess_format(&bytes) {
        Ok(image::ImageFormat::Gif) => Kind::Gif,
        Ok(image::ImageFormat::WebP) => Kind::WebP,
        Ok(image::ImageFormat::Png) => Kind::Png,
        Ok(_) => Kind::Picture,
        Err(_) => Kind::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_in_the_order_in_which_people_count() {
        let mut names = [
            "a/frame10.png",
            "a/frame2.png",
            "a/frame02b.png",
            "a/frame.png",
            "00010.jpg",
            "9.jpg",
        ];
        names.sort_by_cached_key(|name| natural(Path::new(name)));
        assert_eq!(
            names,
            [
                "9.jpg",
                "00010.jpg",
                "a/frame2.png",
                "a/frame02b.png",
                "a/frame10.png",
                "a/frame.png"
            ]
        );
    }

    #[test]
    fn some_frames_are_chosen() {
        let video = Video {
            name: "v".to_owned(),
            frames: (0..10)
                .map(|at| Input::file(Path::new(&format!("{at}.png"))))
                .collect(),
            rate: None,
            odd: None,
            unpacked: None,
        };
        let numbers = |from, to, every| {
            let chosen = video.chosen(Choice { from, to, every });
            chosen.map(|chosen| chosen.iter().map(|frame| frame.number).collect::<Vec<_>>())
        };
        assert_eq!(numbers(0, None, 4).unwrap(), [0, 4, 8]);
        assert_eq!(numbers(3, Some(6), 2).unwrap(), [3, 5]);
        let error = numbers(10, None, 1).unwrap_err();
        assert_eq!(
            error.message(),
            "v: there is no frame from 10 on (it has 10, counted from 0)"
        );
    }
}
