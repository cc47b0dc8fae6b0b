//! The author's side: a plugin written in safe Rust.
//!
//! A segmenter is a type that implements `Segmenter` and [`Create`], and a `static`
//! [`SegmenterDef`] that says who it is. A mark style is a type that implements `MarkStyle` and
//! [`Default`], and a `static` [`MarkStyleDef`]. A tracker is a type that implements `Tracker` and
//! [`CreateTracker`], and a `static` [`TrackerDef`]. [`export!`](crate::export!) makes a plugin of
//! them. The [crate page](crate) is a complete one.
//!
//! # What the SDK does for you
//! - **Errors.** Return a [`som_core::Error`]; its kind becomes the status, its message and those
//!   of its causes the reason. The host puts `segmenter "your-id": ` in front.
//! - **Panics.** A panic becomes an error of the kind Internal that names the line; it is not
//!   printed as well, and the host makes a new instance. For a backtrace in the host's debug log,
//!   set `RUST_BACKTRACE=1`. Panics on threads of your own are yours to catch. All this needs
//!   unwinding: a plugin does not compile with `panic = "abort"`.
//! - **Regions** cross the boundary as boxes with a byte a pixel, copied once. A region's
//!   [`level`](som_core::Region::level) and [`parent`](som_core::Region::parent) travel in its
//!   extras under the keys `level` and `parent`, and the host takes them out again: do not use
//!   these keys for anything else. A region without a pixel is an error, and so is a score
//!   outside of [0, 1].
//! - **Cancellation.** [`Call::is_cancelled`](som_core::Call::is_cancelled) may be asked on any
//!   thread. `call.check()?` in every long loop is the whole duty.
//! - **Logging.** [`log!`](crate::log!) hands a message to the host's log. A library has its own
//!   copies of all globals, so `log` and `tracing` reach nobody unless you set them up in it.
//!
//! # Two forms of one crate
//! As an ordinary library, the crate can be *embedded* in a program: its `PLUGIN` goes to
//! `som_plugin::host::adopt`. To be *loaded*, it is built as a dynamic library with the entry
//! symbol, which the feature `export` adds (two embedded plugins must not both define it):
//! `cargo rustc --release --crate-type cdylib --features export`.

mod call;
mod log;
mod mark_style;
mod plugin;
mod segmenter;
mod tracker;

pub use self::{
    log::{Level, log},
    mark_style::{MarkStyleDef, MarkStyleType},
    plugin::Plugin,
    segmenter::{Create, SegmenterDef, SegmenterType},
    tracker::{CreateTracker, TrackerDef, TrackerType},
};

#[cfg(panic = "abort")]
compile_error!(
    "a som plugin must be able to catch panics: remove `panic = \"abort\"` from the Cargo profile"
);
