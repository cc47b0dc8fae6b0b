//! Taking in what a plugin's entry gives.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use som_core::{Error, Result, SegmenterFactory, TrackerFactory};

use super::{
    log::Host, mark_style::PluginStyle, segmenter::PluginSegmenter, tracker::PluginTracker,
};
use crate::{borrow, contain, entry::Entry, sys::som_plugin};

/// Everything one plugin brings, in its own order.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// Its segmenters.
    pub segmenters: Vec<Arc<PluginSegmenter>>,
    /// Its mark styles.
    pub mark_styles: Vec<Arc<PluginStyle>>,
    /// Its trackers.
    pub trackers: Vec<Arc<PluginTracker>>,
}

/// Takes in an embedded plugin.
///
/// # Errors
/// Unavailable, if the plugin refuses; Internal, if what it gives breaks the rules of
/// `som_plugin.h`, naming what and where.
pub fn adopt(entry: Entry) -> Result<Plugin> {
    adopt_for(Host::embedded(), entry)
}

/// Takes in the plugin behind `entry`, to which som is `host`.
pub(super) fn adopt_for(host: &'static Host, entry: Entry) -> Result<Plugin> {
    // Plugins are entered one at a time.
    static ENTERING: Mutex<()> = Mutex::new(());
    let _entering = ENTERING.lock().unwrap_or_else(PoisonError::into_inner);
    contain::set_up();
    host.listen();
    // SAFETY: an `Entry` keeps the rules of the header, and the host lives as long as the process.
    let plugin = unsafe { entry.function()(host.raw()) };
    let heard = host.heard();
    if plugin.is_null() {
        return Err(Error::unavailable(match heard {
            Some(reason) => format!("the plugin refuses: {reason}"),
            None => "the plugin refuses, without a reason (it should log one first)".to_owned(),
        }));
    }
    // SAFETY: not null, so as the header describes it, and static.
    unsafe { take_in(plugin) }
}

/// # Safety
/// `plugin` leads to a `som_plugin` as the header describes it, valid until the process ends.
unsafe fn take_in(plugin: *const som_plugin) -> Result<Plugin> {
    // SAFETY: the caller's promise, here and for all lists.
    let (segmenters, mark_styles, trackers) = unsafe {
        let plugin = borrow::read(plugin)?;
        (
            borrow::list(plugin.segmenters),
            borrow::list(plugin.mark_styles),
            borrow::list(plugin.trackers),
        )
    };
    let segmenters = segmenters
        .into_iter()
        .enumerate()
        .map(|(index, segmenter)| {
            // SAFETY: part of the plugin.
            unsafe { PluginSegmenter::take_in(index, segmenter) }.map(Arc::new)
        });
    let mark_styles = mark_styles.into_iter().enumerate().map(|(index, style)| {
        // SAFETY: part of the plugin.
        unsafe { PluginStyle::take_in(index, style) }.map(Arc::new)
    });
    let trackers = trackers.into_iter().enumerate().map(|(index, tracker)| {
        // SAFETY: part of the plugin.
        unsafe { PluginTracker::take_in(index, tracker) }.map(Arc::new)
    });
    let plugin = Plugin {
        segmenters: segmenters.collect::<Result<_>>()?,
        mark_styles: mark_styles.collect::<Result<_>>()?,
        trackers: trackers.collect::<Result<_>>()?,
    };
    refuse_twins(
        "segmenter",
        plugin.segmenters.iter().map(|it| &*it.descriptor().id),
    )?;
    refuse_twins(
        "mark style",
        plugin.mark_styles.iter().map(|it| &*it.descriptor().id),
    )?;
    refuse_twins(
        "tracker",
        plugin.trackers.iter().map(|it| &*it.descriptor().id),
    )?;
    Ok(plugin)
}

/// Internal, if an id comes twice.
fn refuse_twins<'a>(what: &str, ids: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(Error::internal(format!("two {what}s have the id {id:?}")));
        }
    }
    Ok(())
}
