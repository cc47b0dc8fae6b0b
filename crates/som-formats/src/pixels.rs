//! PNGs as numbers: what each pixel of a mask or a label map says.

use std::io::Cursor;

use png::{BitDepth, ColorType, Transformations};
use som_core::{Error, Size, decode};

/// A PNG, one number a pixel.
pub(crate) struct Pixels {
    pub(crate) size: Size,
    /// Row by row: the value of a gray pixel, the entry of a palette, or red + 256 green + 65536 blue
    /// (as COCO's panoptic PNGs count); 0 where it is transparent.
    pub(crate) values: Vec<u32>,
    pub(crate) has_palette: bool,
    pub(crate) is_gray: bool,
}

impl Pixels {
    /// Decodes a PNG of up to `limit` pixels.
    ///
    /// # Errors
    /// Invalid for what is no PNG, or one that is damaged; exhausted beyond the limit.
    pub(crate) fn of(bytes: &[u8], limit: u64) -> Result<Self, Error> {
        let mut decoder = png::Decoder::new(Cursor::new(bytes));
        // Palette entries and gray values as they stand, but each in a byte or two of its own.
        decoder.set_transformations(Transformations::IDENTITY);
        let mut reader = decoder.read_info().map_err(|error| damaged(&error))?;
        let size = Size::new(reader.info().width, reader.info().height);
        decode::check(size, limit)?;
        let length = reader
            .output_buffer_size()
            .ok_or_else(|| Error::exhausted("the PNG takes more memory than there is"))?;
        let mut data = vec![0; length];
        let frame = reader
            .next_frame(&mut data)
            .map_err(|error| damaged(&error))?;
        let row = Row {
            depth: frame.bit_depth,
            samples: frame.color_type.samples(),
            color: frame.color_type,
        };
        let mut values = Vec::with_capacity(size.pixels() as usize);
        for line in data
            .chunks_exact(frame.line_size)
            .take(size.height as usize)
        {
            values.extend((0..size.width as usize).map(|x| row.value(line, x)));
        }
        Ok(Self {
            size,
            values,
            has_palette: frame.color_type == ColorType::Indexed,
            is_gray: matches!(
                frame.color_type,
                ColorType::Grayscale | ColorType::GrayscaleAlpha
            ),
        })
    }
}

fn damaged(error: &png::DecodingError) -> Error {
    Error::invalid(format!("no PNG, or a damaged one: {error}"))
}

/// How the bytes of a row make pixels.
struct Row {
    depth: BitDepth,
    samples: usize,
    color: ColorType,
}

impl Row {
    /// The number that pixel `x` stands for.
    fn value(&self, line: &[u8], x: usize) -> u32 {
        let sample = |index| self.sample(line, x * self.samples + index);
        let byte = |index| match self.depth {
            BitDepth::Sixteen => sample(index) >> 8,
            _ => sample(index),
        };
        match self.color {
            ColorType::Grayscale | ColorType::Indexed => sample(0),
            ColorType::GrayscaleAlpha if sample(1) == 0 => 0,
            ColorType::GrayscaleAlpha => sample(0),
            ColorType::Rgba if sample(3) == 0 => 0,
            ColorType::Rgb | ColorType::Rgba => byte(0) + 256 * byte(1) + 65_536 * byte(2),
        }
    }

    /// Sample number `index` of a row, at the row's own depth.
    fn sample(&self, line: &[u8], index: usize) -> u32 {
        let packed = |bits: usize| {
            let at = index * bits;
            let byte = line.get(at / 8).copied().unwrap_or_default();
            u32::from(byte >> (8 - bits - at % 8)) & ((1 << bits) - 1)
        };
        match self.depth {
            BitDepth::One => packed(1),
            BitDepth::Two => packed(2),
            BitDepth::Four => packed(4),
            BitDepth::Eight => line.get(index).copied().unwrap_or_default().into(),
            BitDepth::Sixteen => {
                let high = line.get(2 * index).copied().unwrap_or_default();
                let low = line.get(2 * index + 1).copied().unwrap_or_default();
                u16::from_be_bytes([high, low]).into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(color: ColorType, depth: BitDepth, width: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, 1);
        encoder.set_color(color);
        encoder.set_depth(depth);
        if color == ColorType::Indexed {
            encoder.set_palette(vec![0; 3 * 16]);
        }
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(data).unwrap();
        writer.finish().unwrap();
        bytes
    }

    #[test]
    fn pixels_are_the_numbers_that_stand_in_the_file() {
        use BitDepth::{Eight, Four, One, Sixteen};
        use ColorType::{Grayscale, GrayscaleAlpha, Indexed, Rgb, Rgba};
        for (color, depth, data, expected) in [
            (Grayscale, One, &[0b1010_0000][..], &[1, 0, 1][..]),
            (Grayscale, Eight, &[0, 7, 255], &[0, 7, 255]),
            (
                Grayscale,
                Sixteen,
                &[0, 0, 1, 2, 255, 255],
                &[0, 258, 65_535],
            ),
            (GrayscaleAlpha, Eight, &[9, 0, 9, 1, 8, 255], &[0, 9, 8]),
            (Indexed, Four, &[0x3f, 0x10], &[3, 15, 1]),
            (
                Rgb,
                Eight,
                &[0, 0, 0, 1, 2, 3, 255, 0, 0],
                &[0, 197_121, 255],
            ),
            (
                Rgba,
                Eight,
                &[1, 1, 1, 0, 1, 0, 0, 9, 0, 1, 0, 9],
                &[0, 1, 256],
            ),
        ] {
            let pixels = Pixels::of(&png(color, depth, 3, data), 100).unwrap();
            assert_eq!(pixels.values, expected, "{color:?} {depth:?}");
            assert_eq!(pixels.has_palette, color == Indexed);
        }
        let error = Pixels::of(&png(Grayscale, Eight, 3, &[0; 3]), 2)
            .err()
            .unwrap();
        assert_eq!(error.kind(), som_core::ErrorKind::Exhausted);
        assert!(Pixels::of(b"words", 100).is_err());
    }
}
