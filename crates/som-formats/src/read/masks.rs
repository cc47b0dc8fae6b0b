//! PNGs whose pixels are the regions: a mask of one region, or a map with a number for each region.

use std::collections::BTreeMap;

use som_core::{Error, Mask, Size, decode::DEFAULT_MAX_PIXELS};

use super::{
    Read,
    gathering::{Entry, Gathering, Shape},
    which,
};
use crate::{FormatError, MAX_ENTRIES, pixels::Pixels};

/// Masks of one image, a PNG each, in the making.
pub struct MaskFolder(Gathering);

impl MaskFolder {
    /// Of an image of this size.
    pub fn new(size: Size) -> Self {
        Self(Gathering::new(size))
    }

    /// Adds the mask of a region. A number at the end of the file's name is that of the region.
    ///
    /// # Errors
    /// Mask or OtherSize for what is wrong with it; TooMany and TooLarge.
    pub fn add(&mut self, file: &str, bytes: &[u8]) -> Result<(), FormatError> {
        add(file, bytes, &mut self.0)
    }

    /// All regions in the order in which they were added.
    ///
    /// # Errors
    /// None that can happen.
    pub fn finish(self) -> Result<Read, FormatError> {
        self.0.finish()
    }
}

/// A file that is the mask of one region.
pub(super) fn read_one(bytes: &[u8], gathering: &mut Gathering) -> Result<(), FormatError> {
    add("the mask", bytes, gathering)
}

fn add(file: &str, bytes: &[u8], gathering: &mut Gathering) -> Result<(), FormatError> {
    let mask = mask(bytes, DEFAULT_MAX_PIXELS).map_err(|error| FormatError::Mask {
        place: file.to_owned(),
        error,
    })?;
    let mut entry = Entry::new(file.to_owned(), Shape::Mask(mask));
    let stem = which::stem(file);
    let digits = stem.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    entry.id = stem[digits..].parse().ok();
    gathering.add(entry)
}

/// A region from the PNG of its mask: of gray values those from half of the brightest on, of palette
/// entries and colours all but 0 and black.
///
/// # Errors
/// As [`Pixels::of`].
pub(super) fn mask(bytes: &[u8], limit: u64) -> Result<Mask, Error> {
    let pixels = Pixels::of(bytes, limit)?;
    let brightest = pixels.values.iter().copied().max().unwrap_or(0);
    let least = match pixels.is_gray {
        true => brightest.div_ceil(2).max(1),
        false => 1,
    };
    let inside: Vec<u8> = pixels
        .values
        .iter()
        .map(|&value| u8::from(value >= least))
        .collect();
    Mask::from_dense(pixels.size, pixels.size.bbox(), &inside)
}

/// A map: each number but 0 is a region, and so its number. Entry 255 of a palette is the border that
/// Pascal VOC and DAVIS leave open.
pub(super) fn read_map(bytes: &[u8], gathering: &mut Gathering) -> Result<(), FormatError> {
    const VOID: u32 = 255;
    let pixels = Pixels::of(bytes, DEFAULT_MAX_PIXELS).map_err(|error| FormatError::Mask {
        place: "the map".to_owned(),
        error,
    })?;
    gathering.check_size("the map", pixels.size)?;
    let mut values = pixels.values;
    let mut indices: BTreeMap<u32, u32> = BTreeMap::new();
    let mut before = 0;
    for &value in &values {
        if value != before {
            indices.insert(value, 0);
            before = value;
            if indices.len() > MAX_ENTRIES {
                return Err(FormatError::TooMany);
            }
        }
    }
    indices.remove(&0);
    if pixels.has_palette && indices.remove(&VOID).is_some() {
        gathering.note(format!(
            "entry {VOID} of the palette is taken for no region"
        ));
    }
    for (index, of_value) in indices.values_mut().zip(0..) {
        *index = of_value;
    }
    for value in &mut values {
        *value = indices.get(value).copied().unwrap_or(u32::MAX);
    }
    let masks = Mask::from_label_map(gathering.size(), &values, indices.len());
    for (mask, value) in masks.into_iter().zip(indices.into_keys()) {
        let mut entry = Entry::new(format!("value {value}"), Shape::Mask(mask));
        entry.id = Some(value.into());
        gathering.add(entry)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use image::{ExtendedColorType, ImageEncoder as _, codecs::png::PngEncoder};
    use som_core::BBox;

    use super::*;

    fn png(width: u32, data: &[u8], color: ExtendedColorType) -> Vec<u8> {
        let mut bytes = Vec::new();
        PngEncoder::new(&mut bytes)
            .write_image(data, width, 1, color)
            .unwrap();
        bytes
    }

    #[test]
    fn a_map_has_a_region_for_each_number() {
        let mut gathering = Gathering::new(Size::new(5, 1));
        let bytes = png(5, &[0, 7, 7, 1, 0], ExtendedColorType::L8);
        read_map(&bytes, &mut gathering).unwrap();
        let read = gathering.finish().unwrap();
        let found: Vec<_> = read
            .given
            .iter()
            .map(|given| (given.id, given.region.bbox()))
            .collect();
        assert_eq!(
            found,
            [
                (Some(1), BBox::new(3, 0, 1, 1)),
                (Some(7), BBox::new(1, 0, 2, 1)),
            ]
        );
        let mut other = Gathering::new(Size::new(1, 5));
        let error = read_map(&bytes, &mut other).unwrap_err().to_string();
        assert!(
            error.starts_with("the map belongs to an image of 5x1"),
            "{error}"
        );
    }

    #[test]
    fn masks_are_bright_where_the_region_is() {
        let mut folder = MaskFolder::new(Size::new(4, 1));
        folder
            .add(
                "coffee.3.png",
                &png(4, &[0, 100, 128, 255], ExtendedColorType::L8),
            )
            .unwrap();
        folder
            .add("b.png", &png(4, &[0, 1, 0, 0], ExtendedColorType::L8))
            .unwrap();
        let read = folder.finish().unwrap();
        let found: Vec<_> = read
            .given
            .iter()
            .map(|given| (given.id, given.region.bbox()))
            .collect();
        assert_eq!(
            found,
            [
                (Some(3), BBox::new(2, 0, 2, 1)),
                (None, BBox::new(1, 0, 1, 1))
            ]
        );
        let mut folder = MaskFolder::new(Size::new(4, 1));
        let error = folder.add("x.png", b"words").unwrap_err().to_string();
        assert!(
            error.starts_with("x.png: no PNG, or a damaged one"),
            "{error}"
        );
    }
}
