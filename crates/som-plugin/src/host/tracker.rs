//! A plugin's tracker, to the rest of som.

use std::{collections::HashMap, ffi::c_void, ptr};

use som_core::{
    Call, Descriptor, Error, ErrorKind, Frame, Result, Size, Tracked, Tracker, TrackerFactory,
};

use super::{
    call::{self, Conduct},
    descriptor::Texts,
};
use crate::{
    borrow,
    sys::{
        SOM_FRAME_BACKWARD, SOM_INTERNAL, SOM_OK, som_call, som_frame, som_image, som_status,
        som_tracker,
    },
};

/// A tracker that a plugin brought.
#[derive(Debug)]
pub struct PluginTracker {
    descriptor: Descriptor,
    create: unsafe extern "C" fn(*const som_call, *mut *mut c_void) -> som_status,
    code: Code,
}

/// What an instance is worked with.
#[derive(Clone, Copy, Debug)]
struct Code {
    frame: unsafe extern "C" fn(*mut c_void, *const som_call, *const som_frame) -> som_status,
    destroy: unsafe extern "C" fn(*mut c_void),
}

impl PluginTracker {
    /// Checks and copies the tracker number `index` of a plugin.
    ///
    /// # Errors
    /// Internal, naming what is wrong.
    ///
    /// # Safety
    /// `pointer` is null or leads to a `som_tracker` as the header describes it, whose functions
    /// stay valid until the process ends.
    pub(super) unsafe fn take_in(index: usize, pointer: *const som_tracker) -> Result<Self> {
        // SAFETY: the caller's promise.
        let raw = unsafe { borrow::read(pointer) }
            .map_err(|error| error.at(format_args!("tracker {index}")))?;
        let texts = Texts {
            id: raw.id,
            version: raw.version,
            about: raw.about,
            schema: raw.schema,
        };
        // SAFETY: the caller's promise.
        let descriptor = unsafe { texts.of_tracker(index)? };
        let missing =
            |name| Error::internal(format!("tracker {:?}: its {name} is NULL", descriptor.id));
        let create = raw.create.ok_or_else(|| missing("create"))?;
        let frame = raw.frame.ok_or_else(|| missing("frame"))?;
        let destroy = raw.destroy.ok_or_else(|| missing("destroy"))?;
        Ok(Self {
            descriptor,
            create,
            code: Code { frame, destroy },
        })
    }

    /// A new instance, for one video.
    ///
    /// # Errors
    /// As [`TrackerFactory::create`].
    pub(super) fn open(&self, options: &Call<'_>) -> Result<Instance> {
        let who = format!("tracker {:?}", self.descriptor.id);
        let mut place = ptr::null_mut();
        let mut status = SOM_INTERNAL;
        let result = call::run(&who, options, None, |options| {
            // SAFETY: the options live until the function returns, and so does the place.
            status = unsafe { (self.create)(options, &mut place) };
            status
        });
        // What was made is destroyed even if the call was cancelled meanwhile.
        let instance = (status == SOM_OK).then(|| Instance {
            who,
            instance: place,
            code: self.code,
            is_broken: false,
        });
        result?;
        instance.ok_or_else(|| Error::internal("a tracker that was created is not there"))
    }
}

impl TrackerFactory for PluginTracker {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn create(&self, options: &Call<'_>) -> Result<Box<dyn Tracker>> {
        Ok(Box::new(self.open(options)?))
    }
}

/// An instance of a plugin's tracker: one video.
pub(super) struct Instance {
    who: String,
    /// The plugin's own; null is as good as any other value.
    instance: *mut c_void,
    code: Code,
    is_broken: bool,
}

// SAFETY: calls on one instance may come from different threads, if they do not overlap (R3).
unsafe impl Send for Instance {}

impl Instance {
    /// As [`Tracker::frame`], and how the plugin went about it.
    ///
    /// # Errors
    /// Internal or Invalid, if the plugin was not called at all.
    pub(super) fn watch(&mut self, frame: &Frame<'_>, call: &Call<'_>) -> Result<Conduct> {
        if self.is_broken {
            return Err(
                Error::internal("this instance failed before; make a new one").at(&self.who),
            );
        }
        let size = Size::new(frame.image.width(), frame.image.height());
        if size.pixels() == 0 {
            return Err(Error::invalid(format!("the frame is {size} pixels")).at(&self.who));
        }
        let image = som_image {
            size: size_of::<som_image>(),
            width: size.width,
            height: size.height,
            pixels: frame.image.as_raw().as_ptr(),
        };
        let raw = som_frame {
            size: size_of::<som_frame>(),
            image: &raw const image,
            index: frame.index,
            count: frame.count.unwrap_or(0),
            flags: if frame.is_backward {
                SOM_FRAME_BACKWARD
            } else {
                0
            },
        };
        let mut conduct = call::watch(&self.who, call, Some(size), |call| {
            // SAFETY: `create` gave the instance; call and frame live until the function returns.
            unsafe { (self.code.frame)(self.instance, call, &raw) }
        })?;
        if conduct.result.is_ok()
            && let Err(error) = check_objects(&conduct.objects)
        {
            conduct.result = Err(error.at(&self.who));
        }
        let failure = conduct.result.as_ref().err();
        self.is_broken = failure.is_some_and(|error| error.kind() == ErrorKind::Internal);
        Ok(conduct)
    }
}

impl Tracker for Instance {
    fn frame(&mut self, frame: &Frame<'_>, call: &Call<'_>) -> Result<Vec<Tracked>> {
        let Conduct {
            result, objects, ..
        } = self.watch(frame, call)?;
        let tracked = objects.into_iter().zip(result?);
        let tracked = tracked.map(|(object, region)| Tracked { object, region });
        Ok(tracked.collect())
    }
}

/// Every region has an object, and no object has two.
fn check_objects(objects: &[u64]) -> Result<()> {
    let mut first = HashMap::new();
    for (index, &object) in objects.iter().enumerate() {
        if object == 0 {
            return Err(Error::internal(format!(
                "region {index}: its object is 0 (objects are counted from 1)"
            )));
        }
        if let Some(other) = first.insert(object, index) {
            return Err(Error::internal(format!(
                "regions {other} and {index} are both of object {object}"
            )));
        }
    }
    Ok(())
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: `create` gave the instance, and this is the last call on it.
        unsafe { (self.code.destroy)(self.instance) };
    }
}
