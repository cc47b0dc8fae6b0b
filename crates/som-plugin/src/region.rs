//! [`Region`] and `som_region`: both sides read and write both.
//!
//! `level` and `parent` have no fields of their own in the header; they travel in `extra`.

use std::{ffi::CString, ptr, slice};

use serde_json::Value;
use som_core::{BBox, Error, Mask, Params, Region, Result, Size};

use crate::{borrow, sys};

/// Takes in a region of an image of the given size: everything is checked, everything is copied.
///
/// # Errors
/// Internal, naming the field that is wrong.
///
/// # Safety
/// `pointer` is null or leads to a `som_region` as the header describes it.
pub(crate) unsafe fn take_in(pointer: *const sys::som_region, image: Size) -> Result<Region> {
    // SAFETY: the caller's promise.
    let raw = unsafe { borrow::read(pointer)? };
    let bbox = BBox::new(raw.x, raw.y, raw.width, raw.height);
    // SAFETY: the caller's promise.
    let (mask, label, extra) = unsafe {
        (
            mask(&raw, bbox, image)?,
            borrow::text(raw.label, "label")?,
            borrow::text(raw.extra, "extra")?,
        )
    };
    let score = match raw.score {
        score if score < 0.0 => None,
        score if score <= 1.0 => Some(score),
        score => {
            return Err(Error::internal(format!(
                "its score {score} is not in [0, 1] (or negative, for none)"
            )));
        }
    };
    let mut extra = match extra {
        None => Params::new(),
        Some(json) => serde_json::from_str(json).map_err(|error| {
            Error::internal(format!("its extra {json:?} is not a JSON object: {error}"))
        })?,
    };
    let level = index(&mut extra, "level")?;
    let parent = index(&mut extra, "parent")?;
    Ok(Region {
        mask,
        score,
        label: label.map(str::to_owned),
        level,
        parent,
        extra,
    })
}

/// Whose region it is; 0 if nobody's.
///
/// # Errors
/// Internal, if there is no struct.
///
/// # Safety
/// As for [`take_in`].
#[cfg(feature = "host")]
pub(crate) unsafe fn object(pointer: *const sys::som_region) -> Result<u64> {
    // SAFETY: the caller's promise.
    unsafe { borrow::read(pointer) }.map(|raw| raw.object)
}

/// # Safety
/// As for [`take_in`].
unsafe fn mask(raw: &sys::som_region, bbox: BBox, image: Size) -> Result<Mask> {
    if bbox.is_empty() {
        return Err(Error::internal(format!("its box {bbox} covers no pixel")));
    }
    if !image.bbox().encloses(bbox) {
        return Err(Error::internal(format!(
            "its box {bbox} does not lie in the {image} image"
        )));
    }
    if raw.mask.is_null() {
        return Ok(Mask::rect(image, bbox));
    }
    // SAFETY: the mask has a byte for each pixel of the box, and the box lies in the image, which
    // is in memory itself.
    let pixels = unsafe { slice::from_raw_parts(raw.mask, bbox.area() as usize) };
    let mask = Mask::from_dense(image, bbox, pixels)?;
    if mask.is_empty() {
        return Err(Error::internal(format!(
            "its mask in the box {bbox} has no pixel set"
        )));
    }
    Ok(mask)
}

/// Takes a small whole number out of `extra`.
fn index<T: TryFrom<u64>>(extra: &mut Params, key: &str) -> Result<Option<T>> {
    match extra.remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64().and_then(|number| T::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(Error::internal(format!("{key:?} of its extra is {value}"))),
        },
    }
}

/// A region written as the header wants it; `raw` borrows from the others.
pub(crate) struct Lent<'a> {
    mask: Option<&'a [u8]>,
    label: Option<CString>,
    extra: Option<CString>,
    bbox: BBox,
    score: f32,
}

impl<'a> Lent<'a> {
    /// Writes a region of which `mask` are the pixels of its box; none for all of them.
    ///
    /// # Errors
    /// Internal, if the label contains a NUL.
    pub(crate) fn new(region: &Region, mask: Option<&'a [u8]>) -> Result<Self> {
        Ok(Self {
            mask,
            label: region
                .label
                .as_deref()
                .map(|label| c_text(label, "label"))
                .transpose()?,
            extra: extra(region)?,
            bbox: region.bbox(),
            score: region.score.unwrap_or(-1.0),
        })
    }

    /// The struct, valid as long as `self`.
    pub(crate) fn raw(&self) -> sys::som_region {
        let text = |text: &Option<CString>| text.as_ref().map_or(ptr::null(), |text| text.as_ptr());
        sys::som_region {
            size: size_of::<sys::som_region>(),
            x: self.bbox.x,
            y: self.bbox.y,
            width: self.bbox.width,
            height: self.bbox.height,
            score: self.score,
            reserved: 0,
            mask: self.mask.map_or(ptr::null(), <[u8]>::as_ptr),
            label: text(&self.label),
            extra: text(&self.extra),
            object: 0,
        }
    }
}

/// The extras of a region with its level and parent among them.
fn extra(region: &Region) -> Result<Option<CString>> {
    let own = [
        ("level", region.level.map(u32::from)),
        ("parent", region.parent),
    ];
    let own = own
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?.into())));
    let all: Params = region.extra.clone().into_iter().chain(own).collect();
    if all.is_empty() {
        return Ok(None);
    }
    c_text(&Value::Object(all).to_string(), "extra").map(Some)
}

/// A text as C has it.
///
/// # Errors
/// Internal, if it contains a NUL.
pub(crate) fn c_text(text: &str, what: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::internal(format!("its {what} {text:?} contains a NUL")))
}
