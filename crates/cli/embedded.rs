//! The plugins that are part of this program: the one place that names them.

use som_plugin::Entry;

/// Adopted through the same boundary as a library that is loaded.
pub(crate) const PLUGINS: &[Entry] = &[som_classic::PLUGIN, som_marks::PLUGIN];
