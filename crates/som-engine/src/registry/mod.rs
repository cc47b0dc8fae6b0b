//! The registry: what there is to segment, to mark and to track with.
//!
//! An embedded, a loaded and a remote segmenter are one thing here: a descriptor and a factory.
//! A remote one is there even while nobody answers at its endpoints. One that is made of two others
//! has a descriptor like they have, and their workers for its own.

mod composed;
mod segmenter;
mod style;
mod tracker;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
    sync::Arc,
};

use som_core::{Descriptor, Error, MarkStyle, Result, SegmenterFactory, TrackerFactory};
use som_plugin::{
    Entry,
    host::{self, Plugin},
};

use self::composed::Table;
pub(crate) use self::composed::Told;
pub use self::{
    segmenter::{KnownSegmenter, SegmenterEntry},
    style::StyleEntry,
    tracker::TrackerEntry,
};
pub use crate::remote::EndpointState;
use crate::{installed, remote::Remote, settings::Settings};

/// Where a segmenter, mark style or tracker comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// Part of this program.
    Embedded,
    /// Loaded from a library.
    Library(PathBuf),
    /// Behind these endpoints.
    Remote(Vec<String>),
    /// Made of a detector and a refiner with these ids.
    Composed(String, String),
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Provenance::Embedded => f.write_str("embedded"),
            Provenance::Library(path) => write!(f, "{}", path.display()),
            Provenance::Remote(endpoints) => f.write_str(&endpoints.join(", ")),
            Provenance::Composed(detect, refine) => write!(f, "made of {detect} and {refine}"),
        }
    }
}

/// All segmenters, mark styles and trackers by id.
#[derive(Default)]
pub struct Registry {
    segmenters: BTreeMap<String, Arc<SegmenterEntry>>,
    styles: BTreeMap<String, StyleEntry>,
    trackers: BTreeMap<String, TrackerEntry>,
    /// Why installed libraries could not be loaded.
    not_loaded: Vec<Error>,
}

impl Registry {
    /// Everything there is: the `embedded` plugins, the libraries that `settings` name or have
    /// scanned, the segmenters that they place elsewhere, and the installed libraries.
    ///
    /// An installed library that cannot be loaded is left out, with a warning.
    ///
    /// # Errors
    /// What adopting or loading a plugin reports; Invalid, if an id is there twice.
    pub fn open(embedded: &[Entry], settings: &Settings) -> Result<Self> {
        let mut registry = Self::open_without_installed(embedded, settings)?;
        if settings.plugins.installed {
            registry.add_installed()?;
        }
        registry.add_composed_segmenters(settings)?;
        for error in &registry.not_loaded {
            tracing::warn!("{error}");
        }
        Ok(registry)
    }

    /// As [`open`](Self::open), for a program that uses nothing but what `settings` name: installed
    /// libraries, some of which take long to load, are left alone where that is there without them.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_for(embedded: &[Entry], settings: &Settings) -> Result<Self> {
        let mut registry = Self::open_without_installed(embedded, settings)?;
        if settings.plugins.installed && !registry.has_all_of(settings) {
            registry.add_installed()?;
        }
        registry.add_composed_segmenters(settings)?;
        Ok(registry)
    }

    fn open_without_installed(embedded: &[Entry], settings: &Settings) -> Result<Self> {
        let mut registry = Self::default();
        for &entry in embedded {
            registry.add_plugin(host::adopt(entry)?, &Provenance::Embedded)?;
        }
        let plugins = &settings.plugins;
        let mut libraries = plugins.libraries.clone();
        for folder in &plugins.folders {
            libraries.extend(host::libraries_in(folder)?);
        }
        // A library of a folder may be named on its own, too.
        let mut loaded = BTreeSet::new();
        for library in libraries {
            if loaded.insert(library.clone()) {
                registry.add_plugin(host::load(&library)?, &Provenance::Library(library))?;
            }
        }
        registry.add_remote_segmenters(settings)?;
        Ok(registry)
    }

    /// True if the segmenters, mark styles and trackers that `settings` name are there.
    fn has_all_of(&self, settings: &Settings) -> bool {
        let named = settings.segmenter.keys().chain([&settings.mark.segmenter]);
        // One that is made of two is not there yet.
        let parts = settings.segmenter.values().flat_map(|table| {
            let parts = ["detect", "refine"].map(|key| table.get(key)?.as_str());
            parts.into_iter().flatten()
        });
        let mut needed = named.map(String::as_str).chain(parts);
        needed.all(|id| self.segmenters.contains_key(id) || Table::is_meant_by(settings, id))
            && settings
                .mark
                .styles
                .iter()
                .chain(settings.style.keys())
                .all(|id| self.styles.contains_key(id))
            && (settings.tracker.keys()).all(|id| self.trackers.contains_key(id))
    }

    /// Adds what the installed libraries bring beyond what is there.
    fn add_installed(&mut self) -> Result<()> {
        for library in installed::libraries() {
            match host::load(&library) {
                Ok(mut plugin) => {
                    let (segmenters, styles) = (&self.segmenters, &self.styles);
                    let trackers = &self.trackers;
                    plugin
                        .segmenters
                        .retain(|segmenter| !segmenters.contains_key(&segmenter.descriptor().id));
                    plugin
                        .mark_styles
                        .retain(|style| !styles.contains_key(&style.descriptor().id));
                    plugin
                        .trackers
                        .retain(|tracker| !trackers.contains_key(&tracker.descriptor().id));
                    self.add_plugin(plugin, &Provenance::Library(library))?;
                }
                Err(error) => self.not_loaded.push(error),
            }
        }
        Ok(())
    }

    /// Adds what a plugin brings.
    ///
    /// # Errors
    /// As [`add_segmenter`](Self::add_segmenter).
    pub fn add_plugin(&mut self, plugin: Plugin, provenance: &Provenance) -> Result<()> {
        for segmenter in plugin.segmenters {
            self.add_segmenter(segmenter, provenance.clone())?;
        }
        for style in plugin.mark_styles {
            self.add_style(style.descriptor().clone(), style, provenance.clone())?;
        }
        for tracker in plugin.trackers {
            self.add_tracker(tracker, provenance.clone())?;
        }
        Ok(())
    }

    /// Adds a segmenter.
    ///
    /// # Errors
    /// Invalid, if there is one with its id already or one of its schemas does not compile.
    pub fn add_segmenter(
        &mut self,
        factory: Arc<dyn SegmenterFactory>,
        provenance: Provenance,
    ) -> Result<()> {
        self.insert(SegmenterEntry::here(factory, provenance)?)
    }

    fn insert(&mut self, entry: SegmenterEntry) -> Result<()> {
        if let Some(other) = self.segmenters.get(entry.id()) {
            let (first, second) = (other.provenance(), entry.provenance());
            return Err(twice("segmenter", entry.id(), first, second));
        }
        self.segmenters.insert(entry.id().to_owned(), entry.into());
        Ok(())
    }

    /// Adds every segmenter whose table in the settings names endpoints. None is spoken to yet.
    ///
    /// # Errors
    /// Invalid, if a table is wrong or there is a segmenter with its id already.
    pub fn add_remote_segmenters(&mut self, settings: &Settings) -> Result<()> {
        for id in settings
            .segmenter
            .keys()
            .filter(|id| Remote::is_meant_by(settings, id))
        {
            self.insert(SegmenterEntry::remote(id, Remote::open(settings, id)?))?;
        }
        Ok(())
    }

    /// Adds every segmenter whose table in the settings says what it is made of. The parts have to be
    /// there, unless they are made of others in turn.
    ///
    /// # Errors
    /// Invalid, if a table is wrong, a segmenter is a part of itself, or there is one with its id
    /// already; NotFound for a part that is not there; Unsupported for parts that do not fit each other.
    pub fn add_composed_segmenters(&mut self, settings: &Settings) -> Result<()> {
        let tables = settings.segmenter.keys();
        for id in tables.filter(|id| Table::is_meant_by(settings, id)) {
            self.compose(id, &[], settings)
                .map_err(|error| error.at(format!("settings: segmenter.{id}")))?;
        }
        Ok(())
    }

    /// Adds one of them, after its parts; it is a part of all that are `around` it.
    fn compose(&mut self, id: &str, around: &[&str], settings: &Settings) -> Result<()> {
        let around = [around, &[id]].concat();
        if around[..around.len() - 1].contains(&id) {
            let chain: Vec<String> = around.iter().map(|id| format!("\"{id}\"")).collect();
            return Err(Error::invalid(format!(
                "{}: a segmenter cannot be a part of itself",
                chain.join(" → ")
            )));
        }
        let known = self.segmenters.get(id);
        if known.is_some_and(|entry| entry.parts().is_some()) {
            return Ok(());
        }
        let table = Table::read(settings, id)?;
        for part in [&table.detect, &table.refine] {
            if Table::is_meant_by(settings, part) {
                self.compose(part, &around, settings)?;
            }
        }
        let part = |key: &str, id: &str| match self.segmenters.get(id) {
            Some(part) => Ok(part.clone()),
            None => Err(self
                .missing("segmenter", id, self.segmenters.keys())
                .at(key)),
        };
        let (detect, refine) = (
            part("detect", &table.detect)?,
            part("refine", &table.refine)?,
        );
        self.insert(SegmenterEntry::composed(id, table, detect, refine)?)
    }

    /// Adds a mark style.
    ///
    /// # Errors
    /// Invalid, if there is one with its id already or its schema does not compile.
    pub fn add_style(
        &mut self,
        descriptor: Descriptor,
        style: Arc<dyn MarkStyle>,
        provenance: Provenance,
    ) -> Result<()> {
        let id = descriptor.id.clone();
        if let Some(other) = self.styles.get(&id) {
            let first = other.provenance();
            return Err(twice("mark style", &id, first, &provenance));
        }
        let entry = StyleEntry::new(descriptor, style, provenance)?;
        self.styles.insert(id, entry);
        Ok(())
    }

    /// Adds a tracker.
    ///
    /// # Errors
    /// As [`add_segmenter`](Self::add_segmenter).
    pub fn add_tracker(
        &mut self,
        factory: Arc<dyn TrackerFactory>,
        provenance: Provenance,
    ) -> Result<()> {
        let id = factory.descriptor().id.clone();
        if let Some(other) = self.trackers.get(&id) {
            return Err(twice("tracker", &id, other.provenance(), &provenance));
        }
        let entry = TrackerEntry::new(factory, provenance)?;
        self.trackers.insert(id, entry);
        Ok(())
    }

    /// The segmenter called `id`.
    ///
    /// # Errors
    /// NotFound, listing those there are; Unavailable, if an installed library could not be loaded,
    /// with the reason.
    pub fn segmenter(&self, id: &str) -> Result<&SegmenterEntry> {
        self.segmenters
            .get(id)
            .map(Arc::as_ref)
            .ok_or_else(|| self.missing("segmenter", id, self.segmenters.keys()))
    }

    /// Ids of the segmenters whose workers do the work of segmenter `id`: its own, or those of what it is
    /// made of.
    ///
    /// # Errors
    /// As [`segmenter`](Self::segmenter).
    pub fn workers<'a>(&'a self, id: &'a str) -> Result<Vec<&'a str>> {
        match self.segmenter(id)?.parts() {
            None => Ok(vec![id]),
            Some([detect, refine]) => {
                let mut workers = self.workers(detect)?;
                workers.extend(self.workers(refine)?);
                Ok(workers)
            }
        }
    }

    /// The mark style called `id`.
    ///
    /// # Errors
    /// As [`segmenter`](Self::segmenter).
    pub fn style(&self, id: &str) -> Result<&StyleEntry> {
        self.styles
            .get(id)
            .ok_or_else(|| self.missing("mark style", id, self.styles.keys()))
    }

    /// The tracker called `id`.
    ///
    /// # Errors
    /// As [`segmenter`](Self::segmenter).
    pub fn tracker(&self, id: &str) -> Result<&TrackerEntry> {
        self.trackers
            .get(id)
            .ok_or_else(|| self.missing("tracker", id, self.trackers.keys()))
    }

    /// All trackers, by id.
    pub fn trackers(&self) -> impl Iterator<Item = &TrackerEntry> {
        self.trackers.values()
    }

    /// All segmenters, by id.
    pub fn segmenters(&self) -> impl Iterator<Item = &SegmenterEntry> {
        self.segmenters.values().map(Arc::as_ref)
    }

    /// All mark styles, by id.
    pub fn styles(&self) -> impl Iterator<Item = &StyleEntry> {
        self.styles.values()
    }

    /// `id` is not there; or perhaps it is in a library that could not be loaded.
    fn missing<'a>(&self, what: &str, id: &str, known: impl Iterator<Item = &'a String>) -> Error {
        let unknown = unknown(what, id, known.map(String::as_str));
        let reasons: Vec<String> = self.not_loaded.iter().map(Error::to_string).collect();
        if reasons.is_empty() {
            return unknown;
        }
        Error::unavailable(format!("{unknown}; {}", reasons.join("; ")))
    }
}

fn twice(what: &str, id: &str, first: &Provenance, second: &Provenance) -> Error {
    Error::invalid(format!(
        "{what} \"{id}\" is there twice: {first} and {second} (remove one from plugins.folders or plugins.libraries)"
    ))
}

/// `id` is none of the `known` ones.
pub fn unknown<'a>(what: &str, id: &str, known: impl Iterator<Item = &'a str>) -> Error {
    let known: Vec<&str> = known.collect();
    Error::not_found(format!(
        "{what} \"{id}\" does not exist (there are: {})",
        known.join(", ")
    ))
}
