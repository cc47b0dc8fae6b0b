//! A plugin's segmenter, to the rest of som.

use std::{ffi::c_void, ptr};

use som_core::{
    Call, Descriptor, Error, ErrorKind, Image, Region, Result, Segmenter, SegmenterFactory, Size,
};

use super::{
    call::{self, Conduct},
    descriptor::Texts,
};
use crate::{
    borrow,
    sys::{SOM_INTERNAL, SOM_OK, som_call, som_image, som_segmenter, som_status},
};

/// A segmenter that a plugin brought.
#[derive(Debug)]
pub struct PluginSegmenter {
    descriptor: Descriptor,
    create: unsafe extern "C" fn(*const som_call, *mut *mut c_void) -> som_status,
    code: Code,
}

/// What an instance is worked with.
#[derive(Clone, Copy, Debug)]
struct Code {
    segment: unsafe extern "C" fn(*mut c_void, *const som_call, *const som_image) -> som_status,
    destroy: unsafe extern "C" fn(*mut c_void),
}

impl PluginSegmenter {
    /// Checks and copies the segmenter number `index` of a plugin.
    ///
    /// # Errors
    /// Internal, naming what is wrong.
    ///
    /// # Safety
    /// `pointer` is null or leads to a `som_segmenter` as the header describes it, whose functions
    /// stay valid until the process ends.
    pub(super) unsafe fn take_in(index: usize, pointer: *const som_segmenter) -> Result<Self> {
        // SAFETY: the caller's promise.
        let raw = unsafe { borrow::read(pointer) }
            .map_err(|error| error.at(format_args!("segmenter {index}")))?;
        let texts = Texts {
            id: raw.id,
            version: raw.version,
            about: raw.about,
            schema: raw.schema,
        };
        // SAFETY: the caller's promise.
        let descriptor = unsafe { texts.take_in("segmenter", index)? };
        let missing =
            |name| Error::internal(format!("segmenter {:?}: its {name} is NULL", descriptor.id));
        let create = raw.create.ok_or_else(|| missing("create"))?;
        let segment = raw.segment.ok_or_else(|| missing("segment"))?;
        let destroy = raw.destroy.ok_or_else(|| missing("destroy"))?;
        Ok(Self {
            descriptor,
            create,
            code: Code { segment, destroy },
        })
    }

    /// A new instance.
    ///
    /// # Errors
    /// As [`SegmenterFactory::create`].
    pub(super) fn open(&self, options: &Call<'_>) -> Result<Instance> {
        let who = format!("segmenter {:?}", self.descriptor.id);
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
        instance.ok_or_else(|| Error::internal("a segmenter that was created is not there"))
    }
}

impl SegmenterFactory for PluginSegmenter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn create(&self, options: &Call<'_>) -> Result<Box<dyn Segmenter>> {
        Ok(Box::new(self.open(options)?))
    }
}

/// An instance of a plugin's segmenter.
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
    /// As [`Segmenter::segment`], and how the plugin went about it.
    ///
    /// # Errors
    /// Internal or Invalid, if the plugin was not called at all.
    pub(super) fn watch(&mut self, image: &Image<'_>, call: &Call<'_>) -> Result<Conduct> {
        if self.is_broken {
            return Err(
                Error::internal("this instance failed before; make a new one").at(&self.who),
            );
        }
        let size = Size::new(image.width(), image.height());
        if size.pixels() == 0 {
            return Err(Error::invalid(format!("the image is {size} pixels")).at(&self.who));
        }
        let raw = som_image {
            size: size_of::<som_image>(),
            width: size.width,
            height: size.height,
            pixels: image.as_raw().as_ptr(),
        };
        let conduct = call::watch(&self.who, call, Some(size), |call| {
            // SAFETY: `create` gave the instance; call and image live until the function returns.
            unsafe { (self.code.segment)(self.instance, call, &raw) }
        })?;
        let failure = conduct.result.as_ref().err();
        self.is_broken = failure.is_some_and(|error| error.kind() == ErrorKind::Internal);
        Ok(conduct)
    }
}

impl Segmenter for Instance {
    fn segment(&mut self, image: &Image<'_>, call: &Call<'_>) -> Result<Vec<Region>> {
        self.watch(image, call)?.result
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: `create` gave the instance, and this is the last call on it.
        unsafe { (self.code.destroy)(self.instance) };
    }
}
