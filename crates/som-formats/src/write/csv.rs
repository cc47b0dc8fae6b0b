//! Boxes as CSV (RFC 4180): a line of names, and a line for each region. Masks are lost but for their
//! box and area; other formats keep them.

use som_core::{Error, Result};

use super::Picture;

const COLUMNS: [&str; 8] = ["id", "label", "score", "x", "y", "width", "height", "area"];

/// The file of an image.
///
/// # Errors
/// Internal, if it cannot be written.
pub fn csv(picture: &Picture<'_>) -> Result<Vec<u8>> {
    let failed =
        |error: ::csv::Error| Error::internal("the CSV could not be written").caused_by(error);
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(failed)?;
    for item in &picture.items {
        let (region, bbox) = (item.region, item.region.bbox());
        writer
            .write_record([
                item.id.map_or_else(String::new, |id| id.to_string()),
                region.label.clone().unwrap_or_default(),
                region
                    .score
                    .map_or_else(String::new, |score| score.to_string()),
                bbox.x.to_string(),
                bbox.y.to_string(),
                bbox.width.to_string(),
                bbox.height.to_string(),
                region.mask.area().to_string(),
            ])
            .map_err(failed)?;
    }
    writer
        .into_inner()
        .map_err(|error| Error::internal(format!("the CSV could not be written: {error}")))
}
