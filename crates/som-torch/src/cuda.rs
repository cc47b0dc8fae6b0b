//! The one place that opens libtorch's CUDA library.
//!
//! A plugin is linked to libtorch's CPU side only, so that it loads on any machine. The CUDA side
//! registers itself with libtorch when its library is opened, which has to happen before libtorch
//! is first asked for a CUDA device: it remembers the answer.
#![allow(unsafe_code)]

use std::sync::OnceLock;

/// Opens libtorch's CUDA library, once a process.
///
/// # Errors
/// Why it could not be opened; on a CPU-only libtorch there is none.
pub(crate) fn open() -> Result<(), &'static str> {
    static OPENED: OnceLock<Result<(), String>> = OnceLock::new();
    OPENED
        .get_or_init(load)
        .as_ref()
        .map_err(String::as_str)
        .copied()
}

#[cfg(unix)]
fn load() -> Result<(), String> {
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
    // SAFETY: the library is libtorch's own, from the folder that the already loaded
    // libtorch_cpu came from (our run path); its initialisers do nothing but register kernels.
    let library = unsafe { Library::open(Some("libtorch_cuda.so"), RTLD_NOW | RTLD_LOCAL) };
    // Registered kernels are called until the process ends: never unload.
    library
        .map(std::mem::forget)
        .map_err(|error| error.to_string())
}

#[cfg(not(unix))]
fn load() -> Result<(), String> {
    Err("CUDA is supported on Linux only".to_owned())
}
