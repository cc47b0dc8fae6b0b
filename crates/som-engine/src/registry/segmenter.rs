//! A segmenter of the registry: its place, what is known of it, and who does its work: workers, or the
//! two segmenters that it is made of.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::{BoxFuture, FutureExt as _, try_join};
use serde_json::Value;
use som_core::{Descriptor, Error, Params, Result, Schema, SegmenterFactory};
use tokio::sync::OnceCell;

use super::{Provenance, composed::Table};
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
    source: Source,
    known: OnceCell<KnownSegmenter>,
}

/// Where it is learned who a segmenter is.
enum Source {
    /// It was known from the start.
    Here,
    Remote(Remote),
    Composed(Table, Parts),
}

/// The segmenters that one is made of.
#[derive(Clone)]
pub(crate) struct Parts {
    detect: Arc<SegmenterEntry>,
    refine: Arc<SegmenterEntry>,
}

/// A segmenter that has told who it is.
pub struct KnownSegmenter {
    descriptor: Descriptor,
    params: Schema,
    options: Schema,
    work: Work,
}

/// Who does the work of a segmenter.
enum Work {
    /// Its instances: its workers, once somebody asked for them.
    Instances {
        factory: Arc<dyn SegmenterFactory>,
        pool: Mutex<Option<Arc<Pool>>>,
    },
    /// Others.
    Parts(Parts),
}

/// How long endpoints that do not answer are waited for.
type Patience = fn(&Remote) -> Duration;

impl SegmenterEntry {
    /// An entry for a segmenter of this process.
    ///
    /// # Errors
    /// Invalid, if one of its schemas does not compile.
    pub(super) fn here(factory: Arc<dyn SegmenterFactory>, provenance: Provenance) -> Result<Self> {
        Ok(Self {
            id: factory.descriptor().id.clone(),
            provenance,
            source: Source::Here,
            known: OnceCell::new_with(Some(KnownSegmenter::of(factory)?)),
        })
    }

    /// An entry for a segmenter behind endpoints.
    pub(super) fn remote(id: &str, remote: Remote) -> Self {
        Self {
            id: id.to_owned(),
            provenance: Provenance::Remote(remote.addresses()),
            source: Source::Remote(remote),
            known: OnceCell::new(),
        }
    }

    /// An entry for a segmenter made of two, as its table says. It is known as soon as these are.
    ///
    /// # Errors
    /// As [`Table::descriptor`], if both are known.
    pub(super) fn composed(
        id: &str,
        table: Table,
        detect: Arc<Self>,
        refine: Arc<Self>,
    ) -> Result<Self> {
        let parts = Parts { detect, refine };
        let known = match (parts.detect.known(), parts.refine.known()) {
            (Some(detect), Some(refine)) => {
                let descriptor = table.descriptor(id, detect.descriptor(), refine.descriptor())?;
                Some(KnownSegmenter::new(descriptor, Work::Parts(parts.clone()))?)
            }
            _ => None,
        };
        Ok(Self {
            id: id.to_owned(),
            provenance: Provenance::Composed(table.detect.clone(), table.refine.clone()),
            source: Source::Composed(table, parts),
            known: OnceCell::new_with(known),
        })
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

    fn describe(&self, patience: Patience) -> BoxFuture<'_, Result<&KnownSegmenter>> {
        let describe = async move {
            match &self.source {
                Source::Here => Err(Error::internal("a segmenter of this process is unknown")),
                Source::Remote(remote) => {
                    KnownSegmenter::of(remote.describe(patience(remote)).await?)
                }
                Source::Composed(table, parts) => {
                    let Parts { detect, refine } = parts;
                    let parts_known =
                        try_join(detect.describe(patience), refine.describe(patience));
                    let (detect, refine) = parts_known.await?;
                    let descriptor =
                        table.descriptor(&self.id, detect.descriptor(), refine.descriptor());
                    KnownSegmenter::new(descriptor?, Work::Parts(parts.clone()))
                }
            }
        };
        self.known.get_or_try_init(|| describe).boxed()
    }

    /// Ids of the two that it is made of: the detector and the refiner.
    pub fn parts(&self) -> Option<[&str; 2]> {
        match &self.source {
            Source::Composed(table, _) => Some([&table.detect, &table.refine]),
            Source::Here | Source::Remote(_) => None,
        }
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
    /// One whose instances `factory` makes.
    fn of(factory: Arc<dyn SegmenterFactory>) -> Result<Self> {
        let descriptor = factory.descriptor().clone();
        let pool = Mutex::default();
        Self::new(descriptor, Work::Instances { factory, pool })
    }

    fn new(descriptor: Descriptor, work: Work) -> Result<Self> {
        let id = &descriptor.id;
        let compile = |schema| {
            Schema::compile(schema).map_err(|error| error.at(format!("segmenter \"{id}\"")))
        };
        Ok(Self {
            params: compile(&descriptor.params)?,
            options: compile(&descriptor.options)?,
            descriptor,
            work,
        })
    }

    /// Who it is and what it takes.
    pub const fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The two that it is made of, the detector and the refiner; `None` for one that works itself.
    pub fn parts(&self) -> Option<[&KnownSegmenter; 2]> {
        match &self.work {
            Work::Instances { .. } => None,
            // Without knowing them, nobody knew it.
            Work::Parts(Parts { detect, refine }) => Some([detect.known()?, refine.known()?]),
        }
    }

    /// How many instances it has.
    ///
    /// # Errors
    /// As [`configured`](Self::configured).
    pub fn instances(&self, settings: &Settings) -> Result<usize> {
        match self.parts() {
            None => Ok(self.configured(settings)?.0.instances),
            Some([detect, refine]) => {
                Ok(detect.instances(settings)?.min(refine.instances(settings)?))
            }
        }
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
        let Work::Instances { factory, pool } = &self.work else {
            return Err(Error::internal(format!("{} has no workers", self.who())));
        };
        let mut slot = pool.lock().unwrap_or_else(PoisonError::into_inner);
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
        let pool = Arc::new(Pool::start(factory.clone(), options, worker)?);
        Ok(slot.insert(pool).clone())
    }

    fn queued(&self) -> usize {
        match &self.work {
            Work::Instances { pool, .. } => {
                let slot = pool.lock().unwrap_or_else(PoisonError::into_inner);
                slot.as_ref().map_or(0, |pool| pool.queued())
            }
            // They are counted themselves.
            Work::Parts(_) => 0,
        }
    }

    /// Its table in the settings, checked against its schema.
    ///
    /// # Errors
    /// Invalid, naming the first option that does not fit.
    pub fn configured(&self, settings: &Settings) -> Result<(WorkerSettings, Params)> {
        let id = &self.descriptor().id;
        let (mut worker, mut options) = settings.segmenter(id)?;
        let table = settings.segmenter.get(id);
        let is_set = table.is_some_and(|table| table.contains_key("instances"));
        if let (false, Work::Instances { factory, .. }) = (is_set, &self.work) {
            worker.instances = factory.instances();
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
