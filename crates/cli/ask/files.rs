//! The images that an answer leaves: lit up, and as the model was shown them.

use std::{collections::HashSet, path::PathBuf};

use som_core::{
    Color, Mask, Result,
    encode::{Encoding, encode_with},
    highlight,
};

use super::Asked;
use crate::{
    destination,
    earlier::Earlier,
    output::Output,
    session::{MarkedImage, Question},
    signature::sign,
};

/// Where images go, the second and further ones beside the first.
pub(super) struct File {
    first: PathBuf,
    /// As its ending says.
    pub(super) encoding: Encoding,
}

impl File {
    /// The file at `first`.
    ///
    /// # Errors
    /// Invalid for a file of an unknown kind.
    pub(super) fn at(first: PathBuf) -> Result<Self> {
        Ok(Self {
            encoding: Encoding::of_path(&first)?,
            first,
        })
    }

    /// Where the first of them goes.
    pub(super) fn output(&self) -> Output {
        Output::File(self.first.clone())
    }

    /// Writes all `images`, and tells where.
    fn write(&self, images: Vec<Vec<u8>>) -> Result<Vec<String>> {
        let paths = (1..=images.len()).map(|number| destination::page(&self.first, number));
        let paths: Vec<PathBuf> = paths.collect();
        let written: HashSet<PathBuf> = paths.iter().cloned().collect();
        let base = self.first.with_extension("");
        let ending = self.first.extension().unwrap_or_default();
        let left = Earlier::default().leftovers(&base, ending, &written, None)?;
        let write = |(path, mut image): (PathBuf, Vec<u8>)| {
            sign(&mut image);
            let output = Output::File(path);
            output.write(&image)?;
            Ok(output.to_string())
        };
        let told = paths.into_iter().zip(images).map(write);
        let told = told.collect::<Result<_>>()?;
        left.remove()?;
        Ok(told)
    }
}

/// Writes each image with the regions that the answer means lit up, and tells where.
///
/// # Errors
/// As [`Output::write`].
pub(super) fn highlight(
    file: Option<&File>,
    question: &Question,
    asked: &Asked,
) -> Result<Vec<String>> {
    let Some(file) = file else {
        return Ok(Vec::new());
    };
    let grounded = &asked.outcome.grounded;
    let meant: HashSet<u32> = grounded.meant().collect();
    let images = question.images.iter().zip(&asked.images);
    let lit = images
        .map(|(image, marked)| {
            let marks = marked.allocation.marks.iter();
            let masks = marks
                .filter(|mark| meant.contains(&mark.id))
                .map(|mark| (&mark.mark.region.mask, mark.mark.color));
            let masks: Vec<(&Mask, Color)> = masks.collect();
            let lit = highlight::highlight(&image.decoded.pixels.as_image()?, masks)?;
            encode_with(&lit, file.encoding, image.decoded.pixels.tags())
        })
        .collect::<Result<_>>()?;
    file.write(lit)
}

/// Writes every marked image, which comes encoded, and tells where.
///
/// # Errors
/// As [`Output::write`].
pub(super) fn write_pages(file: Option<&File>, images: &[MarkedImage]) -> Result<Vec<String>> {
    let Some(file) = file else {
        return Ok(Vec::new());
    };
    let pages = images.iter().flat_map(|image| &image.pages);
    file.write(pages.cloned().collect())
}
