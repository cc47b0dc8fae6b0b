//! The images that an answer leaves: lit up, and as the model was shown them.

use std::{collections::HashSet, path::Path};

use som_core::{
    Color, Mask, Result,
    encode::{Encoding, encode},
    highlight,
};

use super::Asked;
use crate::{destination, output::Output, session::Picture};

/// Writes each image with the regions that the answer means lit up, and tells where.
///
/// # Errors
/// Invalid for a file of an unknown kind; as [`Output::write`].
pub(super) fn highlight(
    file: Option<&Path>,
    pictures: &[Picture],
    asked: &Asked,
) -> Result<Vec<String>> {
    let Some(file) = file else {
        return Ok(Vec::new());
    };
    let encoding = Encoding::of_path(file)?;
    let grounded = &asked.outcome.grounded;
    let mentioned = grounded.mentions.iter().flat_map(|mention| &mention.marks);
    let found = grounded.findings.iter().flat_map(|finding| &finding.marks);
    let meant: HashSet<u32> = mentioned.chain(found).copied().collect();
    let images = pictures.iter().zip(&asked.markings);
    images
        .zip(1..)
        .map(|((picture, marking), number)| {
            let marks = marking.marked.allocation.marks.iter();
            let masks = marks
                .filter(|mark| meant.contains(&mark.id))
                .map(|mark| (&mark.mark.region.mask, mark.mark.color));
            let masks: Vec<(&Mask, Color)> = masks.collect();
            let lit = highlight::highlight(&picture.pixels.as_image()?, masks)?;
            let output = Output::File(destination::page(file, number));
            output.write(&encode(&lit, encoding)?)?;
            Ok(output.to_string())
        })
        .collect()
}

/// Writes every marked image, and tells where.
///
/// # Errors
/// As [`highlight()`].
pub(super) fn write_pages(file: Option<&Path>, asked: &Asked) -> Result<Vec<String>> {
    let Some(file) = file else {
        return Ok(Vec::new());
    };
    let encoding = Encoding::of_path(file)?;
    let pages = asked
        .markings
        .iter()
        .flat_map(|marking| &marking.marked.pages);
    pages
        .zip(1..)
        .map(|(page, number)| {
            let output = Output::File(destination::page(file, number));
            output.write(&encode(page, encoding)?)?;
            Ok(output.to_string())
        })
        .collect()
}
