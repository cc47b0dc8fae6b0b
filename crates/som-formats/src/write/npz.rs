//! Arrays for NumPy: a `.npz` as `numpy.savez_compressed` writes it, a ZIP archive of `.npy` files
//! (NumPy's documentation, `numpy.lib.format`, version 1.0). The names are those of the fields of
//! supervision's `Detections`:
//!
//! | array | type and shape | |
//! |---|---|---|
//! | `xyxy` | float32, N × 4 | left, top, right, bottom |
//! | `mask` | bool, N × height × width | |
//! | `confidence` | float32, N | NaN where there is none |
//! | `label` | text, N | empty where there is none |
//! | `id` | int64, N | the number of the mark, or from 1 in order |

use std::io::{Cursor, Write};

use som_core::{Error, Result};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::Picture;

/// The most bytes of all masks, which whoever reads them has to have in memory.
const MAX_MASK_BYTES: u64 = 1 << 31;

/// The file of an image.
///
/// # Errors
/// Exhausted for masks that take too much memory; Internal, if it cannot be written.
pub fn npz(picture: &Picture<'_>) -> Result<Vec<u8>> {
    let items = &picture.items;
    let (count, size) = (items.len(), picture.size);
    if size.pixels().saturating_mul(count as u64) > MAX_MASK_BYTES {
        return Err(Error::exhausted(format!(
            "{count} masks of {size} pixels take more than {MAX_MASK_BYTES} bytes (write coco or \
             masks, or fewer regions)"
        )));
    }
    let mut archive = Archive(ZipWriter::new(Cursor::new(Vec::new())));
    let sides = items.iter().flat_map(|item| {
        let bbox = item.region.bbox();
        [
            u64::from(bbox.x),
            bbox.y.into(),
            bbox.right(),
            bbox.bottom(),
        ]
    });
    let sides: Vec<u8> = sides.flat_map(|side| (side as f32).to_le_bytes()).collect();
    archive.start("xyxy", "<f4", &[count, 4])?.add(&sides)?;

    let shape = [count, size.height as usize, size.width as usize];
    archive.start("mask", "|b1", &shape)?;
    for item in items {
        archive.add(&item.region.mask.to_dense(size.bbox()))?;
    }

    let scores = items
        .iter()
        .map(|item| item.region.score.unwrap_or(f32::NAN));
    let scores: Vec<u8> = scores.flat_map(f32::to_le_bytes).collect();
    archive.start("confidence", "<f4", &[count])?.add(&scores)?;

    let labels: Vec<Vec<char>> = items
        .iter()
        .map(|item| {
            item.region
                .label
                .iter()
                .flat_map(|label| label.chars())
                .collect()
        })
        .collect();
    // A text is as many characters of four bytes as the longest has, filled up with zeros.
    let longest = labels.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let labels: Vec<u8> = labels
        .into_iter()
        .flat_map(|label| {
            let characters = label.into_iter().map(u32::from);
            characters.chain(std::iter::repeat(0)).take(longest)
        })
        .flat_map(u32::to_le_bytes)
        .collect();
    archive
        .start("label", &format!("<U{longest}"), &[count])?
        .add(&labels)?;

    let ids = items.iter().zip(1_u32..);
    let ids = ids.map(|(item, number)| i64::from(item.id.unwrap_or(number)));
    let ids: Vec<u8> = ids.flat_map(i64::to_le_bytes).collect();
    archive.start("id", "<i8", &[count])?.add(&ids)?;
    archive.finish()
}

/// An archive of arrays in the making.
struct Archive(ZipWriter<Cursor<Vec<u8>>>);

impl Archive {
    /// Begins an array of little-endian values in C order.
    fn start(&mut self, name: &str, kind: &str, shape: &[usize]) -> Result<&mut Self> {
        // No time of writing: the same regions make the same bytes.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(zip::DateTime::default());
        self.0
            .start_file(format!("{name}.npy"), options)
            .map_err(|error| failed(&error.to_string()))?;
        self.add(&header(kind, shape))
    }

    /// Adds bytes to the array that was begun.
    fn add(&mut self, bytes: &[u8]) -> Result<&mut Self> {
        self.0
            .write_all(bytes)
            .map_err(|error| failed(&error.to_string()))?;
        Ok(self)
    }

    fn finish(self) -> Result<Vec<u8>> {
        let bytes = self
            .0
            .finish()
            .map_err(|error| failed(&error.to_string()))?;
        Ok(bytes.into_inner())
    }
}

fn failed(why: &str) -> Error {
    Error::internal(format!("the arrays could not be written: {why}"))
}

/// What stands before the values: magic bytes, version, and a dictionary, filled up with spaces so
/// that all together have a multiple of 64 bytes.
fn header(kind: &str, shape: &[usize]) -> Vec<u8> {
    const MAGIC: &[u8; 8] = b"\x93NUMPY\x01\x00";
    let sides: Vec<String> = shape.iter().map(usize::to_string).collect();
    // A tuple of one needs its comma.
    let comma = if shape.len() == 1 { "," } else { "" };
    let mut text = format!(
        "{{'descr': '{kind}', 'fortran_order': False, 'shape': ({}{comma}), }}",
        sides.join(", ")
    );
    let before = MAGIC.len() + 2 + text.len() + 1;
    text.push_str(&" ".repeat(before.next_multiple_of(64) - before));
    text.push('\n');
    let mut header = MAGIC.to_vec();
    // Far below 2^16.
    header.extend((text.len() as u16).to_le_bytes());
    header.extend(text.as_bytes());
    header
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use som_core::{BBox, Mask, Region, Size};

    use super::*;

    #[test]
    fn headers_are_those_of_numpy() {
        let header = header("<f4", &[7]);
        assert_eq!(header.len(), 128);
        assert!(header.starts_with(
            b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (7,), }"
        ));
        assert!(header.ends_with(b" \n"));
    }

    #[test]
    fn arrays_hold_what_regions_have() {
        let size = Size::new(4, 2);
        let region = Region {
            label: Some("cup é".to_owned()),
            score: Some(0.5),
            ..Region::new(Mask::rect(size, BBox::new(1, 0, 2, 1)))
        };
        let regions = [region, Region::new(Mask::empty(size))];
        let picture = Picture::segmented("a.png", size, &regions);
        let bytes = npz(&picture).unwrap();
        assert_eq!(bytes, npz(&picture).unwrap());
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut values = |name: &str, length: usize| {
            let mut bytes = Vec::new();
            archive
                .by_name(name)
                .unwrap()
                .read_to_end(&mut bytes)
                .unwrap();
            bytes.split_off(bytes.len() - length)
        };
        let mask = values("mask.npy", 16);
        assert_eq!(mask[..8], [0, 1, 1, 0, 0, 0, 0, 0]);
        assert_eq!(values("id.npy", 16)[8..], 2_i64.to_le_bytes());
        assert_eq!(
            values("label.npy", 2 * 5 * 4)[16..20],
            u32::from('é').to_le_bytes()
        );
        assert_eq!(values("xyxy.npy", 32)[8..12], 3_f32.to_le_bytes());
        assert!(f32::from_le_bytes(values("confidence.npy", 4).try_into().unwrap()).is_nan());
    }
}
