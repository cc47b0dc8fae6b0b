//! The first directory of a TIFF file. EXIF data are one, too: how an image is turned stands there
//! (TIFF 6.0, section 2; Exif 2.32, 4.6.4).

use image::metadata::Orientation;

use super::note::{ImageNote, ImageNoteKind};

/// The tag of the orientation.
const ORIENTATION: u16 = 0x0112;
/// The type that the orientation has by the rules, a number of 16 bits.
const SHORT: u16 = 3;

/// An entry that holds one number.
pub(super) struct Entry {
    /// As TIFF numbers its types.
    pub(super) kind: u16,
    /// Where the number stands.
    pub(super) at: usize,
    /// The number; a byte or 16 bits are widened.
    pub(super) value: u32,
    /// Whether the last byte of a number is its smallest.
    pub(super) is_big_endian: bool,
}

impl Entry {
    /// The entry of `tag`; `None` if there is none, or one of something else than a number.
    pub(super) fn find(file: &[u8], tag: u16) -> Option<Self> {
        let file = File::of(file)?;
        let is_big_endian = file.is_big_endian;
        let directory = file.long(4)? as usize;
        let count = usize::from(file.short(directory)?);
        let entries = (0..count).map(|index| directory.checked_add(2 + 12 * index));
        for entry in entries {
            let entry = entry?;
            if file.short(entry)? != tag || file.long(entry + 4)? != 1 {
                continue;
            }
            let kind = file.short(entry + 2)?;
            let at = entry + 8;
            let value = match kind {
                // Bytes, with and without sign.
                1 | 6 => u32::from(*file.bytes.get(at)?),
                SHORT | 8 => u32::from(file.short(at)?),
                // LONG and its likes.
                4 | 9 => file.long(at)?,
                _ => return None,
            };
            return Some(Self {
                kind,
                at,
                value,
                is_big_endian,
            });
        }
        None
    }
}

/// The fraction under `tag`; `None` if there is none, or it is no fraction.
pub(super) fn rational(file: &[u8], tag: u16) -> Option<f64> {
    const RATIONAL: u16 = 5;
    let file = File::of(file)?;
    let directory = file.long(4)? as usize;
    let count = usize::from(file.short(directory)?);
    let mut entries = (0..count).filter_map(|index| directory.checked_add(2 + 12 * index));
    let entry = entries.find(|&entry| file.short(entry) == Some(tag))?;
    if file.short(entry + 2)? != RATIONAL {
        return None;
    }
    let at = file.long(entry + 8)? as usize;
    let (upper, lower) = (file.long(at)?, file.long(at.checked_add(4)?)?);
    (lower != 0).then(|| f64::from(upper) / f64::from(lower))
}

struct File<'a> {
    bytes: &'a [u8],
    is_big_endian: bool,
}

impl<'a> File<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let is_big_endian = match bytes.first_chunk::<4>()? {
            [b'I', b'I', 42, 0] => false,
            [b'M', b'M', 0, 42] => true,
            _ => return None,
        };
        Some(Self {
            bytes,
            is_big_endian,
        })
    }

    fn short(&self, at: usize) -> Option<u16> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(match self.is_big_endian {
            true => u16::from_be_bytes(bytes),
            false => u16::from_le_bytes(bytes),
        })
    }

    fn long(&self, at: usize) -> Option<u32> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(match self.is_big_endian {
            true => u32::from_be_bytes(bytes),
            false => u32::from_le_bytes(bytes),
        })
    }
}

/// How an image is turned upright.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Turn {
    pub(super) orientation: Orientation,
    /// The type it is written as, if that is not the one of the rules.
    odd_type: Option<&'static str>,
}

impl Turn {
    /// A turn about which there is nothing to say.
    pub(super) const fn plain(orientation: Orientation) -> Self {
        Self {
            orientation,
            odd_type: None,
        }
    }

    /// What EXIF data or a TIFF file say; `None` if they do not.
    pub(super) fn of(exif: &[u8]) -> Option<Self> {
        // The name of JPEG's segment, which some writers put into other formats as well.
        let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
        let entry = Entry::find(exif, ORIENTATION)?;
        let orientation = Orientation::from_exif(u8::try_from(entry.value).ok()?)?;
        Some(Self {
            orientation,
            odd_type: match entry.kind {
                SHORT => None,
                1 => Some("BYTE"),
                4 => Some("LONG"),
                _ => Some("a number with a sign"),
            },
        })
    }

    /// What a person should know, if it turns the image.
    pub(super) fn note(self) -> Option<ImageNote> {
        let odd_type = self.odd_type?;
        (self.orientation != Orientation::NoTransforms).then(|| {
            ImageNote::new(
                ImageNoteKind::OddOrientation,
                format!("the EXIF orientation is written as {odd_type} in place of SHORT"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of one entry.
    fn exif(is_big_endian: bool, kind: u16, value: u32) -> Vec<u8> {
        let short = |number: u16| match is_big_endian {
            true => number.to_be_bytes(),
            false => number.to_le_bytes(),
        };
        let long = |number: u32| match is_big_endian {
            true => number.to_be_bytes(),
            false => number.to_le_bytes(),
        };
        let mut bytes = match is_big_endian {
            true => b"MM\0*".to_vec(),
            false => b"II*\0".to_vec(),
        };
        bytes.extend(long(8));
        bytes.extend(short(1));
        bytes.extend(short(ORIENTATION));
        bytes.extend(short(kind));
        bytes.extend(long(1));
        match kind {
            1 => bytes.extend([value as u8, 0, 0, 0]),
            SHORT => {
                bytes.extend(short(value as u16));
                bytes.extend([0; 2]);
            }
            _ => bytes.extend(long(value)),
        }
        bytes
    }

    #[test]
    fn an_orientation_counts_whatever_its_type() {
        for is_big_endian in [false, true] {
            for (kind, named) in [(SHORT, None), (1, Some("BYTE")), (4, Some("LONG"))] {
                let turn = Turn::of(&exif(is_big_endian, kind, 6)).unwrap();
                assert_eq!(turn.orientation, Orientation::Rotate90);
                assert_eq!(turn.odd_type, named);
                assert_eq!(turn.note().is_some(), named.is_some());
            }
            let upright = Turn::of(&exif(is_big_endian, 4, 1)).unwrap();
            assert_eq!(upright.note(), None);
        }
        let named = [b"Exif\0\0".as_slice(), &exif(true, 4, 8)].concat();
        assert_eq!(
            Turn::of(&named).unwrap().orientation,
            Orientation::Rotate270
        );
    }

    #[test]
    fn what_is_no_orientation_turns_nothing() {
        let whole = exif(false, SHORT, 6);
        for end in 0..whole.len() - 2 {
            assert_eq!(Turn::of(&whole[..end]), None, "{end}");
        }
        for (kind, value) in [(SHORT, 0), (SHORT, 9), (4, 1 << 16), (2, 6), (5, 6)] {
            assert_eq!(Turn::of(&exif(false, kind, value)), None);
        }
        // A directory far outside.
        let far = [b"II*\0".as_slice(), &u32::MAX.to_le_bytes()].concat();
        assert_eq!(Turn::of(&far), None);
    }
}
