//! An author's [`Tracker`] as a `som_tracker`.

use std::{ffi::c_void, ptr};

use som_core::{Call, Error, Frame, Result, Tracker};

use super::{
    call::{Incoming, guard},
    log::{Level, log},
};
use crate::{
    borrow,
    contain::contain,
    sys::{SOM_FRAME_BACKWARD, som_call, som_frame, som_status, som_tracker},
};

/// Makes instances of a tracker.
pub trait CreateTracker: Tracker + Sized + 'static {
    /// A new instance, for one video. Weights are loaded here once and shared by all instances.
    /// `options` are valid against the schema's `options`, and defaults are filled in.
    ///
    /// # Errors
    /// Unavailable, if weights or a device are missing; any other kind with a message that names
    /// what to do. The host puts the tracker's id in front.
    fn create(options: &Call<'_>) -> Result<Self>;
}

/// A tracker of a plugin: who it is, and the type that does the work.
#[derive(Debug)]
pub struct TrackerDef {
    /// `[a-z0-9-]+`, unique in the library.
    pub id: &'static str,
    /// Semantic version; most often `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// `{"capabilities": [..], "options": JSON Schema, "params": JSON Schema}`; whatever is left
    /// out is empty.
    pub schema: &'static str,
    /// The type that tracks.
    pub tracker: TrackerType,
}

/// A type that implements [`CreateTracker`], as callbacks.
#[derive(Clone, Copy, Debug)]
pub struct TrackerType {
    create: unsafe extern "C" fn(*const som_call, *mut *mut c_void) -> som_status,
    frame: unsafe extern "C" fn(*mut c_void, *const som_call, *const som_frame) -> som_status,
    destroy: unsafe extern "C" fn(*mut c_void),
}

impl TrackerType {
    /// The callbacks of `T`.
    pub const fn of<T: CreateTracker>() -> Self {
        Self {
            create: create::<T>,
            frame: frame::<T>,
            destroy: destroy::<T>,
        }
    }

    /// The struct of the header, its texts still to be filled in.
    pub(super) const fn raw(self) -> som_tracker {
        som_tracker {
            size: size_of::<som_tracker>(),
            id: ptr::null(),
            version: ptr::null(),
            about: ptr::null(),
            schema: ptr::null(),
            create: Some(self.create),
            frame: Some(self.frame),
            destroy: Some(self.destroy),
        }
    }
}

/// # Safety
/// As `som_tracker.create` of the header.
unsafe extern "C" fn create<T: CreateTracker>(
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
/// As `som_tracker.frame` of the header.
unsafe extern "C" fn frame<T: CreateTracker>(
    instance: *mut c_void,
    call: *const som_call,
    frame: *const som_frame,
) -> som_status {
    let body = |call: &Incoming| {
        // SAFETY: `create` made the instance, and calls on one instance never overlap.
        let tracker = unsafe { instance.cast::<T>().as_mut() }
            .ok_or_else(|| Error::internal("the host gives no instance"))?;
        // SAFETY: the frame lives until this function returns, and so does its image.
        let frame = unsafe { frame_taken_in(frame)? };
        let tracked = call.with(|call| tracker.frame(&frame, call))?;
        call.emit_tracked(&tracked)
    };
    // SAFETY: the host's promise.
    unsafe { guard(call, body) }
}

/// # Safety
/// `pointer` is null or leads to a `som_frame` that lives for `'a`.
unsafe fn frame_taken_in<'a>(pointer: *const som_frame) -> Result<Frame<'a>> {
    // SAFETY: the caller's promise.
    let raw = unsafe { borrow::read(pointer)? };
    Ok(Frame {
        // SAFETY: the caller's promise.
        image: unsafe { borrow::image(raw.image)? },
        index: raw.index,
        count: (raw.count > 0).then_some(raw.count),
        is_backward: raw.flags & SOM_FRAME_BACKWARD != 0,
    })
}

/// # Safety
/// As `som_tracker.destroy` of the header.
unsafe extern "C" fn destroy<T: CreateTracker>(instance: *mut c_void) {
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
