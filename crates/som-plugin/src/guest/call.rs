//! One call, as an author's code sees it, and the guard around every callback.

use std::ffi::c_char;

use som_core::{Call, Error, ErrorKind, Params, Region, Result, Tracked, with_causes};

use super::log::{Level, c_message, log};
use crate::{
    borrow,
    contain::contain,
    region::Lent,
    status,
    sys::{SOM_INTERNAL, SOM_OK, som_call, som_region, som_status},
};

/// Runs `body`, the author's side of a callback that `call` came with: a failure is reported and
/// becomes a status, and so does a panic.
///
/// # Safety
/// `call` is null or leads to a `som_call` that lives as long as this function runs.
pub(super) unsafe fn guard(
    call: *const som_call,
    body: impl FnOnce(&Incoming) -> Result<()>,
) -> som_status {
    // SAFETY: the caller's promise.
    let raw = match unsafe { borrow::read(call) } {
        Ok(raw) => raw,
        Err(error) => {
            log(Level::Error, &format!("the host is wrong: {error}"));
            return SOM_INTERNAL;
        }
    };
    let result = contain(|| {
        // SAFETY: `params` is a text of the call.
        let params = unsafe { params(raw.params)? };
        body(&Incoming {
            pointer: call,
            raw,
            params,
        })
    });
    let error = match result {
        Ok(Ok(())) => return SOM_OK,
        Ok(Err(error)) => error,
        Err(panic) => {
            if let Some(backtrace) = panic.backtrace {
                log(Level::Debug, &format!("{}\n{backtrace}", panic.message));
            }
            Error::internal(panic.message)
        }
    };
    let status = status::of_kind(error.kind());
    if let Some(fail) = raw.fail {
        let why = c_message(&with_causes(&error));
        // SAFETY: `call` is the host's own, `why` lives until the function returns.
        unsafe { fail(call, status, why.as_ptr()) };
    }
    status
}

/// # Safety
/// `pointer` is null or leads to a NUL-terminated text.
unsafe fn params(pointer: *const c_char) -> Result<Params> {
    // SAFETY: the caller's promise.
    match unsafe { borrow::text(pointer, "params")? } {
        None => Ok(Params::new()),
        Some(json) => serde_json::from_str(json)
            .map_err(|error| Error::internal(format!("the host's params {json:?}: {error}"))),
    }
}

/// A `som_call` for the time of one callback.
pub(super) struct Incoming {
    pointer: *const som_call,
    raw: som_call,
    params: Params,
}

// SAFETY: what other threads get is the `Call` of `with`, which reaches nothing but `params` and
// `cancelled`; any thread may call the latter while the callback runs (rule R3).
unsafe impl Sync for Incoming {}

impl Incoming {
    /// Runs `body` with the call as authors know it.
    pub(super) fn with<R>(&self, body: impl FnOnce(&Call<'_>) -> R) -> R {
        let cancelled = || self.is_cancelled();
        body(&Call::new(&self.params, &cancelled))
    }

    fn is_cancelled(&self) -> bool {
        // SAFETY: the callback that got the call has not returned yet.
        self.raw
            .cancelled
            .is_some_and(|cancelled| unsafe { cancelled(self.pointer) != 0 })
    }

    /// Hands all regions to the host.
    pub(super) fn emit(&self, regions: &[Region]) -> Result<()> {
        self.emit_all(regions.iter().map(|region| (0, region)))
    }

    /// Hands the regions of objects to the host.
    pub(super) fn emit_tracked(&self, tracked: &[Tracked]) -> Result<()> {
        self.emit_all(tracked.iter().map(|it| (it.object, &it.region)))
    }

    fn emit_all<'a>(&self, regions: impl Iterator<Item = (u64, &'a Region)>) -> Result<()> {
        let emit = self
            .raw
            .emit
            .ok_or_else(|| Error::internal("the host takes no regions"))?;
        for (index, (object, region)) in regions.enumerate() {
            let crop = region.mask.crop();
            let lent = Lent::new(region, crop.as_deref())
                .map_err(|error| error.at(format_args!("region {index}")))?;
            let raw = som_region {
                object,
                ..lent.raw()
            };
            // SAFETY: both structs live until `emit` returns.
            let status = unsafe { emit(self.pointer, &raw) };
            match status {
                SOM_OK => {}
                // The host has kept its reason already, and the first one wins.
                status => {
                    return Err(match status::kind_of(status) {
                        ErrorKind::Cancelled => Error::cancelled(),
                        kind => Error::new(kind, format!("the host refused region {index}")),
                    });
                }
            }
        }
        Ok(())
    }
}
