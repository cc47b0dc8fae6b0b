//! From the painting to regions.
//!
//! Hugging Face's form, `post_process_semantic_segmentation`: first each pixel of the image gets the
//! colour of the one of the painting that its centre lies in, then its class is the nearest colour of the
//! palette, or its brightness is the mean of the channels, cut off to whole numbers.

use som_core::{BBox, Mask, Region, Result, Size};

/// A painting in 0..=255, row by row, red, green, blue.
pub(crate) struct Painting<'a> {
    pub pixels: &'a [f32],
    /// Of a square.
    pub side: u32,
}

impl Painting<'_> {
    /// Of each pixel of an image of `size` what `read` makes of its colour.
    pub(crate) fn of_image(&self, size: Size, read: impl Fn([f32; 3]) -> u8) -> Vec<u8> {
        let side = self.side as usize;
        let seen: Vec<u8> = self
            .pixels
            .as_chunks()
            .0
            .iter()
            .map(|&color: &[f32; 3]| read(color.map(|it| it.clamp(0.0, 255.0))))
            .collect();
        let (across, down) = (
            nearest(size.width, self.side),
            nearest(size.height, self.side),
        );
        let row = |y: usize| {
            let row = seen.get(y * side..(y + 1) * side).unwrap_or_default();
            across
                .iter()
                .map(|&x| row.get(x).copied().unwrap_or_default())
        };
        down.iter().flat_map(|&y| row(y)).collect()
    }
}

/// Of each pixel of an `extent` the one that is seen there of `side`, as libtorch's nearest
/// interpolation has it, in single precision.
fn nearest(extent: u32, side: u32) -> Vec<usize> {
    let scale = side as f32 / extent.max(1) as f32;
    let last = side.saturating_sub(1);
    (0..extent)
        .map(|place| ((place as f32 * scale) as u32).min(last) as usize)
        .collect()
}

/// The mean of the channels, cut off to a whole number.
pub(crate) fn brightness([red, green, blue]: [f32; 3]) -> u8 {
    ((red + green + blue) / 3.0) as u8
}

/// The class whose colour of `palette` is nearest, the first of equally near ones.
pub(crate) fn class(palette: &[[u8; 3]], color: [f32; 3]) -> u8 {
    let distance = |of: &[u8; 3]| -> f32 {
        of.iter()
            .zip(color)
            .map(|(&of, it)| (it - f32::from(of)).powi(2))
            .sum()
    };
    let mut nearest = (0, f32::INFINITY);
    for (class, of) in (0..=u8::MAX).zip(palette) {
        let distance = distance(of);
        if distance < nearest.1 {
            nearest = (class, distance);
        }
    }
    nearest.0
}

/// The region of the pixels that are at least so bright; none without one.
pub(crate) fn bright(of_pixels: &[u8], threshold: u8, size: Size) -> Result<Vec<Region>> {
    let mask = mask(of_pixels, size, |value| value >= threshold)?;
    Ok(Some(mask)
        .filter(|mask| !mask.is_empty())
        .map(Region::new)
        .into_iter()
        .collect())
}

/// A region of each class from 1 to `classes` that some pixel has, labelled with its number.
pub(crate) fn classes(of_pixels: &[u8], classes: u8, size: Size) -> Result<Vec<Region>> {
    let mut regions = Vec::new();
    for class in 1..=classes {
        let mask = mask(of_pixels, size, |value| value == class)?;
        if !mask.is_empty() {
            let mut region = Region::new(mask);
            region.label = Some(class.to_string());
            regions.push(region);
        }
    }
    Ok(regions)
}

fn mask(of_pixels: &[u8], size: Size, is_inside: impl Fn(u8) -> bool) -> Result<Mask> {
    let inside: Vec<u8> = of_pixels
        .iter()
        .map(|&it| u8::from(is_inside(it)))
        .collect();
    Mask::from_dense(size, BBox::new(0, 0, size.width, size.height), &inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_has_the_colour_of_the_one_it_lies_in() {
        assert_eq!(nearest(4, 2), [0, 0, 1, 1]);
        assert_eq!(nearest(2, 4), [0, 2]);
        assert_eq!(nearest(3, 2), [0, 0, 1]);
        assert_eq!(nearest(1, 448), [0]);
    }

    #[test]
    fn colours_become_classes_and_brightness() {
        let palette = [[0; 3], [255; 3], [255, 255, 127]];
        assert_eq!(class(&palette, [10.0, 20.0, 0.0]), 0);
        assert_eq!(class(&palette, [250.0, 240.0, 120.0]), 2);
        // As near to white as to yellow.
        assert_eq!(class(&palette, [255.0, 255.0, 191.0]), 1);
        assert_eq!(brightness([127.0, 128.0, 128.9]), 127);
        let size = Size::new(3, 1);
        let regions = classes(&[0, 3, 1], 3, size).unwrap();
        let labels: Vec<_> = regions
            .iter()
            .map(|it| it.label.as_deref().unwrap())
            .collect();
        assert_eq!(labels, ["1", "3"]);
        assert_eq!(
            bright(&[127, 128, 255], 128, size).unwrap()[0].mask.area(),
            2
        );
        assert!(bright(&[0; 3], 128, size).unwrap().is_empty());
    }
}
