//! An author's [`Segmenter`] as a `som_segmenter`.

use std::{ffi::c_void, ptr};

use som_core::{Call, Error, Result, Segmenter};

use super::{
    call::{Incoming, guard},
    log::{Level, log},
};
use crate::{
    borrow,
    contain::contain,
    sys::{som_call, som_image, som_segmenter, som_status},
};

/// Makes instances of a segmenter.
pub trait Create: Segmenter + Sized + 'static {
    /// A new instance; weights are loaded here. `options` are valid against the schema's
    /// `options`, and defaults are filled in.
    ///
    /// # Errors
    /// Unavailable, if weights or a device are missing; any other kind with a message that names
    /// what to do. The host puts the segmenter's id in front.
    fn create(options: &Call<'_>) -> Result<Self>;
}

/// A segmenter of a plugin: who it is, and the type that does the work.
#[derive(Debug)]
pub struct SegmenterDef {
    /// `[a-z0-9-]+`, unique in the library.
    pub id: &'static str,
    /// Semantic version; most often `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// `{"capabilities": [..], "options": JSON Schema, "params": JSON Schema}`; whatever is left
    /// out is empty.
    pub schema: &'static str,
    /// The type that segments.
    pub segmenter: SegmenterType,
}

/// A type that implements [`Create`], as callbacks.
#[derive(Clone, Copy, Debug)]
pub struct SegmenterType {
    create: unsafe extern "C" fn(*const som_call, *mut *mut c_void) -> som_status,
    segment: unsafe extern "C" fn(*mut c_void, *const som_call, *const som_image) -> som_status,
    destroy: unsafe extern "C" fn(*mut c_void),
}

impl SegmenterType {
    /// The callbacks of `T`.
    pub const fn of<T: Create>() -> Self {
        Self {
            create: create::<T>,
            segment: segment::<T>,
            destroy: destroy::<T>,
        }
    }

    /// The struct of the header, its texts still to be filled in.
    pub(super) const fn raw(self) -> som_segmenter {
        som_segmenter {
            size: size_of::<som_segmenter>(),
            id: ptr::null(),
            version: ptr::null(),
            about: ptr::null(),
            schema: ptr::null(),
            create: Some(self.create),
            segment: Some(self.segment),
            destroy: Some(self.destroy),
        }
    }
}

/// # Safety
/// As `som_segmenter.create` of the header.
unsafe extern "C" fn create<T: Create>(
    options: *const som_call,
    instance: *mut *mut c_void,
) -> som_status {
    let body = |options: &Incoming| {
        if instance.is_null() {
            return Err(Error::internal("the host gives no place for the instance"));
        }
        let made = Box::new(options.with(T::create)?);
        // SAFETY: not null, so the host's place for one pointer.
        unsafe { instance.write(Box::into_raw(made).cast()) };
        Ok(())
    };
    // SAFETY: the host's promise.
    unsafe { guard(options, body) }
}

/// # Safety
/// As `som_segmenter.segment` of the header.
unsafe extern "C" fn segment<T: Create>(
    instance: *mut c_void,
    call: *const som_call,
    image: *const som_image,
) -> som_status {
    let body = |call: &Incoming| {
        // SAFETY: `create` made the instance, and calls on one instance never overlap.
        let segmenter = unsafe { instance.cast::<T>().as_mut() }
            .ok_or_else(|| Error::internal("the host gives no instance"))?;
        // SAFETY: the image lives until this function returns.
        let image = unsafe { borrow::image(image)? };
        let regions = call.with(|call| segmenter.segment(&image, call))?;
        call.emit(&regions)
    };
    // SAFETY: the host's promise.
    unsafe { guard(call, body) }
}

/// # Safety
/// As `som_segmenter.destroy` of the header.
unsafe extern "C" fn destroy<T: Create>(instance: *mut c_void) {
    if instance.is_null() {
        return;
    }
    // SAFETY: `create` made it, and the host destroys an instance once.
    let outcome = contain(|| drop(unsafe { Box::from_raw(instance.cast::<T>()) }));
    if let Err(panic) = outcome {
        log(
            Level::Error,
            &format!("an instance was not destroyed: {}", panic.message),
        );
    }
}
