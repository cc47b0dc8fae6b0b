//! `--regions`: file → the regions of an image, in place of a segmenter's.

mod files;

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use som_core::{Error, ErrorKind, Result, Size};
use som_engine::GivenRegions;
use som_formats::{
    Format, FormatError, Given, MAX_BYTES, MaskFolder, Only, Read, Source, Target, class_names,
};

use self::files::Found;
use crate::{flags::GivenFlags, input::Input, output::unreadable};

/// Where regions come from, and which of them are wanted.
pub(crate) struct GivenSource {
    path: PathBuf,
    format: Option<Format>,
    only: Vec<Only>,
    keep_ids: bool,
    /// There is one image: what is wanted has to be there.
    single: bool,
    /// What stands in a file that is for all images.
    shared: OnceLock<Arc<[u8]>>,
}

/// The regions of an image, and what was odd about them.
pub(crate) struct GivenImage {
    pub(crate) regions: GivenRegions,
    /// For the person who waits.
    pub(crate) notes: Vec<String>,
}

impl GivenSource {
    /// What the flags name; `None`, if they name nothing.
    ///
    /// # Errors
    /// NotFound, if it is not there.
    pub(crate) fn of(flags: &GivenFlags, single: bool) -> Result<Option<Self>> {
        let Some(path) = &flags.regions else {
            return Ok(None);
        };
        if !path.exists() {
            let message = format!("{}: there is no such file or folder", path.display());
            return Err(Error::not_found(message));
        }
        Ok(Some(Self {
            path: path.clone(),
            format: flags.regions_format,
            only: flags.only.clone(),
            keep_ids: flags.keep_ids,
            single,
            shared: OnceLock::new(),
        }))
    }

    /// What a file or folder has for each of many images.
    pub(crate) fn of_many(path: PathBuf) -> Self {
        Self {
            path,
            format: None,
            only: Vec::new(),
            keep_ids: false,
            single: false,
            shared: OnceLock::new(),
        }
    }

    /// The regions of an image of this `size`. Blocks.
    ///
    /// # Errors
    /// NotFound, if there are none for it, or a condition names what no region has; whatever is wrong
    /// with the file, which is named.
    pub(crate) fn read(&self, image: &Input, size: Size) -> Result<GivenImage> {
        let (path, read) = match self.path.is_dir() {
            false => (self.path.clone(), self.read_file(&self.path, image, size)?),
            true => match files::find(&self.path, image, self.format, self.single)? {
                Found::File(path) => {
                    let read = self.read_file(&path, image, size)?;
                    (path, read)
                }
                Found::Masks(masks) => (self.path.clone(), read_masks(&masks, size)?),
            },
        };
        let at = |error: Error| error.at(path.display());
        let Read {
            given, mut notes, ..
        } = read;
        let given = match Only::choose(&self.only, given, size) {
            // Of many images not every one has a cup.
            Err(error) if !self.single && error.kind() == ErrorKind::NotFound => {
                notes.push(error.to_string());
                Vec::new()
            }
            chosen => chosen.map_err(at)?,
        };
        if given.is_empty() && !self.only.is_empty() {
            notes.push("no region meets --only".to_owned());
        }
        let ids = match self.keep_ids {
            true => ids(&given).map_err(at)?,
            false => Vec::new(),
        };
        let regions = given.into_iter().map(|given| given.region);
        Ok(GivenImage {
            regions: GivenRegions {
                regions: regions.collect(),
                ids,
            },
            notes: notes
                .into_iter()
                .map(|note| format!("{}: {note}", path.display()))
                .collect(),
        })
    }

    /// The files from which the regions of `image` are read; none, if they are not there. Blocks.
    pub(crate) fn files(&self, image: &Input) -> Vec<PathBuf> {
        let mut files = match self.path.is_dir() {
            false => vec![self.path.clone()],
            true => match files::find(&self.path, image, self.format, self.single) {
                Ok(Found::File(file)) => vec![file],
                Ok(Found::Masks(masks)) => masks,
                Err(_) => Vec::new(),
            },
        };
        let names = files.first().and_then(|file| names_file_near(file));
        files.extend(names);
        files
    }

    fn read_file(&self, path: &Path, image: &Input, size: Size) -> Result<Read> {
        let at = |error: Error| error.at(path.display());
        let bytes = match (path == self.path, self.shared.get()) {
            (true, Some(bytes)) => bytes.clone(),
            (true, None) => {
                let bytes: Arc<[u8]> = bytes_of(path).map_err(at)?.into();
                self.shared.get_or_init(|| bytes).clone()
            }
            (false, _) => bytes_of(path).map_err(at)?.into(),
        };
        // Of a picture without objects YOLO has an empty file beside those of the others.
        let is_text = path.extension().is_some_and(|ending| ending == "txt");
        let is_empty = is_text && path != self.path && bytes.trim_ascii().is_empty();
        let format = match self.format {
            None if is_empty => Some(Format::Yolo),
            None => Some(Format::recognise(&bytes).map_err(|error| at(told(error)))?),
            format => format,
        };
        let class_names = match format {
            Some(Format::Yolo) => names_near(path)?,
            _ => Vec::new(),
        };
        let name = image.path().map(|path| path.display().to_string());
        let source = Source {
            bytes: &bytes,
            format,
            class_names: &class_names,
        };
        let target = Target {
            name: name.as_deref().unwrap_or_default(),
            size,
        };
        som_formats::read(&source, &target).map_err(|error| at(told(error)))
    }
}

/// An error of a file, and what to do about it.
fn told(error: FormatError) -> Error {
    match error {
        FormatError::Unrecognised => {
            Error::invalid(format!("{error} (name it with --regions-format)"))
        }
        error => error.into(),
    }
}

/// What stands in a file.
///
/// # Errors
/// As [`unreadable`]; Exhausted for a file that is too long.
fn bytes_of(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::exhausted(format!(
            "the file is longer than {MAX_BYTES} bytes (make a file for each image)"
        )));
    }
    Ok(bytes)
}

/// The masks of an image, a file each.
fn read_masks(masks: &[PathBuf], size: Size) -> Result<Read> {
    let mut folder = MaskFolder::new(size);
    for path in masks {
        let bytes = bytes_of(path).map_err(|error| error.at(path.display()))?;
        let name = path.display().to_string();
        folder.add(&name, &bytes)?;
    }
    Ok(folder.finish()?)
}

/// The names of classes for a file of YOLO's. None, where there are none.
fn names_near(path: &Path) -> Result<Vec<String>> {
    let Some(file) = names_file_near(path) else {
        return Ok(Vec::new());
    };
    let at = |error: Error| error.at(file.display());
    let bytes = bytes_of(&file).map_err(at)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    class_names(&name, &bytes).map_err(|error| at(error.into()))
}

/// Where the names of classes for a file stand: beside it, or as datasets have them, up to two folders
/// above.
fn names_file_near(path: &Path) -> Option<PathBuf> {
    const NAMES: [&str; 4] = ["data.yaml", "dataset.yaml", "classes.txt", "obj.names"];
    let folders = path.ancestors().skip(1).take(3);
    let mut files = folders.flat_map(|folder| NAMES.map(|name| folder.join(name)));
    files.find(|file| file.is_file() && file != path)
}

/// The numbers of marks that are those of the file.
///
/// # Errors
/// Invalid for a region without one, or one that marks cannot have.
fn ids(given: &[Given]) -> Result<Vec<u32>> {
    let mut seen = std::collections::HashSet::new();
    let id = |(index, given): (usize, &Given)| {
        let Some(id) = given.id else {
            return Err(Error::invalid(format!(
                "--keep-ids: region {} of the file has no id",
                index + 1
            )));
        };
        let number = u32::try_from(id).ok().filter(|&id| id > 0 && id < u32::MAX);
        let Some(number) = number else {
            return Err(Error::invalid(format!(
                "--keep-ids: marks cannot have the id {id} (they count from 1)"
            )));
        };
        match seen.insert(number) {
            true => Ok(number),
            false => Err(Error::invalid(format!(
                "--keep-ids: several regions have the id {id}"
            ))),
        }
    };
    given.iter().enumerate().map(id).collect()
}
