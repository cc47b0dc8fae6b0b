//! Which images a command works on: files, folders, patterns, stdin.

mod image;
mod passed_over;
mod pattern;

use std::{
    collections::HashSet,
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use clap::Args;
use som_core::{Error, Result};
use walkdir::{DirEntry, WalkDir};

pub(crate) use self::{
    image::{Decoded, InputImage},
    passed_over::PassedOver,
};
use crate::output::unreadable;

/// The endings by which a folder's images are told from its other files.
const IMAGE_ENDINGS: [&str; 8] = ["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff"];

/// The images of a command.
#[derive(Args)]
pub(crate) struct ImageArguments {
    /// Images: files, folders (with their subfolders), patterns such as 'photos/*.jpg', or - for
    /// stdin
    #[arg(required = true, value_name = "IMAGE")]
    pub(crate) images: Vec<PathBuf>,
    /// Name outputs after the whole name of an image, for folders with both cup.png and cup.jpg:
    /// cup.png.marked.png
    #[arg(long, help_heading = "Many images")]
    pub(crate) keep_endings: bool,
}

/// What the arguments name.
#[derive(Clone, Debug)]
pub(crate) struct Inputs {
    /// In the order of the arguments; what a folder or pattern holds is sorted by path.
    pub(crate) images: Vec<Input>,
    /// True for one image that is named as such: its outputs may be single files.
    pub(crate) single: bool,
    /// What the folders hold that som does not read.
    pub(crate) passed_over: PassedOver,
}

/// One image to work on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Input {
    /// What comes through the pipe.
    Stdin,
    /// A file.
    File {
        /// As one opens it.
        path: PathBuf,
        /// Below the argument that named it: where its outputs go below an output folder.
        below: PathBuf,
        /// Whether its outputs are named after all of it.
        keeps_ending: bool,
    },
}

impl Inputs {
    /// The images that the arguments name. Folders are searched with all their subfolders; what
    /// begins with a dot and what som itself has marked is passed over. A pattern that the shell
    /// did not expand is expanded here.
    ///
    /// # Errors
    /// NotFound, if an argument names nothing; Invalid, if a folder cannot be read.
    pub(crate) fn find(
        ImageArguments {
            images: arguments,
            keep_endings,
        }: &ImageArguments,
    ) -> Result<Self> {
        let (mut images, mut passed_over) = (Vec::new(), PassedOver::default());
        let mut single = arguments.len() == 1;
        for argument in arguments {
            if argument.as_os_str() == "-" {
                images.push(Input::Stdin);
            } else if argument.exists() {
                single &= !argument.is_dir();
                add(argument, &mut images, &mut passed_over)?;
            } else if pattern::is_pattern(argument) {
                single = false;
                for path in pattern::matches(argument)? {
                    match path.exists() {
                        true => add(&path, &mut images, &mut passed_over)?,
                        false => passed_over.count_broken_link(),
                    }
                }
            } else {
                let what = match argument.is_symlink() {
                    true => "is a link to nothing",
                    false => "there is no such file or folder",
                };
                let message = format!("{}: {what}", argument.display());
                return Err(Error::not_found(message));
            }
        }
        if images.is_empty() {
            return Err(Error::not_found(format!(
                "there is no image: {passed_over}"
            )));
        }
        for image in &mut images {
            if let Input::File { keeps_ending, .. } = image {
                *keeps_ending = *keep_endings;
            }
        }
        let mut seen = HashSet::new();
        images.retain(|image| seen.insert(image.path().map(Path::to_owned)));
        Ok(Self {
            images,
            single,
            passed_over,
        })
    }
}

impl Inputs {
    /// Tells the person who waits what was passed over.
    pub(crate) fn tell_passed_over(&self, quiet: bool) {
        let passed_over = self.passed_over.to_string();
        if !quiet && !passed_over.is_empty() {
            eprintln!("som: {passed_over}");
        }
    }
}

impl Input {
    /// The file at `path`.
    pub(crate) fn file(path: &Path) -> Self {
        let below = path
            .file_name()
            .map_or_else(|| path.to_owned(), PathBuf::from);
        Self::File {
            path: path.to_owned(),
            below,
            keeps_ending: false,
        }
    }

    /// The encoded image. Blocks.
    ///
    /// # Errors
    /// NotFound or Invalid, naming the file; Exhausted, if it is longer than `limit` bytes.
    pub(crate) fn read(&self, limit: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read =
            |source: &mut dyn Read, bytes: &mut Vec<u8>| source.take(limit + 1).read_to_end(bytes);
        let result = match self {
            Input::Stdin => read(&mut io::stdin().lock(), &mut bytes),
            Input::File { path, .. } => {
                File::open(path).and_then(|mut file| read(&mut file, &mut bytes))
            }
        };
        result.map_err(unreadable)?;
        if bytes.len() as u64 > limit {
            return Err(Error::exhausted(format!(
                "the file is longer than {limit} bytes (raise limits.image_bytes)"
            )));
        }
        Ok(bytes)
    }

    /// The file; `None` for stdin.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Input::Stdin => None,
            Input::File { path, .. } => Some(path),
        }
    }

    /// What the image is called below a folder, without ending: `a/coffee`.
    pub(crate) fn stem(&self) -> PathBuf {
        match self {
            Input::Stdin => PathBuf::from("stdin"),
            Input::File { below, .. } => below.with_extension(""),
        }
    }

    /// What its outputs begin with below a folder: `a/coffee`, or `a/coffee.png` if that is asked for.
    pub(crate) fn output_stem(&self) -> PathBuf {
        match self {
            Input::File {
                below,
                keeps_ending: true,
                ..
            } => below.clone(),
            _ => self.stem(),
        }
    }
}

impl fmt::Display for Input {
    /// As the user names it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::Stdin => f.write_str("-"),
            Input::File { path, .. } => path.display().fmt(f),
        }
    }
}

/// Adds a file, or all images of a folder, and counts the images there that som does not read.
fn add(path: &Path, images: &mut Vec<Input>, passed_over: &mut PassedOver) -> Result<()> {
    if !path.is_dir() {
        images.push(Input::file(path));
        return Ok(());
    }
    let before = images.len();
    let mut here = PassedOver::default();
    let visible = |entry: &DirEntry| {
        entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".")
    };
    let walk = WalkDir::new(path).follow_links(true).sort_by_file_name();
    for entry in walk.into_iter().filter_entry(visible) {
        let entry = match entry {
            Ok(entry) => entry,
            // What is searched already is missed by nobody.
            Err(error) if error.loop_ancestor().is_some() => continue,
            Err(error) if is_broken_link(&error) => {
                here.count_broken_link();
                continue;
            }
            Err(error) => {
                let folder = error.path().unwrap_or(path).display().to_string();
                return Err(Error::invalid(format!(
                    "{folder}: the folder cannot be searched (see its permissions)"
                ))
                .caused_by(io::Error::from(error)));
            }
        };
        if !entry.file_type().is_file() {
            continue;
        }
        here.count(entry.path());
        if is_unmarked_image(entry.path()) {
            let below = entry
                .path()
                .strip_prefix(path)
                .unwrap_or(entry.path())
                .to_owned();
            images.push(Input::File {
                path: entry.into_path(),
                below,
                keeps_ending: false,
            });
        }
    }
    if images.len() == before {
        let there = match here.to_string() {
            none if none.is_empty() => none,
            some => format!("; {some}: convert them"),
        };
        return Err(Error::not_found(format!(
            "{}: the folder holds no image (looked for .{}{there})",
            path.display(),
            IMAGE_ENDINGS.join(" .")
        )));
    }
    passed_over.extend(here);
    Ok(())
}

/// True for a link to nothing.
fn is_broken_link(error: &walkdir::Error) -> bool {
    error.io_error().map(io::Error::kind) == Some(io::ErrorKind::NotFound)
}

/// True for an image by its ending, unless it is a page that som has written:
/// `coffee.marked.png`, `coffee.marked.2.png`.
fn is_unmarked_image(path: &Path) -> bool {
    let ending = path
        .extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or_default();
    let is_image = IMAGE_ENDINGS
        .iter()
        .any(|known| ending.eq_ignore_ascii_case(known));
    let stem = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    let page = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    is_image && !stem.ends_with(".marked") && !page.ends_with(".marked.")
}
