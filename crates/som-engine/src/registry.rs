//! The registry: what there is to segment and to mark with.
//!
//! An embedded, a loaded and a remote segmenter are one thing here: a descriptor and a factory.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use som_core::{
    Descriptor, Error, MarkStyle, Params, Result, schema::Schema, segment::SegmenterFactory,
};
use som_plugin::{
    Entry,
    host::{self, Plugin},
};

use crate::{
    remote::Remote,
    settings::{Settings, WorkerSettings},
    worker::Pool,
};

/// Where a segmenter or mark style comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// Part of this program.
    Embedded,
    /// Loaded from a library.
    Library(PathBuf),
    /// Behind these endpoints.
    Remote(Vec<String>),
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Provenance::Embedded => f.write_str("embedded"),
            Provenance::Library(path) => write!(f, "{}", path.display()),
            Provenance::Remote(endpoints) => f.write_str(&endpoints.join(", ")),
        }
    }
}

/// All segmenters and mark styles by id.
#[derive(Default)]
pub struct Registry {
    segmenters: BTreeMap<String, SegmenterEntry>,
    styles: BTreeMap<String, StyleEntry>,
}

/// A segmenter, and its workers once somebody asked for them.
pub struct SegmenterEntry {
    factory: Arc<dyn SegmenterFactory>,
    provenance: Provenance,
    params: Schema,
    options: Schema,
    pool: Mutex<Option<Arc<Pool>>>,
}

/// A mark style.
pub struct StyleEntry {
    descriptor: Descriptor,
    provenance: Provenance,
    params: Schema,
    style: Arc<dyn MarkStyle>,
}

impl Registry {
    /// Everything there is: the `embedded` plugins, the libraries that `settings` name or have
    /// scanned, and the segmenters that they place elsewhere.
    ///
    /// # Errors
    /// What adopting or loading a plugin reports; Invalid, if an id is there twice.
    pub fn open(embedded: &[Entry], settings: &Settings) -> Result<Self> {
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
        let descriptor = factory.descriptor();
        let id = descriptor.id.clone();
        if let Some(other) = self.segmenters.get(&id) {
            return Err(twice("segmenter", &id, &other.provenance, &provenance));
        }
        let entry = SegmenterEntry {
            params: Schema::compile(&descriptor.params)
                .map_err(|error| error.at(format!("segmenter \"{id}\"")))?,
            options: Schema::compile(&descriptor.options)
                .map_err(|error| error.at(format!("segmenter \"{id}\"")))?,
            factory,
            provenance,
            pool: Mutex::new(None),
        };
        self.segmenters.insert(id, entry);
        Ok(())
    }

    /// Adds every segmenter whose table in the settings names endpoints.
    ///
    /// # Errors
    /// Invalid, if a table is wrong or an endpoint describes no valid segmenter; Unavailable, if
    /// no endpoint of a table answers.
    pub fn add_remote_segmenters(&mut self, settings: &Settings) -> Result<()> {
        for id in settings
            .segmenter
            .keys()
            .filter(|id| Remote::is_meant_by(settings, id))
        {
            let remote = Remote::connect(settings, id)?;
            let provenance = Provenance::Remote(remote.addresses());
            self.add_segmenter(Arc::new(remote), provenance)?;
        }
        Ok(())
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
            return Err(twice("mark style", &id, &other.provenance, &provenance));
        }
        let params = Schema::compile(&descriptor.params)
            .map_err(|error| error.at(format!("mark style \"{id}\"")))?;
        self.styles.insert(
            id,
            StyleEntry {
                descriptor,
                provenance,
                params,
                style,
            },
        );
        Ok(())
    }

    /// The segmenter called `id`.
    ///
    /// # Errors
    /// NotFound, listing those there are.
    pub fn segmenter(&self, id: &str) -> Result<&SegmenterEntry> {
        self.segmenters
            .get(id)
            .ok_or_else(|| unknown("segmenter", id, self.segmenters.keys()))
    }

    /// The mark style called `id`.
    ///
    /// # Errors
    /// NotFound, listing those there are.
    pub fn style(&self, id: &str) -> Result<&StyleEntry> {
        self.styles
            .get(id)
            .ok_or_else(|| unknown("mark style", id, self.styles.keys()))
    }

    /// All segmenters, by id.
    pub fn segmenters(&self) -> impl Iterator<Item = &SegmenterEntry> {
        self.segmenters.values()
    }

    /// All mark styles, by id.
    pub fn styles(&self) -> impl Iterator<Item = &StyleEntry> {
        self.styles.values()
    }
}

impl SegmenterEntry {
    /// Who it is and what it takes.
    pub fn descriptor(&self) -> &Descriptor {
        self.factory.descriptor()
    }

    /// Where it comes from.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// What its calls take.
    pub fn params(&self) -> &Schema {
        &self.params
    }

    /// What its instances take.
    pub fn options(&self) -> &Schema {
        &self.options
    }

    /// `params` with defaults filled in.
    ///
    /// # Errors
    /// Invalid, naming the first parameter that does not fit.
    pub fn resolve(&self, params: &Params) -> Result<Params> {
        self.params.resolve(&self.who(), params)
    }

    /// How errors name it.
    pub fn who(&self) -> String {
        format!("segmenter \"{}\"", self.descriptor().id)
    }

    /// Its workers, started by the first call.
    pub(crate) fn pool(&self, settings: &Settings) -> Result<Arc<Pool>> {
        let mut slot = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = &*slot {
            return Ok(pool.clone());
        }
        let (worker, options) = self.configured(settings)?;
        let pool = Arc::new(Pool::start(self.factory.clone(), options, worker)?);
        Ok(slot.insert(pool).clone())
    }

    /// Requests that wait for one of its workers.
    pub fn queued(&self) -> usize {
        let slot = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        slot.as_ref().map_or(0, |pool| pool.queued())
    }

    /// Its table in the settings, checked against its schema.
    ///
    /// # Errors
    /// Invalid, naming the first option that does not fit.
    pub fn configured(&self, settings: &Settings) -> Result<(WorkerSettings, Params)> {
        let id = &self.descriptor().id;
        let (mut worker, mut options) = settings.segmenter(id)?;
        if !settings
            .segmenter
            .get(id)
            .is_some_and(|table| table.contains_key("instances"))
        {
            worker.instances = self.factory.instances();
        }
        for (key, value) in &mut options {
            // Environment variables and flags give text where the schema may want a number.
            if let Some(text) = value.as_str() {
                *value = self.options.parse_text(&self.who(), key, text)?;
            }
        }
        Ok((worker, self.options.resolve(&self.who(), &options)?))
    }
}

impl StyleEntry {
    /// Who it is and what it takes.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Where it comes from.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// What its calls take.
    pub fn params(&self) -> &Schema {
        &self.params
    }

    /// `params` with defaults filled in.
    ///
    /// # Errors
    /// Invalid, naming the first parameter that does not fit.
    pub fn resolve(&self, params: &Params) -> Result<Params> {
        self.params.resolve(&self.who(), params)
    }

    /// How errors name it.
    pub fn who(&self) -> String {
        format!("mark style \"{}\"", self.descriptor.id)
    }

    /// The style itself.
    pub fn style(&self) -> &dyn MarkStyle {
        &*self.style
    }
}

fn twice(what: &str, id: &str, first: &Provenance, second: &Provenance) -> Error {
    Error::invalid(format!(
        "{what} \"{id}\" is there twice: {first} and {second} (remove one from plugins.folders or plugins.libraries)"
    ))
}

fn unknown<'a>(what: &str, id: &str, known: impl Iterator<Item = &'a String>) -> Error {
    let known: Vec<&str> = known.map(String::as_str).collect();
    Error::not_found(format!(
        "{what} \"{id}\" does not exist (there are: {})",
        known.join(", ")
    ))
}
