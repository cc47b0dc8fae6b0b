//! What the host offers to plugins: its log.

use std::{
    ffi::{CStr, CString, c_char},
    path::Path,
    ptr,
    sync::{LazyLock, Mutex, PoisonError},
};

use crate::{
    contain::contain,
    sys::{som_host, som_level},
};

/// som, as one library (or all embedded plugins) sees it.
pub(super) struct Host {
    raw: som_host,
    ear: &'static Ear,
}

// SAFETY: nothing in a host changes but what the mutex of its ear guards.
unsafe impl Send for Host {}
// SAFETY: as above.
unsafe impl Sync for Host {}

/// Where messages arrive: `som_host.data`.
struct Ear {
    /// Who speaks.
    name: String,
    /// Messages since the plugin was entered; `None` once it has been.
    heard: Mutex<Option<Vec<(som_level, String)>>>,
}

impl Host {
    /// The host of embedded plugins.
    pub(super) fn embedded() -> &'static Self {
        static EMBEDDED: LazyLock<&Host> = LazyLock::new(|| Host::new("embedded".to_owned()));
        *EMBEDDED
    }

    /// The host of one library.
    pub(super) fn of_library(path: &Path) -> &'static Self {
        let name = path.file_name().unwrap_or(path.as_os_str());
        Self::new(name.to_string_lossy().into_owned())
    }

    fn new(name: String) -> &'static Self {
        static VERSION: LazyLock<CString> =
            LazyLock::new(|| CString::new(env!("CARGO_PKG_VERSION")).unwrap_or_default());
        let ear: &Ear = Box::leak(Box::new(Ear {
            name,
            heard: Mutex::new(None),
        }));
        let raw = som_host {
            size: size_of::<som_host>(),
            data: ptr::from_ref(ear).cast_mut().cast(),
            version: VERSION.as_ptr(),
            log: Some(log),
        };
        Box::leak(Box::new(Self { raw, ear }))
    }

    pub(super) fn raw(&'static self) -> *const som_host {
        &raw const self.raw
    }

    /// Remembers messages from now on.
    pub(super) fn listen(&self) {
        *self.ear.heard() = Some(Vec::new());
    }

    /// Stops remembering; gives the most severe message, and of several the last.
    pub(super) fn heard(&self) -> Option<String> {
        let messages = self.ear.heard().take().unwrap_or_default();
        messages
            .into_iter()
            .rev()
            .min_by_key(|(level, _)| *level)
            .map(|(_, message)| message)
    }
}

impl Ear {
    fn heard(&self) -> std::sync::MutexGuard<'_, Option<Vec<(som_level, String)>>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// # Safety
/// As `som_host.log` of the header.
unsafe extern "C" fn log(host: *const som_host, level: som_level, message: *const c_char) {
    if host.is_null() || message.is_null() {
        return;
    }
    // SAFETY: the plugin hands back the host it got, whose data is an `Ear`, and a text.
    let (ear, message) = unsafe {
        let data = (&raw const (*host).data).read();
        (data.cast::<Ear>().as_ref(), CStr::from_ptr(message))
    };
    let Some(ear) = ear else { return };
    // A log that panics is no reason to end the process.
    let _ = contain(|| {
        let message = message.to_string_lossy();
        if let Some(heard) = &mut *ear.heard() {
            heard.push((level, message.clone().into_owned()));
        }
        let plugin = &*ear.name;
        match level {
            ..=1 => tracing::error!(target: "plugin", plugin, "{message}"),
            2 => tracing::warn!(target: "plugin", plugin, "{message}"),
            3 => tracing::info!(target: "plugin", plugin, "{message}"),
            4 => tracing::debug!(target: "plugin", plugin, "{message}"),
            5.. => tracing::trace!(target: "plugin", plugin, "{message}"),
        }
    });
}
