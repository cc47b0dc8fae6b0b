//! Everything one crate brings, as a `som_plugin`.

use std::{ffi::c_char, ptr, sync::OnceLock};

use som_core::Result;

use super::{
    log::{Level, log, remember},
    mark_style::MarkStyleDef,
    segmenter::SegmenterDef,
    tracker::TrackerDef,
};
use crate::{
    borrow,
    contain::{self, contain},
    region::c_text,
    sys,
};

/// The segmenters, mark styles and trackers of one crate. [`export!`](crate::export!) makes one.
#[derive(Debug)]
pub struct Plugin {
    segmenters: &'static [&'static SegmenterDef],
    mark_styles: &'static [&'static MarkStyleDef],
    trackers: &'static [&'static TrackerDef],
    table: OnceLock<Result<Table, String>>,
}

impl Plugin {
    /// A plugin that brings these.
    pub const fn new(
        segmenters: &'static [&'static SegmenterDef],
        mark_styles: &'static [&'static MarkStyleDef],
        trackers: &'static [&'static TrackerDef],
    ) -> Self {
        Self {
            segmenters,
            mark_styles,
            trackers,
            table: OnceLock::new(),
        }
    }

    /// What `som_plugin_entry_v1` does. Null if the host or a definition is wrong, which is
    /// logged.
    ///
    /// # Safety
    /// `host` is null or leads to a `som_host` that lives as long as the process.
    pub unsafe fn enter(&self, host: *const sys::som_host) -> *const sys::som_plugin {
        // SAFETY: the caller's promise.
        if unsafe { borrow::read(host) }.is_err() {
            return ptr::null(); // There is no log to say why.
        }
        remember(host);
        contain::set_up();
        let table = || match contain(|| Table::new(self)) {
            Ok(table) => table.map_err(|error| error.to_string()),
            Err(panic) => Err(panic.message),
        };
        match self.table.get_or_init(table) {
            Ok(table) => table.0,
            Err(why) => {
                log(Level::Error, why);
                ptr::null()
            }
        }
    }
}

/// A `som_plugin` and all it points to; it lives as long as the process.
#[derive(Debug)]
struct Table(&'static sys::som_plugin);

// SAFETY: nothing in a table changes once it is made, and nothing in it is bound to a thread.
unsafe impl Send for Table {}
// SAFETY: as above.
unsafe impl Sync for Table {}

impl Table {
    fn new(plugin: &Plugin) -> Result<Self> {
        let segmenters = plugin.segmenters.iter().map(|definition| {
            Ok(sys::som_segmenter {
                id: text(definition.id, "id")?,
                version: text(definition.version, "version")?,
                about: text(definition.about, "about")?,
                schema: text(definition.schema, "schema")?,
                ..definition.segmenter.raw()
            })
        });
        let mark_styles = plugin.mark_styles.iter().map(|definition| {
            Ok(sys::som_mark_style {
                id: text(definition.id, "id")?,
                version: text(definition.version, "version")?,
                about: text(definition.about, "about")?,
                schema: text(definition.schema, "schema")?,
                ..definition.style.raw()
            })
        });
        let trackers = plugin.trackers.iter().map(|definition| {
            Ok(sys::som_tracker {
                id: text(definition.id, "id")?,
                version: text(definition.version, "version")?,
                about: text(definition.about, "about")?,
                schema: text(definition.schema, "schema")?,
                ..definition.tracker.raw()
            })
        });
        Ok(Self(Box::leak(Box::new(sys::som_plugin {
            size: size_of::<sys::som_plugin>(),
            segmenters: list(segmenters)?,
            mark_styles: list(mark_styles)?,
            trackers: list(trackers)?,
        }))))
    }
}

fn text(text: &str, what: &str) -> Result<*const c_char> {
    c_text(text, what).map(|text| text.into_raw().cast_const())
}

/// Pointers to all `items`, and null at the end.
fn list<T>(items: impl Iterator<Item = Result<T>>) -> Result<*const *const T> {
    let pointers = items.map(|item| item.map(|item| Box::into_raw(Box::new(item)).cast_const()));
    let list: Vec<_> = pointers.chain([Ok(ptr::null())]).collect::<Result<_>>()?;
    Ok(list.leak().as_ptr())
}

/// Makes a plugin of the segmenters, mark styles and trackers that are listed, names of `static`
/// `SegmenterDef`s, `MarkStyleDef`s and `TrackerDef`s. Lists that are empty may be left out; those
/// that are there keep this order. Once in a crate, at its top.
///
/// It defines `PLUGIN`, the [`Entry`](crate::Entry) with which a program embeds the crate, and
/// with the crate's own feature `export` the symbol `som_plugin_entry_v1`, by which a host finds
/// it in a dynamic library. As in `som_plugin::export!(segmenters: [GRID], mark_styles: [DOT]);`.
#[macro_export]
macro_rules! export {
    (
        $(segmenters: [$($segmenter:path),* $(,)?] $(,)?)?
        $(mark_styles: [$($style:path),* $(,)?] $(,)?)?
        $(trackers: [$($tracker:path),* $(,)?] $(,)?)?
    ) => {
        /// Everything this crate brings, for a program that embeds it.
        pub static PLUGIN: $crate::Entry = {
            static PLUGIN: $crate::guest::Plugin =
                $crate::guest::Plugin::new(
                    &[$($(&$segmenter),*)?],
                    &[$($(&$style),*)?],
                    &[$($(&$tracker),*)?],
                );

            #[cfg_attr(feature = "export", unsafe(export_name = "som_plugin_entry_v1"))]
            unsafe extern "C" fn entry(
                host: *const $crate::sys::som_host,
            ) -> *const $crate::sys::som_plugin {
                // SAFETY: the host's promise.
                unsafe { PLUGIN.enter(host) }
            }

            // SAFETY: what a `Plugin` gives keeps the rules of the header.
            unsafe { $crate::Entry::new(entry) }
        };
    };
}
