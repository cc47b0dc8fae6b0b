//! Files that hold more than one picture: the first one is read, and how many there are is told.

use image::ImageFormat;

use super::note::{ImageNote, ImageNoteKind};

/// No file has so many: what claims to have more goes round in circles.
const MAX_FRAMES: usize = 1 << 20;

/// A note, if there is more than one frame.
pub(super) fn further(bytes: &[u8], format: ImageFormat) -> Option<ImageNote> {
    let (count, what) = match format {
        ImageFormat::Gif => (gif(bytes), "frames"),
        ImageFormat::Png => (png(bytes), "frames"),
        ImageFormat::WebP => (webp(bytes), "frames"),
        ImageFormat::Tiff => (tiff(bytes), "pages"),
        _ => return None,
    };
    let count = count.filter(|&count| count > 1)?;
    Some(ImageNote::new(
        ImageNoteKind::FurtherFrames,
        format!("only the first of {count} {what} is read"),
    ))
}

/// GIF89a specification, sections 18 to 27.
fn gif(bytes: &[u8]) -> Option<usize> {
    /// What a byte of flags says of the colour table behind it.
    fn table(flags: u8) -> usize {
        match flags & 0x80 {
            0 => 0,
            _ => 3 << ((flags & 7) + 1),
        }
    }
    let after_blocks = |mut at: usize| loop {
        match usize::from(*bytes.get(at)?) {
            0 => return Some(at + 1),
            length => at += 1 + length,
        }
    };
    let mut at = 13 + table(*bytes.get(10)?);
    let mut count = 0;
    // A file that is cut off has what there is.
    while let Some(&kind) = bytes.get(at) {
        let next = match kind {
            0x2c => {
                count += 1;
                bytes
                    .get(at + 9)
                    .and_then(|&flags| after_blocks(at + 10 + table(flags) + 1))
            }
            0x21 => after_blocks(at + 2),
            _ => None,
        };
        let Some(next) = next else { break };
        at = next;
    }
    Some(count)
}

/// The chunk `acTL` (PNG, third edition, section 11.3.6.1), which stands before the pixels.
fn png(bytes: &[u8]) -> Option<usize> {
    let mut at = 8;
    loop {
        let length = big(bytes, at)? as usize;
        match bytes.get(at + 4..at + 8)? {
            b"acTL" => return Some(big(bytes, at + 8)? as usize),
            b"IDAT" => return None,
            _ => at = at.checked_add(length)?.checked_add(12)?,
        }
    }
}

/// The chunks `ANMF` (RFC 9649, section 2.7).
fn webp(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut count) = (12, 0);
    while let Some(kind) = bytes.get(at..at + 4) {
        let length: [u8; 4] = bytes.get(at + 4..at + 8)?.try_into().ok()?;
        let length = u32::from_le_bytes(length) as usize;
        count += usize::from(kind == b"ANMF");
        at = at.checked_add(8 + length)?.checked_add(length % 2)?;
    }
    Some(count)
}

/// The directories (TIFF 6.0, section 2) but for those of smaller copies and masks (`NewSubfileType`).
fn tiff(bytes: &[u8]) -> Option<usize> {
    const NEW_SUBFILE_TYPE: u16 = 254;
    const SMALLER_OR_MASK: u32 = 0b101;
    let is_little = match bytes.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let number: [u8; 2] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(match is_little {
            true => u16::from_le_bytes(number),
            false => u16::from_be_bytes(number),
        })
    };
    let long = |at: usize| {
        let number: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(match is_little {
            true => u32::from_le_bytes(number),
            false => u32::from_be_bytes(number),
        })
    };
    let mut at = long(4)? as usize;
    let mut count = 0;
    for _ in 0..MAX_FRAMES {
        let Some(entries) = short(at).filter(|_| at != 0) else {
            break;
        };
        let entry = |index: u16| at + 2 + 12 * usize::from(index);
        let mut kinds = (0..entries).filter(|&index| short(entry(index)) == Some(NEW_SUBFILE_TYPE));
        let kind = kinds.next().and_then(|index| long(entry(index) + 8));
        count += usize::from(kind.unwrap_or(0) & SMALLER_OR_MASK == 0);
        at = long(entry(entries))? as usize;
    }
    Some(count)
}

fn big(bytes: &[u8], at: usize) -> Option<u32> {
    let number = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(number.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use image::{Delay, Frame, RgbaImage, codecs::gif::GifEncoder};

    use super::*;

    fn frames(count: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = GifEncoder::new(&mut bytes);
        for shade in 0..count {
            let image = RgbaImage::from_pixel(40, 30, image::Rgba([shade as u8, 9, 9, 255]));
            let delay = Delay::from_numer_denom_ms(10, 1);
            encoder
                .encode_frame(Frame::from_parts(image, 0, 0, delay))
                .unwrap();
        }
        drop(encoder);
        bytes
    }

    fn note(bytes: &[u8], format: ImageFormat) -> Option<String> {
        further(bytes, format).map(|note| note.text)
    }

    #[test]
    fn frames_are_counted() {
        assert_eq!(note(&frames(1), ImageFormat::Gif), None);
        let told = "only the first of 3 frames is read";
        assert_eq!(note(&frames(3), ImageFormat::Gif).unwrap(), told);

        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        png.extend([0; 17]);
        png.extend(b"\0\0\0\x08acTL\0\0\0\x03\0\0\0\0");
        assert_eq!(note(&png, ImageFormat::Png).unwrap(), told);

        let mut webp = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0".to_vec();
        webp.extend([0; 10]);
        for _ in 0..3 {
            webp.extend(b"ANMF\x03\0\0\0abc\0");
        }
        assert_eq!(note(&webp, ImageFormat::WebP).unwrap(), told);

        // Two pages, and between them a smaller copy of the first one.
        let mut tiff = b"II*\0\x08\0\0\0".to_vec();
        for (kind, next) in [(0_u32, 26_u32), (1, 44), (0, 0)] {
            tiff.extend(1_u16.to_le_bytes());
            tiff.extend([254, 0, 4, 0, 1, 0, 0, 0]);
            tiff.extend(kind.to_le_bytes());
            tiff.extend(next.to_le_bytes());
        }
        let told = "only the first of 2 pages is read";
        assert_eq!(note(&tiff, ImageFormat::Tiff).unwrap(), told);
    }

    #[test]
    fn what_is_cut_off_or_goes_round_has_an_end() {
        let whole = frames(4);
        for end in 0..whole.len() {
            for format in [
                ImageFormat::Gif,
                ImageFormat::Png,
                ImageFormat::WebP,
                ImageFormat::Tiff,
            ] {
                further(&whole[..end], format);
            }
        }
        let mut circle = b"MM\0*\0\0\0\x08\0\0".to_vec();
        circle.extend(8_u32.to_be_bytes());
        assert!(further(&circle, ImageFormat::Tiff).is_some());
    }
}
