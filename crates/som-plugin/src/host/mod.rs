//! The host's side: plugins as the rest of som knows them.
//!
//! [`adopt`] takes in what an entry gives, whether the plugin is embedded or was loaded from a
//! library by [`load`]; both go the same way through the same C structs. Everything that comes
//! over the boundary is checked: a plugin that breaks the rules gets an error that names it. Authors
//! learn of it beforehand: [`check`] is the conformance suite.
//!
//! Loading a library executes its code. Load what an operator configured, nothing else; a library
//! is loaded once and never unloaded.

pub mod check;

mod adopt;
mod call;
mod descriptor;
mod library;
mod log;
mod mark_style;
mod object;
mod segmenter;
mod tracker;

pub use self::{
    adopt::{Plugin, adopt},
    library::{libraries_in, load},
    mark_style::PluginStyle,
    segmenter::PluginSegmenter,
    tracker::PluginTracker,
};
