//! PNG, with what others pass over: a missing end, wrong checksums.

use std::collections::BTreeSet;

use image::ImageFormat;

use super::{
    Failure, Limit, Stored, as_it_stands,
    note::{ImageNote, ImageNoteKind},
};

/// The bytes that begin every file.
const SIGNATURE: usize = 8;
const END: [u8; 12] = [0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82];

/// The image as it is stored. Only a file that breaks the rules is read a second time.
pub(super) fn decode(bytes: &[u8], limit: &Limit) -> Result<Stored, Failure> {
    let failure = match as_it_stands(bytes, ImageFormat::Png, limit) {
        Ok(mut stored) => {
            stored.notes.extend(passed_over(bytes));
            return Ok(stored);
        }
        Err(failure @ Failure::Damaged(_)) => failure,
        other => return other,
    };
    let (tidy, notes) = tidied(bytes);
    if notes.is_empty() {
        return Err(failure);
    }
    // Rows that are missing are missed there as well.
    let mut stored = as_it_stands(&tidy, ImageFormat::Png, limit).map_err(|_| failure)?;
    stored.notes.extend(notes);
    Ok(stored)
}

/// What the decoder passes over: parts that an image does without, where they cannot be relied on.
fn passed_over(bytes: &[u8]) -> Option<ImageNote> {
    let parts = chunks(bytes).filter(|chunk| !chunk.is_needed() && !chunk.is_right());
    let parts = names(parts)?;
    Some(ImageNote::new(
        ImageNoteKind::WrongChecksum,
        format!("a checksum is wrong, so that a part was passed over: {parts}"),
    ))
}

/// The same chunks with checksums that are right and an end, and what had to be changed. What an
/// image does without and cannot be relied on is left out.
fn tidied(bytes: &[u8]) -> (Vec<u8>, Vec<ImageNote>) {
    let mut tidy = Vec::with_capacity(bytes.len() + END.len());
    let mut notes = Vec::new();
    tidy.extend(bytes.get(..SIGNATURE).unwrap_or_default());
    for chunk in chunks(bytes).filter(|chunk| chunk.is_needed() || chunk.is_right()) {
        // Not longer than it was in the file.
        tidy.extend((chunk.data.len() as u32).to_be_bytes());
        tidy.extend(chunk.kind);
        tidy.extend(chunk.data);
        tidy.extend(chunk.right_checksum().to_be_bytes());
    }
    // Where the file was cut off there is no checksum that could be wrong.
    let wrong = chunks(bytes).filter(|chunk| chunk.checksum.is_some() && !chunk.is_right());
    if let Some(names) = names(wrong) {
        notes.push(ImageNote::new(
            ImageNoteKind::WrongChecksum,
            format!("a checksum is wrong, so that pixels may be, too: {names}"),
        ));
    }
    if chunks(bytes).all(|chunk| &chunk.kind != b"IEND") {
        tidy.extend(END);
        notes.push(ImageNote::end_missing());
    }
    (tidy, notes)
}

/// Each name once, as many as a person reads; `None` if there are none.
fn names<'a>(chunks: impl Iterator<Item = Chunk<'a>>) -> Option<String> {
    const MAX_NAMES: usize = 8;
    let mut names = BTreeSet::new();
    for chunk in chunks {
        names.insert(String::from_utf8_lossy(&chunk.kind).into_owned());
        if names.len() > MAX_NAMES {
            names.insert("…".to_owned());
            break;
        }
    }
    let names: Vec<String> = names.into_iter().collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// The chunks up to the end, or as far as there are any (PNG, third edition, 5.3).
fn chunks(bytes: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    let mut rest = bytes.get(SIGNATURE..).unwrap_or_default();
    std::iter::from_fn(move || {
        let chunk = Chunk::first(rest)?;
        rest = match &chunk.kind {
            b"IEND" => &[],
            _ => chunk.after,
        };
        Some(chunk)
    })
}

/// A part of the file.
struct Chunk<'a> {
    kind: [u8; 4],
    data: &'a [u8],
    /// `None` where the file ends before.
    checksum: Option<u32>,
    after: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// The chunk that `bytes` begin with, as far as it is there; `None` if they begin with none.
    fn first(bytes: &'a [u8]) -> Option<Self> {
        let (&length, rest) = bytes.split_first_chunk()?;
        let (&kind, rest) = rest.split_first_chunk()?;
        let length = u32::from_be_bytes(length) as usize;
        if !kind.iter().all(u8::is_ascii_alphabetic) {
            return None;
        }
        let (data, rest) = rest.split_at(length.min(rest.len()));
        let (checksum, after) = match rest.split_first_chunk() {
            Some((&checksum, after)) => (Some(u32::from_be_bytes(checksum)), after),
            None => (None, [].as_slice()),
        };
        Some(Self {
            kind,
            data,
            checksum,
            after,
        })
    }

    /// Whether an image cannot be made without it.
    fn is_needed(&self) -> bool {
        self.kind[0].is_ascii_uppercase()
    }

    fn is_right(&self) -> bool {
        self.checksum == Some(self.right_checksum())
    }

    fn right_checksum(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&self.kind);
        hasher.update(self.data);
        hasher.finalize()
    }
}
