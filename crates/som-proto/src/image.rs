//! Raw images, pixels without a file format; and what is told of files.

use prost::bytes::Bytes;
use som_core::{
    Error, Image, Result, Size,
    decode::{self, ImageNote, ImageNoteKind},
};

use crate::{
    pb::v1 as pb,
    region::{size_from_wire, size_to_wire},
};

/// To the wire. Copies the pixels.
pub fn to_wire(image: &Image<'_>) -> pb::RawImage {
    pb::RawImage {
        size: Some(size_to_wire(Size::new(image.width(), image.height()))),
        pixels: Bytes::copy_from_slice(image.as_raw()),
    }
}

/// From the wire: the size, and the pixels that fill it, where they lie.
///
/// # Errors
/// Invalid, if a side is zero or the pixels do not fill the size exactly; exhausted, if it has
/// more than `max_pixels` or is larger than [`Size::check`] allows.
pub fn from_wire(wire: pb::RawImage, max_pixels: u64) -> Result<(Size, Bytes)> {
    let size = size(&wire)?;
    decode::check(size, max_pixels)?;
    Ok((size, wire.pixels))
}

/// To the wire.
pub fn note_to_wire(note: &ImageNote) -> pb::ImageNote {
    pb::ImageNote {
        kind: kind_to_wire(note.kind).into(),
        text: note.text.clone(),
    }
}

/// From the wire.
///
/// # Errors
/// Invalid, if it is not set what the note is about.
pub fn note_from_wire(wire: pb::ImageNote) -> Result<ImageNote> {
    Ok(ImageNote {
        kind: kind_from_wire(wire.kind())?,
        text: wire.text,
    })
}

fn kind_to_wire(kind: ImageNoteKind) -> pb::ImageNoteKind {
    match kind {
        ImageNoteKind::StrayBytes => pb::ImageNoteKind::StrayBytes,
        ImageNoteKind::EndMissing => pb::ImageNoteKind::EndMissing,
        ImageNoteKind::WrongChecksum => pb::ImageNoteKind::WrongChecksum,
        ImageNoteKind::OddOrientation => pb::ImageNoteKind::OddOrientation,
        ImageNoteKind::NarrowRange => pb::ImageNoteKind::NarrowRange,
        ImageNoteKind::Stretched => pb::ImageNoteKind::Stretched,
        ImageNoteKind::WhiteChosen => pb::ImageNoteKind::WhiteChosen,
        ImageNoteKind::Background => pb::ImageNoteKind::Background,
        ImageNoteKind::Transparency => pb::ImageNoteKind::Transparency,
        ImageNoteKind::FurtherFrames => pb::ImageNoteKind::FurtherFrames,
        ImageNoteKind::ProfileLeftOut => pb::ImageNoteKind::ProfileLeftOut,
    }
}

fn kind_from_wire(kind: pb::ImageNoteKind) -> Result<ImageNoteKind> {
    let kinds = ImageNoteKind::ALL.into_iter();
    let mut kinds = kinds.filter(|&known| kind_to_wire(known) == kind);
    kinds
        .next()
        .ok_or_else(|| Error::invalid("a note of an image: kind is not set"))
}

/// The size of an image from the wire, checked against its pixels.
///
/// # Errors
/// Invalid, if a side is zero or the pixels do not fill the size exactly.
fn size(wire: &pb::RawImage) -> Result<Size> {
    let size = wire.size.map(size_from_wire).unwrap_or_default();
    if size.bbox().is_empty() {
        return Err(Error::invalid(format!(
            "raw image: {}x{} pixels is no size (set width and height)",
            size.width, size.height
        )));
    }
    let needed = u128::from(size.pixels()) * 3;
    if wire.pixels.len() as u128 != needed {
        return Err(Error::invalid(format!(
            "raw image: {}x{} RGB pixels are {needed} bytes, but there are {}",
            size.width,
            size.height,
            wire.pixels.len()
        )));
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_come_back_as_they_went() {
        for kind in ImageNoteKind::ALL {
            let note = ImageNote {
                kind,
                text: "3 stray bytes".to_owned(),
            };
            assert_eq!(note_from_wire(note_to_wire(&note)).unwrap(), note);
        }
        let error = note_from_wire(pb::ImageNote::default()).unwrap_err();
        assert_eq!(error.message(), "a note of an image: kind is not set");
    }

    #[test]
    fn pixels_have_to_fill_the_size() {
        let raw = |width, height, bytes: usize| pb::RawImage {
            size: Some(pb::Size { width, height }),
            pixels: vec![0; bytes].into(),
        };
        let fits = raw(4, 2, 24);
        let (size_there, pixels) = from_wire(fits.clone(), 8).unwrap();
        assert_eq!(size_there, Size::new(4, 2));
        assert_eq!(pixels.as_ptr(), fits.pixels.as_ptr(), "no copy");
        let error = from_wire(fits, 7).unwrap_err();
        assert_eq!(error.kind(), som_core::ErrorKind::Exhausted);
        for (wire, why) in [
            (
                raw(4, 2, 23),
                "raw image: 4x2 RGB pixels are 24 bytes, but there are 23",
            ),
            (
                raw(u32::MAX, u32::MAX, 3),
                "RGB pixels are 55340232195358851075 bytes",
            ),
            (raw(0, 2, 0), "raw image: 0x2 pixels is no size"),
            (pb::RawImage::default(), "raw image: 0x0 pixels is no size"),
        ] {
            let error = size(&wire).unwrap_err();
            assert!(error.message().contains(why), "{error}");
        }
    }
}
