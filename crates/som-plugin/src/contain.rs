//! Panics stop here: no unwinding leaves a function of the ABI.
//!
//! A contained panic becomes an error that says what happened and where. It is not printed as
//! well: a hook keeps its message for the error. Panics elsewhere, such as on threads of a
//! plugin's own, go to the hook that was there before. (A library has its own hook; embedded
//! plugins share the program's, which is why the earlier one is kept and called.)

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    cell::{Cell, RefCell},
    mem,
    panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook},
    sync::Once,
    thread,
};

/// What a contained panic left behind.
#[derive(Debug, Default)]
pub(crate) struct Panic {
    /// `panicked at src/lib.rs:7:5: index out of bounds`.
    pub(crate) message: String,
    /// If `RUST_BACKTRACE` asks for one.
    #[cfg_attr(
        not(feature = "guest"),
        expect(dead_code, reason = "for the author's log")
    )]
    pub(crate) backtrace: Option<String>,
}

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static LAST: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

/// Runs `body`; a panic in it ends here.
///
/// # Errors
/// The panic.
pub(crate) fn contain<R>(body: impl FnOnce() -> R) -> Result<R, Panic> {
    DEPTH.set(DEPTH.get() + 1);
    // What the body may have left half-done is its owner's, who learns of the panic.
    let result = catch_unwind(AssertUnwindSafe(body));
    DEPTH.set(DEPTH.get() - 1);
    result.map_err(|payload| {
        let panic = LAST.take().unwrap_or_else(|| Panic {
            message: match payload.downcast_ref::<&str>() {
                Some(message) => format!("panicked: {message}"),
                None => "panicked".to_owned(),
            },
            backtrace: None,
        });
        // Even the payload may panic when it is dropped; what that leaves is not dropped at all.
        if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            mem::forget(second);
        }
        panic
    })
}

/// Sets the hook that keeps the message of contained panics, once for each copy of this crate.
pub(crate) fn set_up() {
    static ONCE: Once = Once::new();
    if thread::panicking() {
        return; // The hook cannot be changed now.
    }
    ONCE.call_once(|| {
        let earlier = take_hook();
        set_hook(Box::new(move |info| {
            if DEPTH.try_with(Cell::get).unwrap_or(0) == 0 {
                earlier(info);
            } else {
                // On a thread that ends there is nobody to tell.
                let _ = LAST.try_with(|last| last.replace(Some(note(info))));
            }
        }));
    });
}

fn note(info: &PanicHookInfo<'_>) -> Panic {
    let what = info.payload_as_str().unwrap_or("(no message)");
    let message = match info.location() {
        Some(place) => format!("panicked at {place}: {what}"),
        None => format!("panicked: {what}"),
    };
    let backtrace = Backtrace::capture();
    let captured = backtrace.status() == BacktraceStatus::Captured;
    Panic {
        message,
        backtrace: captured.then(|| backtrace.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_tells_what_and_where() {
        set_up();
        let panic = contain(|| panic!("no {}", "luck")).unwrap_err();
        let (place, what) = panic.message.rsplit_once(": ").unwrap();
        assert!(
            place.starts_with("panicked at ") && place.contains("contain.rs:"),
            "{place}"
        );
        assert_eq!(what, "no luck");
    }

    #[test]
    fn a_payload_may_panic_too() {
        struct Grenade;
        impl Drop for Grenade {
            fn drop(&mut self) {
                panic!("again");
            }
        }
        set_up();
        assert!(contain(|| std::panic::panic_any(Grenade)).is_err());
        assert_eq!(contain(|| 7).unwrap(), 7);
    }

    #[test]
    fn only_contained_panics_are_silent() {
        set_up();
        contain(|| ()).unwrap();
        assert_eq!(DEPTH.get(), 0);
        let caught = catch_unwind(|| panic!("seen by the earlier hook"));
        assert!(caught.is_err());
        assert!(LAST.take().is_none());
    }
}
