//! bytes → regions: one file a format.

mod gathering;
mod coordinates;
mod which;
mod names;
mod segmentation;

mod som;
mod coco;
pub(crate) mod yolo;
mod labelme;
mod geojson;
pub(crate) mod boxes;
pub(crate) mod csv;
mod masks;
pub(crate) mod npz;

use som_core::{Region, Size};

use self::gathering::Gathering;
pub use self::{masks::MaskFolder, names::class_names};
use crate::{Format, FormatError};

/// A file of regions.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// What stands in it.
    pub bytes: &'a [u8],
    /// What it is; `None` to tell by the content.
    pub format: Option<Format>,
    /// The names of classes by number, for YOLO's lines, which have the numbers alone.
    pub class_names: &'a [String],
}

/// The image that the regions are of.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Its path, by which files about several images tell it; empty for one without.
    pub name: &'a str,
    /// Its size, upright.
    pub size: Size,
}

/// The regions of one image.
#[derive(Debug, Default)]
pub struct Read {
    /// In the order of the file.
    pub given: Vec<Given>,
    /// What was odd, for people.
    pub notes: Vec<String>,
    /// True for a file that speaks of several images.
    pub tells_images_apart: bool,
}

/// A region as a file has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// The number that the file gives it; `None`, if it gives none.
    pub id: Option<u64>,
    /// The region. What the file tells of it beyond the fields of a region stands in `extra`, the
    /// number under `id`.
    pub region: Region,
}

/// Reads the regions of an image.
///
/// Boxes and outlines may reach over the edge of the image: they are cut there, and a note says so.
/// A pixel belongs to a box if its centre does; outlines are filled as pycocotools fills them.
///
/// # Errors
/// Whatever is wrong with the file, with the entry named.
pub fn read(source: &Source<'_>, target: &Target<'_>) -> Result<Read, FormatError> {
    // A mark of the byte order is no part of a text.
    let bytes = source.bytes;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let is_empty = bytes.trim_ascii().is_empty();
    let format = match source.format {
        // Of a picture without objects YOLO has an empty file.
        Some(Format::Yolo) => Format::Yolo,
        _ if is_empty => return Err(FormatError::Empty),
        Some(format) => format,
        None => Format::recognise(bytes)?,
    };
    let mut gathering = Gathering::new(target.size);
    match format {
        Format::Som => som::read(bytes, target, &mut gathering),
        Format::Coco => coco::read(bytes, target, &mut gathering),
        Format::Yolo => yolo::read(bytes, source.class_names, &mut gathering),
        Format::LabelMe => labelme::read(bytes, target, &mut gathering),
        Format::GeoJson => geojson::read(bytes, &mut gathering),
        Format::Boxes => boxes::read(bytes, target, &mut gathering),
        Format::Csv => csv::read(bytes, target, &mut gathering),
        Format::LabelMap => masks::read_map(bytes, &mut gathering),
        Format::Masks => masks::read_one(bytes, &mut gathering),
        Format::Npz => npz::read(bytes, &mut gathering),
    }?;
    gathering.finish()
}
