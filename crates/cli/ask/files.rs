//! The images that an answer leaves: lit up, and as the model was shown them.

use std::{collections::HashSet, path::PathBuf};

use som_core::{
    Color, Mask, Result,
    encode::{Encoding, encode},
    highlight,
};

use super::Asked;
use crate::{
    destination,
    output::Output,
    session::{MarkedImage, Question},
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

    /// Writes image `number`, from 1, and tells where.
    fn write(&self, number: usize, bytes: &[u8]) -> Result<String> {
        let output = Output::File(destination::page(&self.first, number));
        output.write(bytes)?;
        Ok(output.to_string())
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
    images
        .zip(1..)
        .map(|((image, marked), number)| {
            let marks = marked.allocation.marks.iter();
            let masks = marks
                .filter(|mark| meant.contains(&mark.id))
                .map(|mark| (&mark.mark.region.mask, mark.mark.color));
            let masks: Vec<(&Mask, Color)> = masks.collect();
            let lit = highlight::highlight(&image.decoded.pixels.as_image()?, masks)?;
            file.write(number, &encode(&lit, file.encoding)?)
        })
        .collect()
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
    pages
        .zip(1..)
        .map(|(page, number)| file.write(number, page))
        .collect()
}
