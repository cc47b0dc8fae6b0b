//! JPEG, past the `image` crate: that one shows grey where a file is damaged or cut off.

mod layout;

use std::borrow::Cow;

use image::{RgbImage, metadata::Orientation};
use zune_jpeg::{
    JpegDecoder,
    errors::DecodeErrors,
    zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions},
};

use self::layout::Layout;
use super::{
    Failure, Limit, Stored,
    ifd::Turn,
    note::{ImageNote, ImageNoteKind},
};

/// The image as it is stored.
pub(super) fn decode(bytes: &[u8], limit: &Limit) -> Result<Stored, Failure> {
    let mut notes = Vec::new();
    let mut layout = Layout::of(bytes);
    let mut bytes = Cow::Borrowed(bytes);
    if !layout.stray.is_empty() {
        notes.push(stray(&layout));
        bytes = Cow::Owned(layout.without_stray(&bytes));
        layout = Layout::of(&bytes);
    }
    let mut decoder = opened(&bytes)?;
    let size = decoder
        .info()
        .map(|info| (u32::from(info.width), u32::from(info.height)))
        .unwrap_or_default();
    limit.check(size)?;
    let turn = decoder.exif().and_then(|exif| Turn::of(exif));
    let pixels = if layout.is_ended {
        decoder.decode().map_err(failure)?
    } else {
        notes.push(ImageNote::end_missing());
        let whole = layout.whole_at.and_then(|end| bytes.get(..end));
        whole
            .and_then(decode_without_end)
            .ok_or_else(|| Failure::Damaged("the end of the image is missing".to_owned()))?
    };
    let image = RgbImage::from_raw(size.0, size.1, pixels)
        .ok_or_else(|| Failure::Damaged("there are too few pixels".to_owned()))?;
    Ok(Stored {
        image: image.into(),
        turn: turn.unwrap_or(Turn::plain(Orientation::NoTransforms)),
        notes,
    })
}

/// The pixels of a file that ends with its compressed data; `None` if they are not all there.
///
/// The decoder makes up what is missing from what follows. So the rows are all there if different
/// bytes that follow make no difference.
fn decode_without_end(data: &[u8]) -> Option<Vec<u8>> {
    // Half of an end is none, and would begin another marker.
    let data = data.strip_suffix(&[0xff]).unwrap_or(data);
    let followed_by = |byte: u8| {
        let bytes = [data, &[byte; 64], &[0xff, layout::END]].concat();
        opened(&bytes).ok()?.decode().ok()
    };
    let pixels = followed_by(0x00)?;
    (followed_by(0xaa)? == pixels).then_some(pixels)
}

/// A decoder that has read up to the compressed data.
fn opened(bytes: &[u8]) -> Result<JpegDecoder<ZCursor<&[u8]>>, Failure> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        // The format's own limit; ours comes once the size is known.
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(failure)?;
    Ok(decoder)
}

fn failure(error: DecodeErrors) -> Failure {
    match error {
        DecodeErrors::Unsupported(kind) => Failure::Unsupported(format!("{kind:?}")),
        error => Failure::Damaged(error.to_string()),
    }
}

fn stray(layout: &Layout) -> ImageNote {
    let count: usize = layout.stray.iter().map(ExactSizeIterator::len).sum();
    let bytes = if count == 1 { "byte" } else { "bytes" };
    ImageNote::new(
        ImageNoteKind::StrayBytes,
        format!("{count} stray {bytes} between the parts of the file"),
    )
}
