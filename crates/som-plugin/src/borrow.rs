//! Reading what the other side lent: structs of any version, texts and lists.

#[cfg(feature = "guest")]
use std::slice;
use std::{
    ffi::{CStr, c_char},
    mem::{MaybeUninit, offset_of},
    ptr,
};

#[cfg(feature = "guest")]
use som_core::{Canvas, Image};
use som_core::{Error, Result};

use crate::sys;

/// A struct of the header.
///
/// # Safety
/// The struct starts with `size: usize`, is `repr(C)`, and all zeros is a value of it.
pub(crate) unsafe trait Versioned: Copy {
    /// Its name in the header.
    const NAME: &'static str;
    /// Its size in version 1.0 of the header.
    const SIZE_1_0: usize;
}

/// Names of structs, and in brackets the first field of those that have grown since 1.0.
macro_rules! versioned {
    ($($name:ident $([$added:ident])?)*) => { $(
        // SAFETY: mirrors of the header; integers, pointers and optional functions may be zero.
        unsafe impl Versioned for sys::$name {
            const NAME: &'static str = stringify!($name);
            const SIZE_1_0: usize = versioned!(@size $($added)?);
        }
    )* };
    (@size) => { size_of::<Self>() };
    (@size $added:ident) => { offset_of!(Self, $added) };
}

versioned! {
    som_host som_image som_canvas som_region[object] som_call som_segmenter som_mark
    som_mark_style[flags] som_frame som_tracker som_plugin[trackers]
}

/// Copies a struct as far as the other side's version of it goes. Fields that the other side does
/// not know yet are zero or null: this is `SOM_HAS` for every field at once.
///
/// # Errors
/// Internal, if the pointer is null or not aligned, or the struct is smaller than in the version that brought it.
///
/// # Safety
/// A pointer that is not null leads to a struct of as many bytes as its `size` says.
pub(crate) unsafe fn read<T: Versioned>(pointer: *const T) -> Result<T> {
    let name = T::NAME;
    if pointer.is_null() {
        return Err(Error::internal(format!("its {name} is NULL")));
    }
    if !pointer.is_aligned() {
        return Err(Error::internal(format!("its {name} is not aligned")));
    }
    // SAFETY: every struct starts with its size.
    let size = unsafe { pointer.cast::<usize>().read() };
    if size < T::SIZE_1_0 {
        let needed = T::SIZE_1_0;
        return Err(Error::internal(format!(
            "its {name} has the size {size}, but version 1.0 has {needed} (set `size` to sizeof({name}))"
        )));
    }
    let mut copy = MaybeUninit::<T>::zeroed();
    // SAFETY: the source holds `size` bytes, the target `size_of::<T>()`; zeros fill the rest,
    // which `Versioned` allows.
    unsafe {
        let known = size.min(size_of::<T>());
        ptr::copy_nonoverlapping(pointer.cast::<u8>(), copy.as_mut_ptr().cast(), known);
        Ok(copy.assume_init())
    }
}

/// The text at `pointer`; `None` if it is null.
///
/// # Errors
/// Internal, if it is not UTF-8; `what` says which text it is.
///
/// # Safety
/// A pointer that is not null leads to a NUL-terminated text that lives for `'a`.
pub(crate) unsafe fn text<'a>(pointer: *const c_char, what: &str) -> Result<Option<&'a str>> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(pointer) };
    match text.to_str() {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(Error::internal(format!("its {what} is not UTF-8"))),
    }
}

/// The image at `pointer`.
///
/// # Errors
/// Internal, if the struct or its pixels are missing.
///
/// # Safety
/// `pointer` is null or leads to a `som_image` that lives for `'a`.
#[cfg(feature = "guest")]
pub(crate) unsafe fn image<'a>(pointer: *const sys::som_image) -> Result<Image<'a>> {
    // SAFETY: the caller's promise.
    let raw = unsafe { read(pointer)? };
    let bytes = rgb_bytes(raw.width, raw.height);
    if raw.pixels.is_null() {
        return Err(Error::internal("its som_image has no pixels"));
    }
    // SAFETY: the header promises that many bytes.
    let pixels = unsafe { slice::from_raw_parts(raw.pixels, bytes) };
    Image::from_raw(raw.width, raw.height, pixels)
        .ok_or_else(|| Error::internal("its som_image is too large"))
}

/// The canvas at `pointer`.
///
/// # Errors
/// As for [`image`].
///
/// # Safety
/// `pointer` is null or leads to a `som_canvas` that lives for `'a` and that nobody else uses.
#[cfg(feature = "guest")]
pub(crate) unsafe fn canvas<'a>(pointer: *const sys::som_canvas) -> Result<Canvas<'a>> {
    // SAFETY: the caller's promise.
    let raw = unsafe { read(pointer)? };
    let bytes = rgb_bytes(raw.width, raw.height);
    if raw.pixels.is_null() {
        return Err(Error::internal("its som_canvas has no pixels"));
    }
    // SAFETY: the header promises that many bytes.
    let pixels = unsafe { slice::from_raw_parts_mut(raw.pixels, bytes) };
    Canvas::from_raw(raw.width, raw.height, pixels)
        .ok_or_else(|| Error::internal("its som_canvas is too large"))
}

/// Bytes of an image; none of an image that no memory could hold.
#[cfg(feature = "guest")]
fn rgb_bytes(width: u32, height: u32) -> usize {
    let bytes = (width as usize)
        .checked_mul(height as usize)
        .and_then(|area| area.checked_mul(3));
    bytes
        .filter(|&bytes| isize::try_from(bytes).is_ok())
        .unwrap_or(0)
}

/// The pointers of a list that ends with null; none if the list itself is null.
///
/// # Safety
/// A pointer that is not null leads to pointers of which the last is null.
#[cfg(feature = "host")]
pub(crate) unsafe fn list<T>(mut pointer: *const *const T) -> Vec<*const T> {
    let mut items = Vec::new();
    while !pointer.is_null() {
        // SAFETY: before the terminating null, so within the list.
        let item = unsafe { pointer.read() };
        if item.is_null() {
            break;
        }
        items.push(item);
        // SAFETY: the terminating null comes at the latest now.
        pointer = unsafe { pointer.add(1) };
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `som_image` as a later version of the header may have it.
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Newer {
        image: sys::som_image,
        added: *const u8,
    }

    // SAFETY: as the structs of the header.
    unsafe impl Versioned for Newer {
        const NAME: &'static str = "som_image";
        const SIZE_1_0: usize = size_of::<sys::som_image>();
    }

    fn image(size: usize) -> sys::som_image {
        sys::som_image {
            size,
            width: 3,
            height: 2,
            pixels: ptr::null(),
        }
    }

    #[test]
    fn what_an_older_side_does_not_know_is_null() {
        let older = image(size_of::<sys::som_image>());
        // SAFETY: no more is read than `size` says.
        let seen = unsafe { read((&raw const older).cast::<Newer>()) }.unwrap();
        assert_eq!((seen.image.width, seen.added), (3, ptr::null()));

        let newer = Newer {
            image: image(size_of::<Newer>()),
            added: &7,
        };
        // SAFETY: as above.
        let seen = unsafe { read(&raw const newer) }.unwrap();
        assert_eq!(seen.added, newer.added);
    }

    #[test]
    fn what_a_newer_side_added_is_left_alone() {
        let newer = Newer {
            image: image(size_of::<Newer>()),
            added: &7,
        };
        // SAFETY: as above.
        let seen = unsafe { read((&raw const newer).cast::<sys::som_image>()) }.unwrap();
        assert_eq!((seen.width, seen.height), (3, 2));
    }

    #[test]
    fn nonsense_is_refused() {
        let refusal = |pointer: *const sys::som_image| {
            // SAFETY: null, misaligned, or a struct of its size.
            unsafe { read(pointer) }
                .map(|_| ())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(refusal(ptr::null()), "its som_image is NULL");
        let short = image(8);
        let text = "its som_image has the size 8, but version 1.0 has 24 \
                    (set `size` to sizeof(som_image))";
        assert_eq!(refusal(&short), text);
        let misaligned = (&raw const short).cast::<u8>().wrapping_add(1).cast();
        assert_eq!(refusal(misaligned), "its som_image is not aligned");
    }
}
