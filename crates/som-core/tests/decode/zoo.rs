//! Odd files, compared with Pillow: `tests/python/zoo.py` makes them.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;
use som_core::{
    ErrorKind,
    decode::{DecodeOptions, DecodedImage, ImageNoteKind, decode_with},
};

use self::Told::{Otherwise, Read, Refused};
use crate::python;

/// Where som and Pillow part, by what a file's name holds, and why. Whatever is not here is the
/// same.
const DIFFERENCES: [(&str, Told, &str); 22] = [
    (
        "jpeg-progressive-endless_film",
        Read,
        "Pillow looks for the end of the last scan in what follows",
    ),
    ("jpeg-gray-progressive-endless_film", Read, "as in colour"),
    (
        "endless.jpg",
        Read,
        "all rows are there, but Pillow wants more bytes than they take",
    ),
    ("half_end.jpg", Read, "as without an end"),
    (
        "png-adler_wrong",
        Read,
        "the pixels are there, and each chunk's own checksum is right",
    ),
    (
        "png-header_wrong_crc",
        Read,
        "what it says of size and colours fits the pixels",
    ),
    ("png-palette_wrong_crc", Read, "there are colours"),
    ("png-text_wrong_crc", Read, "no pixel depends on it"),
    (
        "png-palette_missing",
        Refused,
        "Pillow makes colours up; browsers refuse it, too",
    ),
    (
        "tiff-bilevel-group3",
        Refused,
        "the library has no decoder for fax group 3",
    ),
    ("tiff-bilevel-tiff_ccitt", Refused, "nor for its older form"),
    ("tiff-lab", Refused, "the library has no L*a*b* with signs"),
    (
        "tiff-palette-",
        Otherwise,
        "Pillow shows palettes of 8 bits in 16 as black; libtiff's own tools do not",
    ),
    ("tiff-doubles", Read, "Pillow has no floats of 64 bits here"),
    ("tiff-halves", Read, "nor of 16"),
    ("tiff-rgb-floats", Read, "nor floats in colours"),
    (
        "tiff-u32-big",
        Read,
        "Pillow has them in the other order only",
    ),
    ("tiff-u32_of_words-big", Read, "as with smaller ones"),
    ("tiff-i16", Otherwise, "as with 32 bits"),
    ("tiff-i32", Otherwise, "as without a sign"),
    (
        "tiff-u32",
        Otherwise,
        "Pillow does not say which number is white",
    ),
    (
        "tiff-floats",
        Otherwise,
        "Pillow shows 1 of 255, and nothing below 0",
    ),
];

/// How som differs.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Told {
    /// It reads what Pillow refuses.
    Read,
    /// It refuses what Pillow reads.
    Refused,
    /// It shows other pixels.
    Otherwise,
}

/// What `zoo.py` says of a file.
#[derive(Deserialize)]
struct Expected {
    /// `None` for what Pillow refuses.
    size: Option<(u32, u32)>,
    greatest: u8,
    mean: f64,
    notes: Vec<ImageNoteKind>,
}

#[test]
fn odd_files_are_read_as_pillow_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    if python::run("zoo.py", &[folder.path()]).is_none() {
        return;
    }
    let manifest = fs::read_to_string(folder.path().join("manifest.json")).unwrap();
    let manifest: BTreeMap<String, Expected> = serde_json::from_str(&manifest).unwrap();
    assert!(manifest.len() > 400);
    let mut wrong = Vec::new();
    let mut unused: Vec<&str> = DIFFERENCES.iter().map(|&(name, ..)| name).collect();
    for (name, expected) in &manifest {
        let told = DIFFERENCES.iter().find(|(part, ..)| name.contains(part));
        match (difference(folder.path(), name, expected), told) {
            (Ok(None), _) => {}
            (Ok(Some((found, _))), Some((part, told, _))) if found == *told => {
                unused.retain(|unused| unused != part);
            }
            (Ok(found), told) => wrong.push(format!("{name}: {found:?}, but told is {told:?}")),
            (Err(what), _) => wrong.push(format!("{name}: {what}")),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert_eq!(unused, [""; 0], "told, but not so");
}

/// How som differs from Pillow, with its own words.
///
/// # Errors
/// What no file may come to.
fn difference(
    folder: &Path,
    name: &str,
    expected: &Expected,
) -> Result<Option<(Told, String)>, String> {
    let bytes = fs::read(folder.join(name)).unwrap();
    let image = decode_with(&bytes, &DecodeOptions::default());
    Ok(match (image, expected.size) {
        (Err(error), _) if !matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Unsupported) => {
            return Err(error.to_string());
        }
        (Err(_), None) => None,
        (Err(error), Some(_)) => Some((Refused, error.to_string())),
        (Ok(image), None) => Some((Read, notes(&image, expected)?)),
        (Ok(image), Some(size)) => {
            let words = notes(&image, expected)?;
            let pixels = fs::read(folder.join(format!("{name}.rgb"))).unwrap();
            (!is_close(&image, size, &pixels, expected)).then_some((Otherwise, words))
        }
    })
}

/// The kinds of the notes, if they are those that are expected.
fn notes(image: &DecodedImage, expected: &Expected) -> Result<String, String> {
    let kinds: Vec<_> = image.notes.iter().map(|note| note.kind).collect();
    let words = format!("{:?}", image.notes);
    (kinds == expected.notes)
        .then_some(words.clone())
        .ok_or_else(|| format!("notes {words}, but not {:?}", expected.notes))
}

fn is_close(image: &DecodedImage, size: (u32, u32), pixels: &[u8], expected: &Expected) -> bool {
    let found = image.pixels.as_raw().iter();
    let differences = found.zip(pixels).map(|(a, b)| a.abs_diff(*b));
    let greatest = differences.clone().max().unwrap_or_default();
    let mean = differences.map(f64::from).sum::<f64>() / pixels.len() as f64;
    image.pixels.dimensions() == size && greatest <= expected.greatest && mean <= expected.mean
}
