//! A segmenter of the registry: its place, what is known of it, and its workers.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::Value;
use som_core::{Descriptor, Error, Params, Result, Schema, SegmenterFactory};
use tokio::sync::OnceCell;

use super::Provenance;
use crate::{
    remote::Remote,
    settings::{Settings, WorkerSettings},
    weights::Weights,
    worker::Pool,
};

/// A segmenter, known or not yet: what stands behind endpoints is asked who it is by the first one
/// who wants to use it.
pub struct SegmenterEntry {
    id: String,
    provenance: Provenance,
    remote: Option<Remote>,
    known: OnceCell<KnownSegmenter>,
}

/// A segmenter that has told who it is, and its workers once somebody asked for them.
pub struct KnownSegmenter {
    factory: Arc<dyn SegmenterFactory>,
    params: Schema,
    options: Schema,
    pool: Mutex<Option<Arc<Pool>>>,
}

impl SegmenterEntry {
    /// An entry for a segmenter of this process.
    ///
    /// # Errors
    /// Invalid, if one of its schemas does not compile.
    pub(super) fn here(factory: Arc<dyn SegmenterFactory>, provenance: Provenance) -> Result<Self> {
        Ok(Self {
            id: factory.descriptor().id.clone(),
            provenance,
            remote: None,
            known: OnceCell::new_with(Some(KnownSegmenter::new(factory)?)),
        })
    }

    /// An entry for a segmenter behind endpoints.
    pub(super) fn remote(id: &str, remote: Remote) -> Self {
        Self {
            id: id.to_owned(),
            provenance: Provenance::Remote(remote.addresses()),
            remote: Some(remote),
            known: OnceCell::new(),
        }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where it comes from.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// What is known of it; `None` if it stands behind endpoints and none was reached yet.
    pub fn known(&self) -> Option<&KnownSegmenter> {
        self.known.get()
    }

    /// What is known of it. Endpoints that do not answer are given the time that the settings
    /// allow from the start on (`patience_ms`).
    ///
    /// # Errors
    /// Unavailable, with what happened at each endpoint, if none describes a segmenter.
    pub async fn reach(&self) -> Result<&KnownSegmenter> {
        self.describe(Remote::patience).await
    }

    /// As [`reach`](Self::reach), but endpoints are asked once only.
    ///
    /// # Errors
    /// As [`reach`](Self::reach).
    pub async fn probe(&self) -> Result<&KnownSegmenter> {
        self.describe(|_| Duration::ZERO).await
    }

    async fn describe(&self, patience: impl Fn(&Remote) -> Duration) -> Result<&KnownSegmenter> {
        let describe = async || {
            let remote = self
                .remote
                .as_ref()
                .ok_or_else(|| Error::internal("a segmenter of this process is unknown"))?;
            KnownSegmenter::new(remote.describe(patience(remote)).await?)
        };
        self.known.get_or_try_init(describe).await
    }

    /// Requests that wait for one of its workers.
    pub fn queued(&self) -> usize {
        self.known().map_or(0, KnownSegmenter::queued)
    }

    /// Checks its table in the settings, as far as that can be done without reaching it.
    ///
    /// # Errors
    /// Invalid, naming the first option that does not fit.
    pub(crate) fn check(&self, settings: &Settings) -> Result<()> {
        match self.known() {
            Some(known) => {
                known.configured(settings)?;
                known.usual(settings).map(drop)
            }
            None => settings.segmenter(&self.id).map(drop),
        }
    }
}

impl KnownSegmenter {
    fn new(factory: Arc<dyn SegmenterFactory>) -> Result<Self> {
        let Descriptor {
            id,
            params,
            options,
            ..
        } = factory.descriptor();
        let compile = |schema| {
            Schema::compile(schema).map_err(|error| error.at(format!("segmenter \"{id}\"")))
        };
        Ok(Self {
            params: compile(params)?,
            options: compile(options)?,
            factory,
            pool: Mutex::new(None),
        })
    }

    /// Who it is and what it takes.
    pub fn descriptor(&self) -> &Descriptor {
        self.factory.descriptor()
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

    /// Its workers, started by the first call; an option `weights` may name a checkpoint.
    pub(crate) fn pool(&self, settings: &Settings) -> Result<Arc<Pool>> {
        let mut slot = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = &*slot {
            return Ok(pool.clone());
        }
        let (worker, mut options) = self.configured(settings)?;
        if let Some(Value::String(weights)) = options.get_mut("weights") {
            let path = Weights::open(&settings.models)?
                .resolve(weights)
                .map_err(|error| error.at(self.who()))?;
            *weights = path.to_string_lossy().into_owned();
        }
        let pool = Arc::new(Pool::start(self.factory.clone(), options, worker)?);
        Ok(slot.insert(pool).clone())
    }

    fn queued(&self) -> usize {
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
        let table = format!("segmenter.{id}");
        let at = |error: Error| error.at(settings.places.of(&table));
        read_texts(&self.options, &self.who(), &mut options).map_err(at)?;
        let options = self.options.resolve(&self.who(), &options).map_err(at)?;
        Ok((worker, options))
    }

    /// The parameters in the settings, which its calls get if a request says nothing else; checked
    /// against its schema.
    ///
    /// # Errors
    /// Invalid, naming the first parameter that does not fit.
    pub fn usual(&self, settings: &Settings) -> Result<Params> {
        let id = &self.descriptor().id;
        let mut params = settings.params(id)?;
        let table = format!("segmenter.{id}.params");
        let at = |error: Error| error.at(settings.places.of(&table));
        read_texts(&self.params, &self.who(), &mut params).map_err(at)?;
        self.params.resolve(&self.who(), &params).map_err(at)?;
        Ok(params)
    }
}

/// Environment variables and flags give text where a schema may want a number.
///
/// # Errors
/// Invalid, naming the first value that does not fit.
pub(super) fn read_texts(schema: &Schema, who: &str, params: &mut Params) -> Result<()> {
    for (key, value) in params {
        if let Some(text) = value.as_str() {
            *value = schema.parse_text(who, key, text)?;
        }
    }
    Ok(())
}
