//! What a plugin says about one of its segmenters or mark styles.

use std::ffi::c_char;

use som_core::{Descriptor, Error, Result};

use crate::borrow;

/// The texts with which the structs of segmenters and mark styles begin.
pub(super) struct Texts {
    pub(super) id: *const c_char,
    pub(super) version: *const c_char,
    pub(super) about: *const c_char,
    pub(super) schema: *const c_char,
}

/// Id, version, line for people and schema → descriptor.
type Describe = fn(&str, &str, &str, &str) -> Result<Descriptor>;

impl Texts {
    /// Copies and checks the texts of what is the `what` number `index` of its plugin.
    ///
    /// # Errors
    /// Internal, naming the text that is wrong.
    ///
    /// # Safety
    /// Every text is null or NUL-terminated.
    pub(super) unsafe fn take_in(&self, what: &str, index: usize) -> Result<Descriptor> {
        // SAFETY: the caller's promise.
        unsafe { self.read(what, index, Descriptor::from_schema_json) }
    }

    /// As [`take_in`](Self::take_in), of a tracker.
    ///
    /// # Errors
    /// As [`take_in`](Self::take_in).
    ///
    /// # Safety
    /// As for [`take_in`](Self::take_in).
    pub(super) unsafe fn of_tracker(&self, index: usize) -> Result<Descriptor> {
        // SAFETY: the caller's promise.
        unsafe { self.read("tracker", index, Descriptor::of_tracker) }
    }

    /// # Safety
    /// As for [`take_in`](Self::take_in).
    unsafe fn read(&self, what: &str, index: usize, describe: Describe) -> Result<Descriptor> {
        // SAFETY: the caller's promise.
        let id = unsafe { required(self.id, "id") }
            .map_err(|error| error.at(format_args!("{what} {index}")))?;
        // SAFETY: the caller's promise.
        let descriptor = unsafe { self.described(id, describe) };
        // Whatever is wrong here, the plugin is to blame.
        descriptor
            .map_err(|error| Error::internal(error.message()).at(format_args!("{what} {id:?}")))
    }

    /// # Safety
    /// As for [`take_in`](Self::take_in).
    unsafe fn described(&self, id: &str, describe: Describe) -> Result<Descriptor> {
        // SAFETY: the caller's promise.
        let (version, about, schema) = unsafe {
            (
                required(self.version, "version")?,
                required(self.about, "about")?,
                required(self.schema, "schema")?,
            )
        };
        describe(id, version, about, schema)
    }
}

/// # Safety
/// `pointer` is null or leads to a NUL-terminated text that lives for `'a`.
unsafe fn required<'a>(pointer: *const c_char, what: &str) -> Result<&'a str> {
    // SAFETY: the caller's promise.
    unsafe { borrow::text(pointer, what)? }
        .ok_or_else(|| Error::internal(format!("its {what} is NULL")))
}
