//! A segmenter of the registry: its place, what is known of it, and its workers.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::Value;
use som_core::{Descriptor, Error, Params, Result, Schema, SegmenterFactory};
use tokio::sync::Mutex as AsyncMutex;

use super::Provenance;
use crate::{
    memory::Memory,
    remote::{EndpointState, Remote},
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
    /// And of a segmenter behind endpoints, which of their descriptions it is.
    known: Mutex<Option<(u64, Arc<KnownSegmenter>)>>,
    /// One asks the endpoints, and others wait for what they say.
    asking: AsyncMutex<()>,
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
            known: Mutex::new(Some((0, Arc::new(KnownSegmenter::new(factory)?)))),
            asking: AsyncMutex::default(),
        })
    }

    /// An entry for a segmenter behind endpoints.
    pub(super) fn remote(id: &str, remote: Remote) -> Self {
        Self {
            id: id.to_owned(),
            provenance: Provenance::Remote(remote.addresses()),
            remote: Some(remote),
            known: Mutex::default(),
            asking: AsyncMutex::default(),
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

    /// What is known of it; `None` if it stands behind endpoints and none was reached yet. Endpoints
    /// that came back upgraded, and agree, are known anew.
    pub fn known(&self) -> Option<Arc<KnownSegmenter>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((number, factory)) = self.remote.as_ref().and_then(Remote::described)
            && known.as_ref().is_none_or(|&(old, _)| old != number)
            // What does not compile was refused where it was told.
            && let Ok(new) = KnownSegmenter::new(factory)
        {
            *known = Some((number, Arc::new(new)));
        }
        known.as_ref().map(|(_, known)| known.clone())
    }

    /// What is known of it. Endpoints that do not answer are given the time that the settings
    /// allow from the start on (`patience_ms`).
    ///
    /// # Errors
    /// Unavailable, with what happened at each endpoint, if none describes a segmenter; Denied, if
    /// they refuse what this process logs in with.
    pub async fn reach(&self) -> Result<Arc<KnownSegmenter>> {
        self.describe(Remote::patience).await
    }

    /// As [`reach`](Self::reach), but endpoints are asked once only.
    ///
    /// # Errors
    /// As [`reach`](Self::reach).
    pub async fn probe(&self) -> Result<Arc<KnownSegmenter>> {
        self.describe(|_| Duration::ZERO).await
    }

    async fn describe(
        &self,
        patience: impl Fn(&Remote) -> Duration,
    ) -> Result<Arc<KnownSegmenter>> {
        if let Some(known) = self.known() {
            return Ok(known);
        }
        let _asking = self.asking.lock().await;
        if let (None, Some(remote)) = (self.known(), &self.remote) {
            remote.describe(patience(remote)).await?;
        }
        let unknown = || Error::internal(format!("segmenter \"{}\" is unknown", self.id));
        self.known().ok_or_else(unknown)
    }

    /// Requests that wait for one of its workers.
    pub fn queued(&self) -> usize {
        self.known().map_or(0, |known| known.of_pool(Pool::queued))
    }

    /// Workers that work on a request.
    pub fn busy(&self) -> usize {
        self.known().map_or(0, |known| known.of_pool(Pool::busy))
    }

    /// How its endpoints are; none for a segmenter of this process.
    pub fn endpoints(&self) -> Vec<EndpointState> {
        self.remote
            .as_ref()
            .map(Remote::endpoints)
            .unwrap_or_default()
    }

    /// True if it can be called: a segmenter of this process, or one of whose endpoints one serves.
    pub fn is_up(&self) -> bool {
        self.remote.is_none() || self.endpoints().iter().any(|endpoint| endpoint.is_up)
    }

    /// Checks its table in the settings, as far as that can be done without reaching it.
    ///
    /// # Errors
    /// Invalid, naming the first option that does not fit.
    pub(crate) fn check(&self, settings: &Settings) -> Result<()> {
        match self.known() {
            Some(known) => known.configured(settings).map(drop),
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
    pub(crate) fn pool(&self, settings: &Settings, memory: &Arc<Memory>) -> Result<Arc<Pool>> {
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
        let pool = Arc::new(Pool::start(
            self.factory.clone(),
            options,
            worker,
            memory.clone(),
        )?);
        Ok(slot.insert(pool).clone())
    }

    /// A number of its workers; 0 before they are started.
    fn of_pool(&self, number: impl Fn(&Pool) -> usize) -> usize {
        let slot = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        slot.as_deref().map_or(0, number)
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
