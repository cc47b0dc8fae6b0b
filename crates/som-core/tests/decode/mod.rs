/// Files that break the rules, one of each kind.
mod odd;
/// Palettes, floats, 12 bits, light drawings: which number is which shade.
mod shades;
/// Hundreds of them, compared with Pillow.
mod zoo;

use std::{collections::BTreeMap, fs, io::Cursor};

use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use serde::Deserialize;
use som_core::{
    ErrorKind,
    decode::{DEFAULT_MAX_PIXELS, decode},
    encode::{Encoding, encode},
};

use crate::python;

const FORMATS: [ImageFormat; 6] = [
    ImageFormat::Png,
    ImageFormat::Jpeg,
    ImageFormat::WebP,
    ImageFormat::Bmp,
    ImageFormat::Gif,
    ImageFormat::Tiff,
];

/// What `tests/python/images.py` says of a file.
#[derive(Deserialize)]
struct Expected {
    size: (u32, u32),
    greatest: u8,
    mean: f64,
}

/// Every kind of file shows the pixels that Pillow shows.
#[test]
fn every_kind_looks_as_in_pillow() {
    let folder = tempfile::tempdir().unwrap();
    if python::run("images.py", &[folder.path()]).is_none() {
        return;
    }
    let manifest = fs::read_to_string(folder.path().join("manifest.json")).unwrap();
    let manifest: BTreeMap<String, Expected> = serde_json::from_str(&manifest).unwrap();
    assert!(manifest.len() > 60);
    for (name, expected) in manifest {
        let bytes = fs::read(folder.path().join(&name)).unwrap();
        let pixels = fs::read(folder.path().join(format!("{name}.rgb"))).unwrap();
        let image =
            decode(&bytes, DEFAULT_MAX_PIXELS).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(image.dimensions(), expected.size, "{name}");
        let differences = image
            .as_raw()
            .iter()
            .zip(&pixels)
            .map(|(a, b)| a.abs_diff(*b));
        let greatest = differences.clone().max().unwrap();
        let mean = differences.map(f64::from).sum::<f64>() / pixels.len() as f64;
        assert!(
            greatest <= expected.greatest,
            "{name}: greatest difference {greatest}"
        );
        assert!(mean <= expected.mean, "{name}: mean difference {mean}");
    }
}

fn picture() -> RgbImage {
    RgbImage::from_fn(40, 30, |x, y| {
        Rgb([x as u8 * 6, y as u8 * 8, 200 - x as u8])
    })
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn refusal(bytes: &[u8]) -> (ErrorKind, String) {
    let error = decode(bytes, DEFAULT_MAX_PIXELS).unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn what_is_written_can_be_read() {
    for encoding in [Encoding::Png, Encoding::WebP] {
        let bytes = encode(&picture(), encoding).unwrap();
        assert_eq!(decode(&bytes, DEFAULT_MAX_PIXELS).unwrap(), picture());
    }
    let bytes = encode(&picture(), Encoding::Jpeg).unwrap();
    assert_eq!(
        decode(&bytes, DEFAULT_MAX_PIXELS).unwrap().dimensions(),
        (40, 30)
    );
}

#[test]
fn transparency_shows_white() {
    let colors = [
        [10, 20, 30, 255],
        [10, 20, 30, 0],
        [0, 0, 0, 128],
        [255, 0, 0, 51],
    ];
    let image = RgbaImage::from_fn(4, 1, |x, _| Rgba(colors[x as usize]));
    let image = decode(&encoded(image, ImageFormat::Png), DEFAULT_MAX_PIXELS).unwrap();
    assert_eq!(
        image.as_raw()[..],
        [10, 20, 30, 255, 255, 255, 127, 127, 127, 255, 204, 204]
    );
}

#[test]
fn one_pixel_is_an_image() {
    for format in FORMATS {
        let image = RgbImage::from_pixel(1, 1, Rgb([255, 255, 255]));
        assert_eq!(decode(&encoded(image.clone(), format), 1).unwrap(), image);
    }
}

/// Wherever a file ends, the answer is an error or the image; half an image never is.
#[test]
fn cut_off_files_are_refused() {
    for format in FORMATS {
        let bytes = encoded(picture(), format);
        let whole = decode(&bytes, DEFAULT_MAX_PIXELS).unwrap();
        for end in 0..bytes.len() {
            match decode(&bytes[..end], DEFAULT_MAX_PIXELS) {
                Ok(image) => {
                    assert!(
                        // A PNG's last 12 bytes and the checksum before them hold no pixel.
                        end + 24 > bytes.len(),
                        "{format:?} decodes from {end} of {}",
                        bytes.len()
                    );
                    assert_eq!(image, whole, "{format:?} cut to {end} of {}", bytes.len());
                }
                Err(error) => assert_ne!(error.kind(), ErrorKind::Internal, "{error}"),
            }
        }
        let (kind, message) = refusal(&bytes[..bytes.len() / 2]);
        assert_eq!(kind, ErrorKind::Invalid);
        assert!(
            message.contains(" image: damaged or cut off: "),
            "{message}"
        );
    }
}

/// Phones append a film to a photograph; damage before the end shows.
#[test]
fn what_follows_a_jpeg_does_not_matter() {
    let whole = encoded(picture(), ImageFormat::Jpeg);
    let image = decode(&whole, DEFAULT_MAX_PIXELS).unwrap();
    let film = [whole.as_slice(), b"\0\0\0\x18ftypmp42 \xff\xda \xff\xd8"].concat();
    assert!(decode(&film, DEFAULT_MAX_PIXELS).unwrap() == image);
    let mut damaged = whole.clone();
    let scan = whole
        .windows(2)
        .position(|marker| marker == [0xff, 0xda])
        .unwrap();
    damaged[scan + 40..scan + 44].copy_from_slice(&[0xff, 0xc0, 0, 2]);
    assert_eq!(refusal(&damaged).0, ErrorKind::Invalid);
}

#[test]
fn what_is_no_image_is_named() {
    assert_eq!(
        refusal(b""),
        (
            ErrorKind::Invalid,
            "the image is empty: there are 0 bytes".to_owned()
        )
    );
    assert_eq!(
        refusal(b"hello"),
        (
            ErrorKind::Invalid,
            "the bytes are no image that som reads: PNG, JPEG, WebP, BMP, GIF or TIFF".to_owned()
        )
    );
    let looks: [(&[u8], &str); 5] = [
        (b"\0\0\0\x18ftypmp42\0\0\0\0isom", "a video"),
        (b"%PDF-1.7", "a PDF document"),
        (b"\n<svg xmlns=", "an SVG, HTML or XML text"),
        (b"PK\x03\x04", "an archive or office document"),
        (b"\xff\x0a\x01", "a JPEG XL image"),
    ];
    for (bytes, name) in looks {
        let (kind, message) = refusal(bytes);
        assert_eq!(kind, ErrorKind::Unsupported);
        assert_eq!(
            message,
            format!("this looks like {name} (convert it to PNG, JPEG, WebP, BMP, GIF or TIFF)")
        );
    }
}

/// Photographs of telephones and of the web are named, and how to make them readable.
#[test]
fn heic_and_avif_say_what_to_do() {
    let heic = "this is a HEIC image, ";
    let avif = "this is an AVIF image, ";
    let brands: [(&[u8], &str, &str); 6] = [
        (b"heic\0\0\0\0mif1heic", heic, "heif-convert"),
        (b"mif1\0\0\0\0mif1heic", heic, "sips"),
        (b"mif1\0\0\0\0miaf", heic, "heif-convert"),
        (b"avif\0\0\0\0mif1miaf", avif, "avifdec"),
        (b"mif1\0\0\0\0mif1avif", avif, "magick"),
        (b"avis", avif, "avifdec"),
    ];
    for (brands, name, tool) in brands {
        let (kind, message) = refusal(&[b"\0\0\0\x20ftyp", brands].concat());
        assert_eq!(kind, ErrorKind::Unsupported);
        assert!(message.starts_with(name), "{message}");
        assert!(message.contains(tool), "{message}");
    }
}

/// A few bytes that claim a huge image cost nothing.
#[test]
fn decompression_bombs_are_refused_before_memory_is_taken() {
    let limit = |bytes: &[u8]| {
        let error = decode(bytes, 1000).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Exhausted, "{error}");
        error.to_string()
    };
    for format in FORMATS {
        let message = limit(&encoded(picture(), format));
        assert!(
            message.ends_with(
                " image: the image has 40x30 pixels, but at most 1000 are allowed \
                 (raise limits.image_pixels)"
            ),
            "{message}"
        );
    }
    // Sizes as the headers hold them; the pixels behind are missing.
    let mut png = encoded(picture(), ImageFormat::Png);
    png[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    let crc = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    assert!(limit(&png).contains("(raise limits.image_pixels)"));
    let mut bmp = encoded(picture(), ImageFormat::Bmp);
    bmp[18..26].copy_from_slice(&[0, 0, 0, 0x7f, 0, 0, 0, 0x7f]);
    assert_ne!(refusal(&bmp).0, ErrorKind::Internal);
    let mut gif = encoded(picture(), ImageFormat::Gif);
    gif[6..10].copy_from_slice(&[0xff; 4]);
    assert!(refusal(&gif).1.contains("65535x65535"));
    // A strip longer than any side may be, within the number of pixels.
    let strip = encode(&RgbImage::new((1 << 20) + 1, 1), Encoding::Png).unwrap();
    assert!(refusal(&strip).1.contains("at most 1048576 pixels a side"));
}

/// The checksum of PNG, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}
