use image::{
    ExtendedColorType, ImageEncoder, ImageFormat, Rgb, RgbImage,
    codecs::{jpeg, png, webp},
};
use som_core::{
    ErrorKind,
    decode::{
        DEFAULT_MAX_PIXELS, DecodeOptions, DecodedImage, ImageNoteKind as Kind, decode, decode_with,
    },
};

use super::{encoded, picture, refusal, shades::deep};

pub(super) fn read(bytes: &[u8]) -> DecodedImage {
    decode_with(bytes, &DecodeOptions::default()).unwrap()
}

/// The pixels, if there is just this note.
pub(super) fn noted(bytes: &[u8], kind: Kind, text: &str) -> RgbImage {
    let DecodedImage { pixels, notes, .. } = read(bytes);
    let [note] = notes.as_slice() else {
        panic!("{notes:?}");
    };
    assert_eq!((note.kind, note.text.as_str()), (kind, text));
    pixels
}

const WHOLE: &str = "the file's end is missing, but all rows are there";
const FILM: &[u8] = b"\0\0\0\x18ftypmp42 \xff\xda \xff\xd8 and so on";

fn jpeg(is_progressive: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 90);
    encoder.set_progressive(is_progressive);
    let image = picture();
    let (width, height) = (image.width() as u16, image.height() as u16);
    encoder
        .encode(&image, width, height, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    bytes
}

fn position(bytes: &[u8], marker: u8) -> usize {
    let mut pairs = bytes.windows(2);
    pairs.rposition(|pair| pair == [0xff, marker]).unwrap()
}

#[test]
fn stray_bytes_in_a_jpeg_are_passed_over() {
    for is_progressive in [false, true] {
        let whole = jpeg(is_progressive);
        let image = decode(&whole, DEFAULT_MAX_PIXELS).unwrap();
        // Before the last scan, as some cameras write them. Behind compressed data they look like
        // more of those.
        let scan = position(&whole, 0xda);
        let odd = [&whole[..scan], b"\0\x12\x34", &whole[scan..]].concat();
        if is_progressive {
            assert!(read(&odd).pixels == image);
        } else {
            let text = "3 stray bytes between the parts of the file";
            assert!(noted(&odd, Kind::StrayBytes, text) == image);
        }
        let tables = position(&whole, 0xdb);
        let odd = [&whole[..tables], b"\x07", &whole[tables..]].concat();
        let text = "1 stray byte between the parts of the file";
        assert!(noted(&odd, Kind::StrayBytes, text) == image);
        // Which the format allows.
        let filled = [&whole[..tables], &[0xff; 9], &whole[tables..]].concat();
        assert_eq!(read(&filled).notes, []);
    }
}

#[test]
fn a_jpeg_without_an_end_is_read_if_all_rows_are_there() {
    for is_progressive in [false, true] {
        let whole = jpeg(is_progressive);
        let image = decode(&whole, DEFAULT_MAX_PIXELS).unwrap();
        let endless = &whole[..whole.len() - 2];
        let with_film = [endless, FILM].concat();
        for odd in [endless, &whole[..whole.len() - 1], &with_film] {
            assert!(noted(odd, Kind::EndMissing, WHOLE) == image);
        }
        // From where a row is missing on, nothing is made up.
        for end in position(&whole, 0xda)..endless.len() - 4 {
            let (kind, message) = refusal(&whole[..end]);
            assert_eq!(kind, ErrorKind::Invalid, "{end}");
            assert!(message.starts_with("JPEG image: damaged or cut off: "));
        }
    }
}

/// The chunks of a PNG: where each begins, and what it is.
fn chunk(bytes: &[u8], kind: &[u8; 4]) -> usize {
    let mut four = bytes.windows(4);
    four.position(|found| found == kind).unwrap() - 4
}

#[test]
fn a_png_without_an_end_is_read_if_all_rows_are_there() {
    let whole = encoded(picture(), ImageFormat::Png);
    let end = chunk(&whole, b"IEND");
    for cut in [end, end + 6] {
        assert_eq!(noted(&whole[..cut], Kind::EndMissing, WHOLE), picture());
    }
    let data = chunk(&whole, b"IDAT");
    // The last of the compressed data say that there are no more.
    for cut in data..end - 12 {
        assert_eq!(refusal(&whole[..cut]).0, ErrorKind::Invalid, "{cut}");
    }
}

#[test]
fn a_png_with_wrong_checksums_is_read() {
    let mut odd = encoded(picture(), ImageFormat::Png);
    let end = chunk(&odd, b"IEND");
    odd[end - 1] ^= 1;
    let text = "a checksum is wrong, so that pixels may be, too: IDAT";
    assert_eq!(noted(&odd, Kind::WrongChecksum, text), picture());
    // Together with what hurts, that is told.
    odd[chunk(&encoded(picture(), ImageFormat::Png), b"IDAT") + 20] ^= 0xff;
    assert_eq!(refusal(&odd).0, ErrorKind::Invalid);
    // What nobody needs is left out.
    let whole = encoded(picture(), ImageFormat::Png);
    let data = chunk(&whole, b"IDAT");
    let comment = b"\0\0\0\x03tEXta\0b????";
    let odd = [&whole[..data], comment, &whole[data..]].concat();
    let text = "a checksum is wrong, so that a part was passed over: tEXt";
    assert_eq!(noted(&odd, Kind::WrongChecksum, text), picture());
}

/// Writes the picture, turned.
fn write(mut encoder: impl ImageEncoder) {
    encoder.set_exif_metadata(exif(6)).unwrap();
    let image = picture();
    let (width, height) = image.dimensions();
    encoder
        .write_image(&image, width, height, ExtendedColorType::Rgb8)
        .unwrap();
}

/// A directory of one entry: the orientation as LONG.
fn exif(value: u8) -> Vec<u8> {
    let mut bytes = b"II*\0\x08\0\0\0\x01\0\x12\x01\x04\0\x01\0\0\0".to_vec();
    bytes.extend([value, 0, 0, 0, 0, 0, 0, 0]);
    bytes
}

#[test]
fn an_orientation_written_as_long_counts_in_every_format() {
    let image = picture();
    let (width, height) = image.dimensions();
    let mut files = [Vec::new(), Vec::new(), Vec::new()];
    let [jpeg, png, webp] = &mut files;
    write(jpeg::JpegEncoder::new_with_quality(jpeg, 95));
    write(png::PngEncoder::new(png));
    write(webp::WebPEncoder::new_lossless(webp));
    let text = "the EXIF orientation is written as LONG in place of SHORT";
    for (format, bytes) in ["JPEG", "PNG", "WebP"].into_iter().zip(files) {
        let turned = noted(&bytes, Kind::OddOrientation, text);
        assert_eq!(turned.dimensions(), (height, width), "{format}");
        let corner = turned.get_pixel(height - 1, 0);
        let difference = corner.0.iter().zip(image.get_pixel(0, 0).0);
        let difference = difference.map(|(a, b)| a.abs_diff(b)).max();
        assert!(difference < Some(12), "{format}: {corner:?}");
    }
    let entry: &[u8] = &[0x12, 1, 4, 0, 1, 0, 0, 0, 8, 0, 0, 0];
    let tiff = tiff(&[8], 1, (2, 1), &[10, 20], &[entry]);
    let turned = noted(&tiff, Kind::OddOrientation, text);
    assert_eq!(turned.dimensions(), (1, 2));
    assert_eq!(turned.get_pixel(0, 0), &Rgb([20; 3]));
}

/// A TIFF of one strip; `more` entries go behind its own.
pub(super) fn tiff(
    bits: &[u16],
    photometric: u16,
    (width, height): (u32, u32),
    data: &[u8],
    more: &[&[u8]],
) -> Vec<u8> {
    let count = 9 + more.len() as u16;
    let start = 10 + 12 * u32::from(count) + 4;
    let long = |tag: u16, value: u32| {
        let mut entry = tag.to_le_bytes().to_vec();
        entry.extend([4, 0, 1, 0, 0, 0]);
        entry.extend(value.to_le_bytes());
        entry
    };
    let short = |tag: u16, value: u16| {
        let mut entry = tag.to_le_bytes().to_vec();
        entry.extend([3, 0, 1, 0, 0, 0]);
        entry.extend(value.to_le_bytes());
        entry.extend([0; 2]);
        entry
    };
    let mut entries = vec![
        long(256, width),
        long(257, height),
        short(258, bits[0]),
        short(259, 1),
        short(262, photometric),
        long(273, start),
        short(277, bits.len() as u16),
        long(278, height),
        long(279, data.len() as u32),
    ];
    entries.extend(more.iter().map(|entry| entry.to_vec()));
    entries.sort_by_key(|entry| u16::from_le_bytes([entry[0], entry[1]]));
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    bytes.extend(count.to_le_bytes());
    entries.iter().for_each(|entry| bytes.extend(entry));
    bytes.extend([0; 4]);
    bytes.extend(data);
    bytes
}

/// Whatever is done to a file: the answer is an image or a refusal.
#[test]
fn no_change_of_a_byte_panics() {
    let floats: &[u8] = &[0x53, 1, 3, 0, 1, 0, 0, 0, 3, 0, 0, 0];
    let files = [
        jpeg(false),
        jpeg(true),
        encoded(picture(), ImageFormat::Png),
        deep([0, 1880, 3760]),
        tiff(&[32], 1, (3, 1), &[63; 12], &[floats]),
        tiff(
            &[4],
            3,
            (2, 2),
            &[0; 98],
            &[&[0x40, 1, 3, 0, 48, 0, 0, 0, 136, 0, 0, 0]],
        ),
    ];
    let options = DecodeOptions {
        max_pixels: 1 << 14,
        stretch: true,
        ..DecodeOptions::default()
    };
    for whole in files {
        for at in 0..whole.len() {
            for byte in [0, 1, 0x80, 0xff, whole[at] ^ 1] {
                let mut bytes = whole.clone();
                bytes[at] = byte;
                if let Err(error) = decode_with(&bytes, &options) {
                    assert_ne!(error.kind(), ErrorKind::Internal, "{error}");
                }
            }
        }
    }
}
