//! Telling the host's log something.

use std::{
    ffi::CString,
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};

use crate::{
    borrow,
    sys::{som_host, som_level},
};

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Level {
    /// Something failed.
    Error = 1,
    /// Something is not as it should be, but work goes on.
    Warn = 2,
    /// What an operator wants to know once.
    Info = 3,
    /// What helps to find a mistake.
    Debug = 4,
    /// Every detail.
    Trace = 5,
}

/// The host, from the entry on. Embedded plugins share it with all others of the program.
static HOST: AtomicPtr<som_host> = AtomicPtr::new(ptr::null_mut());

/// Keeps the host for [`log`].
pub(super) fn remember(host: *const som_host) {
    HOST.store(host.cast_mut(), Ordering::Release);
}

/// Hands `message` to the host's log; to nobody before the host has entered the plugin.
///
/// Any thread may call this. The macro [`log!`](crate::log!) formats.
pub fn log(level: Level, message: &str) {
    let host = HOST.load(Ordering::Acquire).cast_const();
    // SAFETY: null, or the host, which lives as long as the process.
    let Ok(raw) = (unsafe { borrow::read(host) }) else {
        return;
    };
    if let Some(log) = raw.log {
        // SAFETY: `log` takes any thread, and the message lives until it returns.
        unsafe { log(host, level as som_level, c_message(message).as_ptr()) };
    }
}

/// A message for people as C has it: a NUL within would cut it short, so it is replaced.
pub(super) fn c_message(message: &str) -> CString {
    CString::new(message.replace('\0', "\u{fffd}")).unwrap_or_default()
}

/// Hands a formatted message to the host's log: `log!(Level::Warn, "no GPU, using {cores} cores")`.
#[macro_export]
macro_rules! log {
    ($level:expr, $($message:tt)+) => {
        $crate::guest::log($level, &::std::format!($($message)+))
    };
}
