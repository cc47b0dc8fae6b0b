//! Maps of labels in PNG files: the number of each pixel, as it stands in the file.

use std::{fs::File, io::BufReader, path::Path};

use som_core::{BBox, Mask, Size};

use super::{Kind, files};
use crate::{Error, Result};

/// One number a pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelMap {
    /// Of the image.
    pub size: Size,
    /// Row by row.
    pub labels: Vec<u32>,
    /// True if the PNG has a palette, of which these are the indices.
    pub is_indexed: bool,
}

impl LabelMap {
    /// Reads a PNG: indices of its palette, grey values, or of colours R + 256 G + 65536 B (as
    /// panopticapi's `rgb2id`). No palette is expanded and no orientation applied.
    ///
    /// # Errors
    /// [`Error::Unreadable`], if there is no such file; [`Error::Malformed`], if it is no PNG of 8
    /// or fewer bits a channel, is damaged, or too large.
    pub fn read(path: &Path) -> Result<Self> {
        let damaged = |why: String| Error::malformed(path, "PNG", why);
        let file = File::open(path).map_err(|source| Error::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let mut decoder = png::Decoder::new(BufReader::new(file));
        decoder.set_transformations(png::Transformations::IDENTITY);
        let mut reader = decoder
            .read_info()
            .map_err(|error| damaged(error.to_string()))?;
        let size = Size::new(reader.info().width, reader.info().height);
        size.check().map_err(|error| damaged(error.to_string()))?;
        let length = reader
            .output_buffer_size()
            .ok_or_else(|| damaged("is too large".to_owned()))?;
        let mut bytes = vec![0; length];
        let frame = reader
            .next_frame(&mut bytes)
            .map_err(|error| damaged(format!("{error} (is the file whole?)")))?;
        let rows = bytes
            .chunks_exact(frame.line_size.max(1))
            .take(size.height as usize);
        let width = size.width as usize;
        let depth = frame.bit_depth as usize;
        let labels: Vec<u32> = match (frame.color_type, depth) {
            (png::ColorType::Indexed | png::ColorType::Grayscale, 1..=8) => rows
                .flat_map(|row| (0..width).map(move |x| packed(row, x, depth)))
                .collect(),
            (png::ColorType::GrayscaleAlpha, 8) => channels::<2>(rows),
            (png::ColorType::Rgb, 8) => channels::<3>(rows),
            (png::ColorType::Rgba, 8) => channels::<4>(rows),
            (color, depth) => {
                return Err(damaged(format!(
                    "{color:?} with {depth} bits is no map of labels"
                )));
            }
        };
        Ok(Self {
            size,
            labels,
            is_indexed: frame.color_type == png::ColorType::Indexed,
        })
    }

    /// As [`read`](Self::read), of a file that belongs to a data set.
    pub(super) fn read_of(kind: Kind, path: &Path) -> Result<Self> {
        if path.is_file() {
            Self::read(path)
        } else {
            // Names the data set and where it can be had.
            files::bytes(kind, path).map(drop)?;
            Err(kind.missing(path))
        }
    }

    /// The pixels with this label.
    pub fn mask(&self, label: u32) -> Mask {
        self.pixels(|other| other == label)
    }

    /// The pixels whose label is wanted.
    pub fn pixels(&self, want: impl Fn(u32) -> bool) -> Mask {
        let pixels: Vec<u8> = self.labels.iter().map(|&l| u8::from(want(l))).collect();
        let bbox: BBox = self.size.bbox();
        // As many as the image has, so that this cannot fail.
        Mask::from_dense(self.size, bbox, &pixels).unwrap_or(Mask::empty(self.size))
    }

    /// One mask for each of `wanted`, in one pass.
    pub fn masks(&self, wanted: &[u32]) -> Vec<Mask> {
        let places: std::collections::HashMap<u32, u32> = wanted.iter().copied().zip(0..).collect();
        let mut last = (0, places.get(&0).copied().unwrap_or(u32::MAX));
        let labels: Vec<u32> = self
            .labels
            .iter()
            .map(|&label| {
                if label != last.0 {
                    last = (label, places.get(&label).copied().unwrap_or(u32::MAX));
                }
                last.1
            })
            .collect();
        Mask::from_label_map(self.size, &labels, wanted.len())
    }
}

/// The number at column `x` of a row with `depth` bits a pixel, the highest first.
fn packed(row: &[u8], x: usize, depth: usize) -> u32 {
    let bit = x * depth;
    let byte = row.get(bit / 8).copied().unwrap_or(0);
    let shift = 8 - depth - bit % 8;
    u32::from(byte) >> shift & ((1 << depth) - 1)
}

/// The first three of `N` channels as one number; of fewer than three the first.
fn channels<'a, const N: usize>(rows: impl Iterator<Item = &'a [u8]>) -> Vec<u32> {
    let number = |pixel: &[u8; N]| match pixel.first_chunk() {
        Some(&[red, green, blue]) => u32::from_le_bytes([red, green, blue, 0]),
        None => pixel[0].into(),
    };
    rows.flat_map(|row| row.as_chunks::<N>().0.iter().map(number))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_pixels_come_highest_bits_first() {
        let row = [0b1101_0010];
        let numbers = |depth| {
            (0..8 / depth)
                .map(move |x| packed(&row, x, depth))
                .collect::<Vec<_>>()
        };
        assert_eq!(numbers(2), [3, 1, 0, 2]);
        assert_eq!(numbers(4), [13, 2]);
        assert_eq!(numbers(1), [1, 1, 0, 1, 0, 0, 1, 0]);
    }

    #[test]
    fn colours_are_ids() {
        let rows = [92, 20, 60, 44, 1, 0, 0, 0, 0];
        assert_eq!(channels::<3>([&rows[..]].into_iter()), [3_937_372, 300, 0]);
    }
}
