//! The way into a plugin.

use crate::sys;

/// The entry of a plugin: what `export!` gives of an embedded one, and what a library exports as
/// `som_plugin_entry_v1`.
#[derive(Clone, Copy, Debug)]
pub struct Entry(sys::som_plugin_entry);

impl Entry {
    /// Wraps a function that `som_plugin.h` describes.
    ///
    /// # Safety
    /// The function, and everything it gives, keeps the rules of the header.
    pub const unsafe fn new(entry: sys::som_plugin_entry) -> Self {
        Self(entry)
    }

    /// The function.
    pub const fn function(self) -> sys::som_plugin_entry {
        self.0
    }
}
