//! Masks and label maps as an example has them: of each pixel the number of its class.

use som_core::{Error, Size, decode};

use crate::pixels::Pixels;

/// From which brightness on a pixel of a lossy image belongs to a mask.
const BRIGHT: u8 = 128;

/// The number of a mask's pixels whose number is not told.
const WHITE: u8 = 255;

/// Of each pixel the number of its class; 0 is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelMap {
    /// Of the image.
    pub size: Size,
    /// Row by row.
    pub labels: Vec<u8>,
}

impl LabelMap {
    /// The map in a file of up to `limit` pixels. In a PNG the numbers are the values of gray pixels or
    /// the entries of a palette, as they stand in the file; those above 255, and colours, are 255. Of any
    /// other image the bright pixels are 255, and all else is 0.
    ///
    /// # Errors
    /// Invalid for what is no image, or a damaged one; Exhausted beyond the limit.
    pub fn read(bytes: &[u8], limit: u64) -> Result<Self, Error> {
        if !bytes.starts_with(b"\x89PNG") {
            let image = decode::decode(bytes, limit)?;
            let size = Size::new(image.width(), image.height());
            let is_bright = |rgb: &[u8]| {
                rgb.iter().map(|&it| u32::from(it)).sum::<u32>() >= 3 * u32::from(BRIGHT)
            };
            let pixels = image.as_raw().chunks_exact(3);
            let labels = pixels.map(|rgb| if is_bright(rgb) { WHITE } else { 0 });
            let labels = labels.collect();
            return Ok(Self { size, labels });
        }
        let pixels = Pixels::of(bytes, limit)?;
        let is_number = pixels.is_gray || pixels.has_palette;
        let label = |&value: &u32| match u8::try_from(value) {
            Ok(number) if is_number || number == 0 => number,
            _ if is_number => WHITE,
            // The three colours of a gray pixel.
            _ if value % 0x0001_0101 == 0 => (value & 0xff) as u8,
            _ => WHITE,
        };
        Ok(Self {
            size: pixels.size,
            labels: pixels.values.iter().map(label).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use png::{BitDepth, ColorType};

    use super::*;

    fn png(color: ColorType, depth: BitDepth, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 3, 1);
        encoder.set_color(color);
        encoder.set_depth(depth);
        if color == ColorType::Indexed {
            encoder.set_palette(vec![200; 3 * 16]);
        }
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(data).unwrap();
        writer.finish().unwrap();
        bytes
    }

    #[test]
    fn numbers_are_those_of_the_file_and_colours_are_white() {
        use BitDepth::{Eight, Four, One, Sixteen};
        use ColorType::{Grayscale, Indexed, Rgb};
        for (color, depth, data, expected) in [
            (Grayscale, One, &[0b1010_0000][..], [1, 0, 1]),
            (Grayscale, Eight, &[0, 7, 255], [0, 7, 255]),
            (Grayscale, Sixteen, &[0, 0, 1, 2, 0, 9], [0, 255, 9]),
            (Indexed, Four, &[0x3f, 0x10], [3, 15, 1]),
            (Rgb, Eight, &[0, 0, 0, 7, 7, 7, 9, 0, 0], [0, 7, 255]),
        ] {
            let map = LabelMap::read(&png(color, depth, data), 100).unwrap();
            assert_eq!(map.size, Size::new(3, 1));
            assert_eq!(map.labels, expected, "{color:?} {depth:?}");
        }
        assert!(LabelMap::read(&png(Grayscale, Eight, &[0; 3]), 2).is_err());
        assert!(LabelMap::read(b"words", 100).is_err());
    }

    #[test]
    fn of_other_images_the_bright_pixels_count() {
        // A bitmap of two pixels, from below: a bright one, a dark one.
        let mut bmp =
            b"BM\x3e\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x02\0\0\0\x01\0\0\0\x01\0\x18\0".to_vec();
        bmp.extend([0; 24]);
        bmp.extend([200, 250, 130, 9, 100, 0, 0, 0]);
        let map = LabelMap::read(&bmp, 100).unwrap();
        assert_eq!(map.labels, [255, 0]);
    }
}
