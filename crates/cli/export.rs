//! `--format`: regions as som's own JSON, or as another tool reads them.

use std::{
    collections::HashSet,
    ffi::OsStr,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use som_core::{Error, Result};
use som_formats::{
    class_names,
    write::{
        Picture,
        coco::{Annotated, Dataset},
        csv, geojson, labelme, masks, npz,
        yolo::{Classes, Outlines},
    },
};

use crate::{
    destination::{self, Destination},
    earlier::Earlier,
    input::Input,
    output::Output,
    signature::sign,
};

/// What is written of the regions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// som's own JSON, an object for each image
    #[default]
    Json,
    /// One dataset of all images as the COCO API reads it
    Coco,
    /// A text for each image with its outlines, and data.yaml with the classes
    Yolo,
    /// LabelMe's JSON for each image
    Labelme,
    /// Outlines in pixels
    Geojson,
    /// Boxes
    Csv,
    /// A black-and-white PNG for each region: coffee.1.png, …
    Masks,
    /// Arrays for NumPy, named as supervision names them
    Npz,
}

impl Format {
    /// What follows the name of an image.
    fn ending(self) -> &'static str {
        match self {
            Self::Json | Self::Coco | Self::Labelme => ".json",
            Self::Yolo => ".txt",
            Self::Geojson => ".geojson",
            Self::Csv => ".csv",
            Self::Masks => ".0.png",
            Self::Npz => ".npz",
        }
    }
}

/// Where the regions of all images go.
pub(crate) struct Export {
    format: Format,
    destination: Option<Destination>,
    /// What is written of all images together.
    dataset: Dataset,
    classes: Classes,
    /// Where the classes stand.
    classes_file: Option<PathBuf>,
}

/// What is left to be written of an image, in the order of the images.
pub(crate) enum InOrder {
    Coco(Annotated),
    Yolo(Output, Outlines),
}

impl Export {
    /// Regions in a format, to where the argument says; without one to stdout, if `by_default`.
    ///
    /// # Errors
    /// Invalid, if they cannot go there; as [`Destination::of`].
    pub(crate) fn new(
        format: Format,
        argument: Option<&Path>,
        by_default: bool,
        single: bool,
    ) -> Result<Self> {
        // A dataset of all images is one file; masks are several, even of one image.
        let is_file = match format {
            Format::Coco => true,
            Format::Masks => false,
            _ => single,
        };
        let destination = match argument {
            Some(argument) => Some(Destination::of(argument, is_file)?),
            None => by_default.then_some(Destination::Stdout),
        };
        let destination = match (format, destination) {
            (Format::Masks, Some(Destination::Stdout)) => {
                let message = "--format masks writes several files (give a folder: --json DIR)";
                return Err(Error::invalid(message));
            }
            (Format::Coco, Some(Destination::Folder(folder))) => {
                return Err(Error::invalid(format!(
                    "{}: is a folder, but the dataset of all images is one file (name a file in it)",
                    folder.display()
                )));
            }
            (Format::Json | Format::Coco, destination) => destination,
            (_, Some(Destination::Stdout)) if !single => {
                let message = "several files cannot go to stdout (give a folder: --json DIR)";
                return Err(Error::invalid(message));
            }
            (_, destination) => destination,
        };
        let folder = match &destination {
            Some(Destination::Folder(folder)) => Some(folder.as_path()),
            Some(Destination::File(file)) => file.parent(),
            _ => None,
        };
        let classes_file = folder.filter(|_| format == Format::Yolo);
        let classes_file = classes_file.map(|folder| folder.join("data.yaml"));
        Ok(Self {
            format,
            dataset: Dataset::default(),
            classes: match &classes_file {
                Some(file) => classes_of(file)?,
                None => Classes::default(),
            },
            classes_file,
            destination,
        })
    }

    /// The format.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Where the file of an image goes; `None`, if it has none of its own.
    pub(crate) fn output(&self, input: &Input) -> Option<Output> {
        let destination = self.destination.as_ref()?;
        (self.format != Format::Coco).then(|| destination.output(input, self.format.ending()))
    }

    /// Refuses to pass over images where all of them make one whole.
    ///
    /// # Errors
    /// Invalid.
    pub(crate) fn check_skip_existing(&self, skip_existing: bool) -> Result<()> {
        match self.format {
            Format::Coco if skip_existing => Err(Error::invalid(
                "--skip-existing cannot resume one dataset of all images (leave it out)",
            )),
            Format::Yolo if skip_existing => Err(Error::invalid(
                "--skip-existing cannot resume a dataset whose classes are numbered as they are met \
                 (leave it out)",
            )),
            _ => Ok(()),
        }
    }

    /// Writes what the images before had to be written for; what goes to stdout is added to `stdout`.
    ///
    /// # Errors
    /// As [`Output::write`]; Invalid for a class that a dataset does not have.
    pub(crate) fn write_in_order(&mut self, rest: InOrder, stdout: &mut Vec<u8>) -> Result<()> {
        match rest {
            InOrder::Coco(annotated) => self.dataset.extend([annotated]),
            InOrder::Yolo(output, outlines) => {
                let text = self.classes.text(&outlines)?;
                output.write_or_keep(text, stdout)?;
            }
        }
        Ok(())
    }

    /// Writes what all images together make.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub(crate) fn finish(self) -> Result<()> {
        let output = match self.destination {
            Some(Destination::File(file)) => Some(Output::File(file)),
            Some(Destination::Stdout) => Some(Output::Stdout),
            _ => None,
        };
        if let (Format::Coco, Some(output)) = (self.format, output) {
            output.write(&self.dataset.json()?)?;
        }
        if let (Some(file), Some(yaml)) = (self.classes_file, self.classes.yaml()) {
            Output::File(file).write(&yaml)?;
        }
        Ok(())
    }
}

/// The classes of a dataset that is in the folder already.
fn classes_of(file: &Path) -> Result<Classes> {
    if !file.exists() {
        return Ok(Classes::default());
    }
    let at = |error: Error| error.at(file.display());
    let bytes = std::fs::read(file)
        .map_err(crate::output::unreadable)
        .map_err(at)?;
    let names = class_names("data.yaml", &bytes).map_err(|error| at(error.into()))?;
    Ok(Classes::fixed(names))
}

/// Writes the regions of an image, and tells the files; or tells what is to be written in the order
/// of the images. What goes to stdout is added to `stdout`. `json` is som's own. Blocks.
///
/// # Errors
/// As [`Output::write`], and whatever keeps regions from being written so.
pub(crate) fn write(
    format: Format,
    output: Option<&Output>,
    picture: &Picture<'_>,
    json: impl FnOnce() -> Result<Vec<u8>>,
    earlier: &Earlier,
    stdout: &mut Vec<u8>,
) -> Result<(Vec<PathBuf>, Option<InOrder>)> {
    let Some(output) = output else {
        let annotated = (format == Format::Coco).then(|| Annotated::new(picture));
        return Ok((Vec::new(), annotated.map(InOrder::Coco)));
    };
    let in_order = |rest| Ok((Vec::new(), Some(rest)));
    let bytes = match format {
        Format::Json => json()?,
        Format::Labelme => {
            let name = match output {
                Output::File(file) => from_beside(file, Path::new(picture.name)),
                Output::Stdout => picture.name.to_owned(),
            };
            labelme::labelme(&Picture {
                name: &name,
                ..picture.clone()
            })?
        }
        Format::Geojson => geojson::geojson(picture)?,
        Format::Csv => csv::csv(picture)?,
        Format::Npz => npz::npz(picture)?,
        Format::Coco => return in_order(InOrder::Coco(Annotated::new(picture))),
        Format::Yolo => {
            let outlines = Outlines::new(picture);
            return in_order(InOrder::Yolo(output.clone(), outlines));
        }
        Format::Masks => return Ok((write_masks(output, picture, earlier)?, None)),
    };
    output.write_or_keep(bytes, stdout)?;
    Ok((
        output.path().map(Path::to_owned).into_iter().collect(),
        None,
    ))
}

/// Writes the mask of each region to a file with its number, and tells the files; `first` is that of
/// number 0. Those of an earlier run are removed.
///
/// # Errors
/// As [`Output::write`] and [`Earlier::leftovers`].
pub(crate) fn write_masks(
    first: &Output,
    picture: &Picture<'_>,
    earlier: &Earlier,
) -> Result<Vec<PathBuf>> {
    let Output::File(first) = first else {
        return Ok(Vec::new());
    };
    let base = first.with_extension("").with_extension("");
    let numbered = picture.items.iter().enumerate().map(|(index, item)| {
        let number = item.id.map_or(index, |id| id as usize);
        let path = destination::append(base.clone(), &format!(".{number}.png"));
        (path, item)
    });
    let numbered: Vec<_> = numbered.collect();
    let written: HashSet<PathBuf> = numbered.iter().map(|(path, _)| path.clone()).collect();
    let left = earlier.leftovers(&base, OsStr::new("png"), &written, None)?;
    // From the last to the first: when that is there, all are.
    let mut files = Vec::new();
    for (path, item) in numbered.into_iter().rev() {
        let mut png = masks::png(&item.region.mask)?;
        sign(&mut png);
        Output::File(path.clone()).write(&png)?;
        files.push(path);
    }
    left.remove()?;
    Ok(files)
}

/// The path of an image from the folder of `file`, as far as both are known; else as it is.
fn from_beside(file: &Path, image: &Path) -> String {
    let (Ok(file), Ok(path)) = (std::path::absolute(file), std::path::absolute(image)) else {
        return image.display().to_string();
    };
    let folder = file.parent().unwrap_or(&file);
    let shared = folder.ancestors().find(|shared| path.starts_with(shared));
    let shared = shared.unwrap_or(Path::new("/"));
    let up = folder
        .strip_prefix(shared)
        .map_or(0, |below| below.iter().count());
    match path.strip_prefix(shared) {
        Ok(below) => "../".repeat(up) + &below.display().to_string(),
        Err(_) => image.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_named_from_the_folder_of_its_labels() {
        for (file, image, expected) in [
            ("cup.json", "cup.png", "cup.png"),
            ("out/cup.json", "cup.png", "../cup.png"),
            (
                "out/a/cup.json",
                "photos/a/cup.png",
                "../../photos/a/cup.png",
            ),
            ("/x/cup.json", "/x/b/cup.png", "b/cup.png"),
        ] {
            let named = from_beside(Path::new(file), Path::new(image));
            assert_eq!(named, expected, "{file} {image}");
        }
    }
}
