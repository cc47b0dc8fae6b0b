//! Which files of a folder have the regions of an image.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use som_core::{Error, Result};
use som_formats::Format;

use crate::{input::Input, output::unreadable};

/// The endings of files that hold all regions of an image.
const ENDINGS: [&str; 6] = ["json", "geojson", "txt", "csv", "npz", "png"];

/// What a folder has for an image.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// One file with all its regions.
    File(PathBuf),
    /// A mask for each region.
    Masks(Vec<PathBuf>),
}

/// The files in `folder` for `image`: one of the same name with another ending, below the same
/// subfolder or not; else masks with a number behind that name (`coffee.1.png`, `coffee_1.png`), or
/// in a folder of that name; else, of a single image, all PNGs.
///
/// # Errors
/// NotFound, if there are none; Invalid, if there are several, or the folder cannot be read.
pub(super) fn find(
    folder: &Path,
    image: &Input,
    format: Option<Format>,
    single: bool,
) -> Result<Found> {
    let at = |error: io::Error| unreadable(error).at(folder.display());
    let below = image.stem();
    let stem = below
        .file_name()
        .map_or_else(|| below.clone(), PathBuf::from);
    let whole = folder.join(image.output_stem());
    let mut places = vec![whole, folder.join(&below), folder.join(&stem)];
    places.dedup();
    for place in &places {
        let files = ENDINGS.map(|ending| with_ending(place, ending));
        let mut files: Vec<PathBuf> = files
            .into_iter()
            .filter(|file| file.is_file() && !is_same(file, image) && format != Some(Format::Masks))
            .collect();
        if files.len() > 1 {
            // A picture beside may be anything.
            files.retain(|file| file.extension().is_none_or(|ending| ending != "png"));
        }
        match files.as_slice() {
            [] => {}
            [_] => return Ok(Found::File(files.remove(0))),
            [first, second, ..] => {
                return Err(Error::invalid(format!(
                    "{} and {}: which one has the regions of {image}? (name it: --regions FILE)",
                    first.display(),
                    second.display()
                )));
            }
        }
        let masks = masks(place, image).map_err(at)?;
        if !masks.is_empty() {
            return Ok(Found::Masks(masks));
        }
    }
    if single {
        let masks = pngs(folder, image).map_err(at)?;
        if !masks.is_empty() {
            return Ok(Found::Masks(masks));
        }
    }
    let stem = stem.display();
    Err(Error::not_found(format!(
        "{}: has no regions for {image} (looked for {stem}.json, .geojson, .txt, .csv, .npz and .png, \
         {stem}.1.png and so on, and {stem}/)",
        folder.display()
    )))
}

/// The masks of an image whose files begin with `place`, or lie in a folder of that name.
fn masks(place: &Path, image: &Input) -> io::Result<Vec<PathBuf>> {
    if place.is_dir() {
        return pngs(place, image);
    }
    let (Some(folder), Some(stem)) = (place.parent(), place.file_name()) else {
        return Ok(Vec::new());
    };
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let stem = stem.to_string_lossy();
    let is_of_image = |path: &PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let number = name
            .strip_prefix(&*stem)
            .and_then(|rest| rest.strip_prefix(['.', '_', '-']));
        number.is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    Ok(pngs(folder, image)?
        .into_iter()
        .filter(is_of_image)
        .collect())
}

/// The PNGs of a folder but for the image and what som has marked, by the numbers at the end of their
/// names, and then by name.
fn pngs(folder: &Path, image: &Input) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_png = path
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("png"));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if is_png && !name.contains(".marked.") && path.is_file() && !is_same(&path, image) {
            files.push(path);
        }
    }
    files.sort_by_cached_key(|path| {
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let digits = stem.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let number = stem[digits..].parse::<u64>().ok();
        (stem[..digits].to_owned(), number, path.clone())
    });
    Ok(files)
}

/// `a/coffee` and `json` → `a/coffee.json`, whatever dots the name has.
fn with_ending(place: &Path, ending: &str) -> PathBuf {
    crate::destination::append(place.to_owned(), &format!(".{ending}"))
}

/// True if `file` is the image itself.
fn is_same(file: &Path, image: &Input) -> bool {
    let canonical = |path: &Path| path.canonicalize().ok();
    let image = image.path().and_then(canonical);
    image.is_some() && image == canonical(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found for `photos/a/cup.jpg` in a folder with these files.
    fn found(files: &[&str], single: bool) -> Result<Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let image = Input::File {
            path: "photos/a/cup.jpg".into(),
            below: "a/cup.jpg".into(),
            keeps_ending: false,
        };
        let found = match find(folder.path(), &image, None, single)? {
            Found::File(file) => vec![file],
            Found::Masks(masks) => masks,
        };
        let name = |path: PathBuf| {
            let below = path.strip_prefix(folder.path()).unwrap();
            below.to_str().unwrap().to_owned()
        };
        Ok(found.into_iter().map(name).collect())
    }

    #[test]
    fn the_files_of_an_image_are_found_by_its_name() {
        for (files, expected) in [
            (&["cup.txt", "classes.txt", "mug.txt"][..], &["cup.txt"][..]),
            (&["a/cup.json", "cup.json"], &["a/cup.json"]),
            (&["cup.json", "cup.png"], &["cup.json"]),
            (&["cup.png", "mug.png"], &["cup.png"]),
            (
                &["cup.10.png", "cup.9.png", "cupboard.1.png"],
                &["cup.9.png", "cup.10.png"],
            ),
            (&["cup_1.png", "cup_x.png"], &["cup_1.png"]),
            (
                &["cup/b.png", "cup/a.png", "c.png"],
                &["cup/a.png", "cup/b.png"],
            ),
        ] {
            assert_eq!(found(files, false).unwrap(), expected, "{files:?}");
        }
    }

    #[test]
    fn all_masks_belong_to_a_single_image() {
        let files = ["mask_2.png", "mask_11.png", "spoon.png", "x.marked.png"];
        let masks = ["mask_2.png", "mask_11.png", "spoon.png"];
        assert_eq!(found(&files, true).unwrap(), masks);
        let error = found(&files, false).unwrap_err();
        assert!(
            error
                .message()
                .contains("has no regions for photos/a/cup.jpg"),
            "{error}"
        );
        let error = found(&["cup.csv", "cup.json"], true).unwrap_err();
        assert!(
            error.message().contains("which one has the regions"),
            "{error}"
        );
    }
}
