//! One call, as it goes out to a plugin and its results come back.

use std::{
    ffi::{CStr, CString, c_char},
    mem, ptr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use som_core::{Call, Error, ErrorKind, Region, Result, Size};

use crate::{
    borrow,
    contain::contain,
    region, status,
    sys::{SOM_CANCELLED, SOM_INTERNAL, SOM_OK, som_call, som_region, som_status},
};

/// Calls a plugin: `body` hands the `som_call` to one of its functions and returns the status.
///
/// `who` opens every error: `segmenter "sam"`. Regions are taken in if there is an `image` they
/// can belong to.
///
/// # Errors
/// Cancelled, once the call is; Internal, if the plugin broke a rule, whatever status it returned;
/// else what the plugin reported.
pub(super) fn run(
    who: &str,
    call: &Call<'_>,
    image: Option<Size>,
    body: impl FnOnce(*const som_call) -> som_status,
) -> Result<Vec<Region>> {
    watch(who, call, image, body)?.result
}

/// How a plugin went about a call.
pub(super) struct Conduct {
    /// As that of [`run`].
    pub(super) result: Result<Vec<Region>>,
    /// Whose each of its regions is; 0 is nobody's.
    pub(super) objects: Vec<u64>,
    /// What its function returned.
    pub(super) status: som_status,
    /// It emitted a region although it had been told that the call was cancelled.
    pub(super) emitted_late: bool,
}

/// As [`run`], for those who look closer.
///
/// # Errors
/// Internal, if the plugin could not be called.
pub(super) fn watch(
    who: &str,
    call: &Call<'_>,
    image: Option<Size>,
    body: impl FnOnce(*const som_call) -> som_status,
) -> Result<Conduct> {
    let data = Outgoing {
        call: *call,
        image,
        state: Mutex::default(),
    };
    // In a JSON text, NUL is written as an escape.
    let params = CString::new(serde_json::Value::from(call.params().clone()).to_string())
        .map_err(|error| Error::internal("the parameters contain a NUL").caused_by(error))?;
    let raw = som_call {
        size: size_of::<som_call>(),
        data: ptr::from_ref(&data).cast_mut().cast(),
        params: params.as_ptr(),
        cancelled: Some(cancelled),
        number: Some(number),
        text: Some(text),
        emit: Some(emit),
        fail: Some(fail),
    };
    let status = body(&raw);
    let (emitted_late, objects) = {
        let mut state = data.state();
        (state.emitted_late, mem::take(&mut state.objects))
    };
    Ok(Conduct {
        status,
        emitted_late,
        objects,
        result: data.outcome(status).map_err(|error| error.at(who)),
    })
}

/// The host's side of a `som_call`: its `data`.
struct Outgoing<'a> {
    call: Call<'a>,
    image: Option<Size>,
    // Only `cancelled` may come from any thread, but a plugin that errs there harms nobody.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    regions: Vec<Region>,
    objects: Vec<u64>,
    /// Texts the plugin has asked for; it may look at them until its function returns.
    texts: Vec<CString>,
    /// The first reason the plugin gave.
    reason: Option<String>,
    /// The first rule the plugin broke.
    fault: Option<Error>,
    /// The plugin has been told that the call is cancelled.
    knows: bool,
    /// It emitted a region all the same.
    emitted_late: bool,
}

impl Outgoing<'_> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the plugin's function came to.
    fn outcome(self, status: som_status) -> Result<Vec<Region>> {
        let state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(fault) = state.fault {
            return Err(fault);
        }
        let kind = status::kind_of(status);
        if kind != ErrorKind::Internal || status == SOM_OK {
            self.call.check()?;
        }
        match status {
            SOM_OK => check_parents(&state.regions).map(|()| state.regions),
            SOM_CANCELLED => Err(Error::internal(
                "it returned SOM_CANCELLED, but nobody cancelled the call",
            )),
            _ => Err(Error::new(
                kind,
                state.reason.unwrap_or_else(|| {
                    let name = status::name(status);
                    format!("it failed with {name}, without a reason (call->fail gives one)")
                }),
            )),
        }
    }

    /// The plugin's question whether the call is cancelled.
    fn tell_cancelled(&self) -> bool {
        let is_cancelled = self.call.is_cancelled();
        if is_cancelled {
            self.state().knows = true;
        }
        is_cancelled
    }

    /// Takes in the next region.
    fn take_in(&self, region: *const som_region) -> som_status {
        if self.call.is_cancelled() {
            let mut state = self.state();
            state.emitted_late |= state.knows;
            state.knows = true;
            return SOM_CANCELLED;
        }
        let taken = match self.image {
            // SAFETY: the plugin's promise.
            Some(image) => unsafe {
                region::take_in(region, image)
                    .and_then(|taken| Ok((taken, region::object(region)?)))
            },
            None => Err(Error::internal("only `segment` and `frame` emit regions")),
        };
        let mut state = self.state();
        let index = state.regions.len();
        match taken {
            Ok((region, object)) => {
                state.regions.push(region);
                state.objects.push(object);
                SOM_OK
            }
            Err(error) => {
                let fault = error.at(format_args!("region {index}"));
                state.fault.get_or_insert(fault);
                SOM_INTERNAL
            }
        }
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.call.params().get(key)
    }
}

/// A parent is another region of the list, and nobody is his own ancestor.
fn check_parents(regions: &[Region]) -> Result<()> {
    // The walk from a region upwards; a region that an earlier walk has passed leads to an end.
    let mut walk = vec![None; regions.len()];
    for (start, region) in regions.iter().enumerate() {
        let mut child = start;
        let mut next = region.parent;
        walk[start].get_or_insert(start);
        while let Some(parent) = next {
            let parent = parent as usize;
            let Some(region) = regions.get(parent) else {
                let count = regions.len();
                return Err(Error::internal(format!(
                    "region {child}: its parent is {parent}, but there are {count} regions"
                )));
            };
            match walk[parent] {
                Some(other) if other == start => {
                    return Err(Error::internal(format!(
                        "region {parent}: it is among its own parents"
                    )));
                }
                Some(_) => break,
                None => walk[parent] = Some(start),
            }
            child = parent;
            next = region.parent;
        }
    }
    Ok(())
}

/// The host's side of `call`.
///
/// # Safety
/// `call` is null or leads to the `som_call` that the plugin got, which is not over yet.
unsafe fn outgoing<'a>(call: *const som_call) -> Option<&'a Outgoing<'a>> {
    if call.is_null() {
        return None;
    }
    // SAFETY: the caller's promise; `data` is what `run` put there.
    unsafe {
        (&raw const (*call).data)
            .read()
            .cast::<Outgoing<'_>>()
            .as_ref()
    }
}

/// # Safety
/// As `som_call.cancelled` of the header.
unsafe extern "C" fn cancelled(call: *const som_call) -> i32 {
    // SAFETY: the plugin's promise.
    let is_cancelled =
        unsafe { outgoing(call) }.and_then(|outgoing| contain(|| outgoing.tell_cancelled()).ok());
    i32::from(is_cancelled.unwrap_or(true))
}

/// # Safety
/// As `som_call.number` of the header.
unsafe extern "C" fn number(call: *const som_call, key: *const c_char, fallback: f64) -> f64 {
    // SAFETY: the plugin's promise.
    let value = unsafe { outgoing(call).zip(borrow::text(key, "key").ok().flatten()) }
        .and_then(|(outgoing, key)| outgoing.value(key));
    match value {
        Some(Value::Bool(value)) => f64::from(u8::from(*value)),
        Some(value) => value.as_f64().unwrap_or(fallback),
        None => fallback,
    }
}

/// # Safety
/// As `som_call.text` of the header.
unsafe extern "C" fn text(
    call: *const som_call,
    key: *const c_char,
    fallback: *const c_char,
) -> *const c_char {
    // SAFETY: the plugin's promise.
    let asked = unsafe { outgoing(call).zip(borrow::text(key, "key").ok().flatten()) };
    let Some((outgoing, value)) =
        asked.and_then(|(outgoing, key)| Some((outgoing, outgoing.value(key)?.as_str()?)))
    else {
        return fallback;
    };
    let texts = &mut outgoing.state().texts;
    if let Some(text) = texts
        .iter()
        .find(|text| text.as_bytes() == value.as_bytes())
    {
        return text.as_ptr();
    }
    // C has no text with a NUL in it.
    let Ok(text) = CString::new(value) else {
        return fallback;
    };
    texts.push(text);
    texts.last().map_or(fallback, |text| text.as_ptr())
}

/// # Safety
/// As `som_call.emit` of the header.
unsafe extern "C" fn emit(call: *const som_call, region: *const som_region) -> som_status {
    // SAFETY: the plugin's promise.
    let Some(outgoing) = (unsafe { outgoing(call) }) else {
        return SOM_INTERNAL;
    };
    contain(|| outgoing.take_in(region)).unwrap_or_else(|panic| {
        let fault = Error::internal(format!("the host: {}", panic.message));
        outgoing.state().fault.get_or_insert(fault);
        SOM_INTERNAL
    })
}

/// # Safety
/// As `som_call.fail` of the header.
unsafe extern "C" fn fail(
    call: *const som_call,
    status: som_status,
    why: *const c_char,
) -> som_status {
    // SAFETY: the plugin's promise.
    if let Some(outgoing) = unsafe { outgoing(call) }
        && !why.is_null()
    {
        // SAFETY: the plugin's promise.
        let why = unsafe { CStr::from_ptr(why) }.to_string_lossy();
        if !why.is_empty() {
            outgoing
                .state()
                .reason
                .get_or_insert_with(|| why.into_owned());
        }
    }
    status
}
