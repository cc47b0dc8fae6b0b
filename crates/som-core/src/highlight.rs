//! grounded spans → an image in which the regions that are meant stand out.

use image::RgbImage;

use crate::{Color, Error, Image, Mask, Result, mask::Span};

/// What is left of the brightness outside of all masks.
const DIM: f32 = 0.35;
/// How much of a mask's colour lies over its pixels.
const TINT: f32 = 0.25;

/// A copy of `image` that is dim but for the `masks`, each tinted and outlined in its colour. Of
/// masks over one another the later one is on top.
///
/// # Errors
/// Invalid for a mask of an image of another size.
pub fn highlight<'a>(
    image: &Image<'_>,
    masks: impl IntoIterator<Item = (&'a Mask, Color)>,
) -> Result<RgbImage> {
    let (width, height) = image.dimensions();
    let mut result = RgbImage::from_fn(width, height, |x, y| {
        let dim = |channel: u8| (f32::from(channel) * DIM) as u8;
        image::Rgb(image.get_pixel(x, y).0.map(dim))
    });
    for (mask, Color(color)) in masks {
        let size = mask.size();
        if (size.width, size.height) != (width, height) {
            return Err(Error::invalid(format!(
                "a mask of {size} pixels does not fit the image of {width}x{height}"
            )));
        }
        for (y, row) in mask.rows() {
            let (above, below) = (mask.row(y.wrapping_sub(1)), mask.row(y + 1));
            for &Span { start, end } in row {
                for x in start..end {
                    let inner = x > start && x + 1 < end && covers(above, x) && covers(below, x);
                    let tint = if inner { TINT } else { 1.0 };
                    let pixel = image.get_pixel(x, y).0;
                    result.get_pixel_mut(x, y).0 = [0, 1, 2].map(|i| {
                        let (pixel, color) = (f32::from(pixel[i]), f32::from(color[i]));
                        (pixel + (color - pixel) * tint).round() as u8
                    });
                }
            }
        }
    }
    Ok(result)
}

/// True if column `x` lies in one of the runs of a row.
fn covers(row: &[Span], x: u32) -> bool {
    let next = row.partition_point(|span| span.end <= x);
    row.get(next).is_some_and(|span| span.start <= x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BBox, Size};

    #[test]
    fn what_is_meant_stands_out() {
        let pixels = [100; 20 * 10 * 3];
        let image = Image::from_raw(20, 10, &pixels[..]).unwrap();
        let mask = Mask::rect(Size::new(20, 10), BBox::new(2, 2, 6, 5));
        let other = Mask::rect(Size::new(10, 20), BBox::new(0, 0, 10, 20));
        let red = Color([200, 0, 0]);
        let lit = highlight(&image, [(&mask, red)]).unwrap();
        assert!(highlight(&image, [(&other, red)]).is_err());
        assert_eq!(lit.get_pixel(0, 0).0, [35; 3]);
        assert_eq!(lit.get_pixel(2, 2).0, red.0);
        assert_eq!(lit.get_pixel(7, 6).0, red.0);
        assert_eq!(lit.get_pixel(4, 4).0, [125, 75, 75]);
        assert_eq!(lit.get_pixel(8, 4).0, [35; 3]);
    }
}
