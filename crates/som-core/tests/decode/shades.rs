use image::{ImageFormat, Luma, Rgb, Rgba, RgbaImage};
use som_core::{
    Color,
    decode::{Background, DecodeOptions, ImageNoteKind as Kind, decode_with},
};

use super::{
    encoded,
    odd::{noted, read, tiff},
};

#[test]
fn palettes_of_a_tiff_are_colours() {
    // Two pixels of 4 bits a row, and behind them the reds, greens and blues of 16 colours.
    let pixels = [0x12, 0x2f];
    let colors = (0..48_u16).map(|index| (index * 5) << 8);
    let data: Vec<u8> = pixels
        .into_iter()
        .chain(colors.flat_map(u16::to_le_bytes))
        .collect();
    let map: &[u8] = &[0x40, 1, 3, 0, 48, 0, 0, 0, 136, 0, 0, 0];
    let image = read(&tiff(&[4], 3, (2, 2), &data, &[map]));
    assert_eq!(image.notes, []);
    let color = |index: u8| [5 * index, 5 * (16 + index), 5 * (32 + index)];
    let expected = [1, 2, 2, 15].map(color);
    assert_eq!(image.pixels.as_raw(), expected.as_flattened());
}

#[test]
fn floats_of_a_tiff_are_shades() {
    let format: &[u8] = &[0x53, 1, 3, 0, 1, 0, 0, 0, 3, 0, 0, 0];
    let floats = |values: [f32; 3]| {
        let data: Vec<u8> = values.into_iter().flat_map(f32::to_le_bytes).collect();
        tiff(&[32], 1, (3, 1), &data, &[format])
    };
    let text = "32-bit floats: 1 is white";
    let image = noted(&floats([0.0, 0.4, 1.0]), Kind::WhiteChosen, text);
    assert_eq!(image.as_raw()[..], [0, 0, 0, 102, 102, 102, 255, 255, 255]);
    let image = floats([f32::NAN, f32::INFINITY, f32::MIN]);
    assert_eq!(read(&image).pixels.dimensions(), (3, 1));
}

pub(super) fn deep(values: [u16; 3]) -> Vec<u8> {
    let image = image::ImageBuffer::<Luma<u16>, _>::from_raw(3, 1, values.to_vec()).unwrap();
    encoded(image, ImageFormat::Png)
}

#[test]
fn twelve_bits_in_sixteen_are_told_and_can_be_stretched() {
    let bytes = deep([0, 1880, 3760]);
    let text = "values up to 3,760 of 65,535 are used, so that nearly one shade is seen \
                (images.stretch stretches them)";
    let image = noted(&bytes, Kind::NarrowRange, text);
    assert!(image.iter().all(|&shade| shade < 16));
    let options = DecodeOptions {
        stretch: true,
        ..DecodeOptions::default()
    };
    let stretched = decode_with(&bytes, &options).unwrap();
    assert_eq!(stretched.notes[0].kind, Kind::Stretched);
    let shades: Vec<u8> = stretched.pixels.pixels().map(|pixel| pixel.0[0]).collect();
    assert_eq!(shades, [0, 128, 255]);
    assert_eq!(read(&deep([0, 1880, 60_000])).notes, []);
}

#[test]
fn a_light_drawing_stands_out_from_its_background() {
    let drawing = RgbaImage::from_fn(4, 4, |x, _| match x {
        0 => Rgba([255; 4]),
        _ => Rgba([0; 4]),
    });
    let bytes = encoded(drawing, ImageFormat::Png);
    let text = "a light drawing on nothing: shown on #404040 in place of white";
    let image = noted(&bytes, Kind::Background, text);
    assert_eq!(image.get_pixel(0, 0), &Rgb([255; 3]));
    assert_eq!(image.get_pixel(1, 0), &Rgb([0x40; 3]));
    let options = DecodeOptions {
        background: Background::Color(Color([1, 2, 3])),
        ..DecodeOptions::default()
    };
    let image = decode_with(&bytes, &options).unwrap();
    assert_eq!(image.notes, []);
    assert_eq!(image.pixels.get_pixel(1, 0), &Rgb([1, 2, 3]));
}
