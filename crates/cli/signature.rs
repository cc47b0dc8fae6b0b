//! Who wrote an image: a word in the file itself, in each format that som writes. By it a later run
//! knows files of an earlier one.

use std::{fs, path::Path};

/// Signature and header of a PNG: where the next part begins.
const PNG_HEADER: usize = 33;
/// A part of a PNG. The keyword is one of the standard's (PNG, third edition, section 11.3.3.2).
const PNG_PART: &[u8; 16] = b"tEXtSoftware\0som";
/// A comment in a JPEG (ITU-T T.81, B.2.4.5): marker, length, text.
const JPEG_COMMENT: &[u8; 16] = b"\xff\xfe\0\x0eSoftware som";
/// What is behind the pixels of a WebP (RFC 9649, section 2.7.1.5), with the one entry of TIFF 6.0 that
/// says it, `Software`.
const WEBP_CHUNK: &[u8; 34] =
    b"EXIF\x1a\0\0\0II*\0\x08\0\0\0\x01\0\x31\x01\x02\0\x04\0\0\0som\0\0\0\0\0";
/// Where the first chunk of a WebP begins.
const WEBP_HEADER: usize = 12;
/// The chunk that says what else is in a WebP, header included (RFC 9649, section 2.7), …
const WEBP_EXTENDED: usize = 18;
/// … and the bit in it for EXIF data.
const HAS_EXIF: u8 = 0x08;

/// Says in a PNG, JPEG or WebP that som wrote it. Other files stay as they are.
pub(crate) fn sign(image: &mut Vec<u8>) {
    if is_png(image) && image.len() >= PNG_HEADER {
        // How many bytes of it are content, without its kind, stands before it, a checksum behind.
        let mut part = (PNG_PART.len() as u32 - 4).to_be_bytes().to_vec();
        part.extend(PNG_PART);
        part.extend(crc32fast::hash(PNG_PART).to_be_bytes());
        image.splice(PNG_HEADER..PNG_HEADER, part);
    } else if let Some(at) = comment_place(image) {
        image.splice(at..at, *JPEG_COMMENT);
    } else if is_webp(image) {
        sign_webp(image);
    }
}

/// True for an image that som has written. Blocks.
pub(crate) fn is_signed(file: &Path) -> bool {
    let Ok(image) = fs::read(file) else {
        return false;
    };
    let signed_at =
        |at: usize, sign: &[u8]| image.get(at..).is_some_and(|rest| rest.starts_with(sign));
    if is_png(&image) {
        return signed_at(PNG_HEADER + 4, PNG_PART);
    }
    match comment_place(&image) {
        Some(at) => signed_at(at, JPEG_COMMENT),
        None => is_webp(&image) && image.ends_with(WEBP_CHUNK),
    }
}

fn is_png(image: &[u8]) -> bool {
    image.starts_with(b"\x89PNG\r\n\x1a\n")
}

fn is_webp(image: &[u8]) -> bool {
    image.starts_with(b"RIFF") && image.get(8..WEBP_HEADER) == Some(b"WEBP")
}

/// Where a JPEG may have a comment: behind the segment of JFIF, which has to be the first (JFIF 1.02,
/// page 5). `None` for what is no JPEG.
fn comment_place(image: &[u8]) -> Option<usize> {
    let segments = image.strip_prefix(b"\xff\xd8")?;
    let Some(jfif) = segments.strip_prefix(b"\xff\xe0") else {
        return Some(2);
    };
    let length = u16::from_be_bytes(*jfif.first_chunk()?);
    let place = 4 + usize::from(length);
    (place <= image.len()).then_some(place)
}

/// Appends the chunk, and has the header tell of it: a file that is no more than its pixels gets one.
fn sign_webp(image: &mut Vec<u8>) {
    let extended = match image.get(WEBP_HEADER..WEBP_HEADER + 4) {
        Some(b"VP8X") => Vec::new(),
        Some(b"VP8L") => match lossless_extended(image) {
            Some(extended) => extended.to_vec(),
            None => return,
        },
        // som writes no other.
        _ => return,
    };
    image.splice(WEBP_HEADER..WEBP_HEADER, extended);
    image[WEBP_HEADER + 8] |= HAS_EXIF;
    image.extend(WEBP_CHUNK);
    let length = u32::try_from(image.len() - 8).unwrap_or(u32::MAX);
    image[4..8].copy_from_slice(&length.to_le_bytes());
}

/// The chunk `VP8X` for a file of which all is in a chunk `VP8L`. Both have the width and the height
/// less one: of 14 bits each behind a signature there (RFC 9649, section 3.4), of 24 here.
fn lossless_extended(image: &[u8]) -> Option<[u8; WEBP_EXTENDED]> {
    const SIZE: usize = WEBP_HEADER + 9;
    let sides = u32::from_le_bytes(*image.get(SIZE..)?.first_chunk()?);
    let [width, height] = [sides & 0x3fff, (sides >> 14) & 0x3fff].map(u32::to_le_bytes);
    let mut chunk = *b"VP8X\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0";
    chunk[12..15].copy_from_slice(&width[..3]);
    chunk[15..].copy_from_slice(&height[..3]);
    Some(chunk)
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};
    use som_core::{
        decode::{DecodeOptions, Tags, decode_with},
        encode::{Encoding, encode_with},
    };

    use super::*;

    #[test]
    fn a_signed_image_is_still_the_same() {
        let image = RgbImage::from_fn(301, 2, |x, y| Rgb([x as u8, y as u8, 3]));
        let profile = moxcms::ColorProfile::new_display_p3().encode().unwrap();
        let profiled = Tags {
            profile: Some(profile.into()),
            density: None,
        };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x");
        for encoding in [Encoding::Png, Encoding::Jpeg, Encoding::WebP] {
            for tags in [&Tags::default(), &profiled] {
                let plain = encode_with(&image, encoding, tags).unwrap();
                let mut signed = plain.clone();
                sign(&mut signed);
                let read = |bytes: &[u8]| decode_with(bytes, &DecodeOptions::default()).unwrap();
                assert_eq!(read(&signed), read(&plain), "{encoding:?}");
                for (bytes, is_own) in [(&plain, false), (&signed, true)] {
                    fs::write(&file, bytes).unwrap();
                    assert_eq!(is_signed(&file), is_own, "{encoding:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_whole_image_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x");
        for bytes in [
            &b""[..],
            b"GIF89a",
            b"\x89PNG\r\n\x1a\n",
            b"\xff\xd8\xff\xe0\0\x10JF",
            b"RIFF\0\0\0\0WEBP",
            b"RIFF\0\0\0\0WEBPVP8L\0\0",
            b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0",
        ] {
            let mut signed = bytes.to_vec();
            sign(&mut signed);
            assert_eq!(signed, bytes);
            fs::write(&file, bytes).unwrap();
            assert!(!is_signed(&file));
        }
        assert!(!is_signed(folder.path()));
    }
}
