//! Files of regions: what people have already, read, and what other tools take, written.
//!
//! > bytes → [`read()`] → regions → [`Only`] → chosen regions
//! >
//! > regions → [`write`](mod@write) → bytes
//!
//! Each format is one file of `read` or `write`, which names the specification that it follows. What
//! is read is cut to the image and checked against its size; what is wrong is a [`FormatError`] that
//! names the entry. Nothing here opens a file.

mod error;
mod format;
mod json;
mod label_map;
mod outline;
mod pixels;
mod rings;
mod select;

pub mod read;
pub mod write;

pub use crate::{
    error::FormatError,
    format::Format,
    label_map::LabelMap,
    read::{Given, MaskFolder, Read, Source, Target, class_names, read},
    select::Only,
};

/// The most entries of one image that are read: more marks than that no image has room for.
pub const MAX_ENTRIES: usize = 1 << 16;

/// The longest file that is worth reading, in bytes: COCO's own annotations of 118,287 images have
/// 448 million.
pub const MAX_BYTES: u64 = 1 << 29;
