//! Arrays for NumPy: a `.npz` with the fields of supervision's `Detections`, as
//! [`write::npz`](crate::write::npz) writes it and `numpy.savez` does (NumPy's documentation,
//! `numpy.lib.format`). `mask` or `xyxy` have to be there; `confidence`, `label` and `id` may be.

use std::io::{Cursor, Read as _};

use som_core::{Mask, Size};
use zip::{ZipArchive, read::ZipFile};

use super::{
    coordinates::Corners,
    gathering::{Entry, Gathering, Shape},
};
use crate::{FormatError, MAX_ENTRIES};

/// The most characters of a label.
const MAX_LABEL: usize = 1 << 12;

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// True for an archive with arrays.
pub(crate) fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

pub(super) fn read(bytes: &[u8], gathering: &mut Gathering) -> Result<(), FormatError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| FormatError::Structure(format!("no archive of arrays: {error}")))?;
    let boxes = numbers(&mut archive, "xyxy", Some(4))?;
    let scores = numbers(&mut archive, "confidence", None)?;
    let ids = numbers(&mut archive, "id", None)?;
    let labels = texts(&mut archive, "label")?;
    let facts = |index: usize, shape: Shape| {
        let mut entry = Entry::new(format!("region {}", index + 1), shape);
        let of = |all: &Option<Vec<f64>>| all.as_ref().and_then(|all| all.get(index).copied());
        // NaN stands for none.
        entry.score = of(&scores).filter(|score| !score.is_nan());
        entry.id = of(&ids).filter(|id| *id >= 0.0).map(|id| id as u64);
        entry.label = labels
            .as_ref()
            .and_then(|labels| labels.get(index).cloned());
        entry
    };
    if let Some(mut array) = Array::open(&mut archive, "mask")? {
        return masks(&mut array, gathering, facts);
    }
    let Some(boxes) = boxes else {
        return Err(FormatError::Structure(
            "it has neither an array `mask` nor `xyxy`".to_owned(),
        ));
    };
    for (index, corners) in boxes.chunks_exact(4).enumerate() {
        let shape = Shape::Box(Corners {
            left: corners[0],
            top: corners[1],
            right: corners[2],
            bottom: corners[3],
        });
        gathering.add(facts(index, shape))?;
    }
    Ok(())
}

/// Masks, one after the other: all of them together may take more memory than there is.
fn masks(
    array: &mut Array<'_, '_>,
    gathering: &mut Gathering,
    facts: impl Fn(usize, Shape) -> Entry,
) -> Result<(), FormatError> {
    let [count, height, width] = array.shape[..] else {
        let message = format!(
            "has the shape {:?}, but not (N, height, width)",
            array.shape
        );
        return Err(array.wrong(message));
    };
    let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
    let size = Size::new(side(width), side(height));
    gathering.check_size("mask.npy", size)?;
    let mut values = vec![0; size.pixels() as usize * array.kind.bytes()];
    for index in 0..count {
        array.fill(&mut values)?;
        let inside: Vec<u8> = values
            .chunks_exact(array.kind.bytes())
            .map(|value| u8::from(value.iter().any(|&byte| byte != 0)))
            .collect();
        let mask =
            Mask::from_dense(size, size.bbox(), &inside).map_err(|error| FormatError::Mask {
                place: format!("region {}", index + 1),
                error,
            })?;
        gathering.add(facts(index, Shape::Mask(mask)))?;
    }
    Ok(())
}

/// The numbers of an array of one dimension, or of `columns` in each row.
fn numbers(
    archive: &mut Archive<'_>,
    name: &str,
    columns: Option<usize>,
) -> Result<Option<Vec<f64>>, FormatError> {
    let Some(mut array) = Array::open(archive, name)? else {
        return Ok(None);
    };
    let fits = match (&array.shape[..], columns) {
        ([_], None) => true,
        ([_, found], Some(columns)) => *found == columns,
        _ => false,
    };
    if !fits {
        let message = format!("has the shape {:?}", array.shape);
        return Err(array.wrong(message));
    }
    let width = array.kind.bytes();
    let mut bytes = vec![0; array.shape.iter().product::<usize>() * width];
    array.fill(&mut bytes)?;
    let kind = array.kind;
    let values = bytes.chunks_exact(width).map(|value| kind.number(value));
    match values.collect() {
        Some(values) => Ok(Some(values)),
        None => Err(array.wrong("holds no numbers")),
    }
}

/// The texts of an array.
fn texts(archive: &mut Archive<'_>, name: &str) -> Result<Option<Vec<String>>, FormatError> {
    let Some(mut array) = Array::open(archive, name)? else {
        return Ok(None);
    };
    let (Kind::Text(length), &[count]) = (array.kind, &array.shape[..]) else {
        return Err(array.wrong("holds no list of texts"));
    };
    let mut characters = vec![0; 4 * length];
    let mut all = Vec::new();
    for _ in 0..count {
        array.fill(&mut characters)?;
        let numbers = characters.chunks_exact(4);
        let numbers =
            numbers.map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
        // What is shorter than the longest is filled up with zeros.
        let numbers = numbers.take_while(|&number| number != 0);
        let text =
            numbers.map(|number| char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER));
        all.push(text.collect());
    }
    Ok(Some(all))
}

/// An array of which the values are still to be read.
struct Array<'a, 'b> {
    name: String,
    kind: Kind,
    shape: Vec<usize>,
    values: ZipFile<'a, Cursor<&'b [u8]>>,
}

/// What values are: little-endian.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Bool,
    Signed(usize),
    Unsigned(usize),
    Float(usize),
    /// So many characters of four bytes.
    Text(usize),
}

impl Kind {
    /// As NumPy writes it: `<f4`, `|b1`, `<U7`.
    fn of(text: &str) -> Option<Self> {
        let (order, rest) = text.split_at_checked(1)?;
        let (kind, size) = rest.split_at_checked(1)?;
        let size = size.parse().ok()?;
        // Of several bytes the order counts.
        if !matches!((order, size), ("<", _) | ("|" | "=", 1) | ("|", 0)) {
            return None;
        }
        match (kind, size) {
            ("b", 1) => Some(Self::Bool),
            ("i", 1 | 2 | 4 | 8) => Some(Self::Signed(size)),
            ("u", 1 | 2 | 4 | 8) => Some(Self::Unsigned(size)),
            ("f", 4 | 8) => Some(Self::Float(size)),
            ("U", 0..=MAX_LABEL) => Some(Self::Text(size)),
            _ => None,
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::Signed(size) | Self::Unsigned(size) | Self::Float(size) => size,
            Self::Text(length) => 4 * length,
        }
    }

    /// A value as a number; `None` for a text.
    fn number(self, value: &[u8]) -> Option<f64> {
        let mut whole = [0; 8];
        whole.get_mut(..value.len())?.copy_from_slice(value);
        let bits = u64::from_le_bytes(whole);
        Some(match self {
            Self::Bool => f64::from(u8::from(bits != 0)),
            Self::Unsigned(_) => bits as f64,
            Self::Signed(size) => {
                let unused = 64 - 8 * size as u32;
                ((bits << unused).cast_signed() >> unused) as f64
            }
            Self::Float(4) => f32::from_bits(bits as u32).into(),
            Self::Float(_) => f64::from_bits(bits),
            Self::Text(_) => return None,
        })
    }
}

impl<'a, 'b> Array<'a, 'b> {
    /// The array called `name`; `None`, if it is not there.
    ///
    /// # Errors
    /// Structure for one that is none; TooMany.
    fn open(archive: &'a mut Archive<'b>, name: &str) -> Result<Option<Self>, FormatError> {
        let name = format!("{name}.npy");
        let Some(index) = archive.index_for_name(&name) else {
            return Ok(None);
        };
        let wrong = |why: &str| FormatError::Structure(format!("{name}: {why}"));
        let mut values = archive
            .by_index(index)
            .map_err(|error| wrong(&error.to_string()))?;
        let (kind, shape) = header(&mut values).map_err(|why| wrong(&why))?;
        if shape.first().is_some_and(|&count| count > MAX_ENTRIES) {
            return Err(FormatError::TooMany);
        }
        Ok(Some(Array {
            name,
            kind,
            shape,
            values,
        }))
    }

    /// Reads the next values.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), FormatError> {
        let read = self.values.read_exact(bytes);
        read.map_err(|error| self.wrong(format!("is damaged or cut off: {error}")))
    }

    fn wrong(&self, why: impl Into<String>) -> FormatError {
        FormatError::Structure(format!("{}: {}", self.name, why.into()))
    }
}

/// What stands before the values: magic bytes, version, length, and a dictionary in Python.
///
/// # Errors
/// Why it is none, in words.
fn header(from: &mut impl std::io::Read) -> Result<(Kind, Vec<usize>), String> {
    const MOST: u32 = 1 << 16;
    let cut_off = |error: std::io::Error| format!("is damaged or cut off: {error}");
    let mut magic = [0; 8];
    from.read_exact(&mut magic).map_err(cut_off)?;
    if !magic.starts_with(b"\x93NUMPY") {
        return Err("is no array of NumPy".to_owned());
    }
    let mut length = [0; 4];
    let of_length = if magic[6] == 1 { 2 } else { 4 };
    from.read_exact(&mut length[..of_length]).map_err(cut_off)?;
    let length = u32::from_le_bytes(length);
    if length > MOST {
        return Err(format!("its header has {length} bytes"));
    }
    let mut text = vec![0; length as usize];
    from.read_exact(&mut text).map_err(cut_off)?;
    let text = String::from_utf8_lossy(&text);
    let after = |key: &str| {
        let (_, rest) = text.split_once(&format!("'{key}':"))?;
        Some(rest.trim_start())
    };
    if !after("fortran_order").is_some_and(|order| order.starts_with("False")) {
        return Err("its values are not in C order".to_owned());
    }
    let kind = after("descr").and_then(|rest| rest.strip_prefix('\'')?.split('\'').next());
    let kind = kind.ok_or_else(|| "its header names no type".to_owned())?;
    let known = Kind::of(kind).ok_or_else(|| format!("som does not read values of type {kind}"))?;
    let shape = after("shape").and_then(|rest| rest.strip_prefix('(')?.split(')').next());
    let sides = shape.into_iter().flat_map(|shape| shape.split(','));
    let sides = sides.map(str::trim).filter(|side| !side.is_empty());
    let shape: Result<Vec<usize>, _> = sides.map(str::parse).collect();
    match shape {
        Ok(shape) if !shape.is_empty() => Ok((known, shape)),
        _ => Err("its header names no shape".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_as_numpy_writes_them() {
        for (text, kind) in [
            ("|b1", Some(Kind::Bool)),
            ("<f4", Some(Kind::Float(4))),
            ("<i8", Some(Kind::Signed(8))),
            ("|u1", Some(Kind::Unsigned(1))),
            ("<U12", Some(Kind::Text(12))),
            (">f4", None),
            ("|O", None),
            ("<U99999", None),
            ("é", None),
        ] {
            assert_eq!(Kind::of(text), kind, "{text}");
        }
        assert_eq!(Kind::Signed(2).number(&[0xfe, 0xff]), Some(-2.0));
        assert_eq!(Kind::Float(8).number(&1.5_f64.to_le_bytes()), Some(1.5));
    }

    #[test]
    fn what_is_no_array_is_named() {
        for (bytes, why) in [
            (&b"PK"[..], "is damaged or cut off"),
            (b"\x93NUMPX\x01\x00\x00\x00", "is no array"),
            (b"\x93NUMPY\x01\x00\x02\x00{}", "not in C order"),
        ] {
            let error = header(&mut &bytes[..]).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
