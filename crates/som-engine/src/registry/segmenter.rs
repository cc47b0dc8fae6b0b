//! A segmenter of the registry: its place, what is known of it, and who does its work: workers, or the
//! two segmenters that it is made of.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::{BoxFuture, FutureExt as _, try_join};
use som_core::{Descriptor, Error, Params, Result, Schema, SegmenterFactory};
use tokio::sync::Mutex as AsyncMutex;

use super::{Provenance, composed::Table};
use crate::{
    memory::Memory,
    remote::{EndpointState, Remote},
    settings::{Settings, WorkerSettings},
    weights,
    worker::Pool,
};

/// A segmenter, known or not yet: what stands behind endpoints is asked who it is by the first one
/// who wants to use it.
pub struct SegmenterEntry {
    id: String,
    provenance: Provenance,
    source: Source,
    /// And of a segmenter behind endpoints, which of their descriptions it is; 0 of any other.
    known: Mutex<Option<(u64, Arc<KnownSegmenter>)>>,
    /// One asks the endpoints, and others wait for what they say.
    asking: AsyncMutex<()>,
}

/// Where it is learned who a segmenter is.
enum Source {
    /// It was known from the start.
    Here,
    Remote(Remote),
    /// Of two others, the detector and the refiner.
    Composed(Table, [Arc<SegmenterEntry>; 2]),
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
    /// Two others, the detector and the refiner.
    Parts([Arc<KnownSegmenter>; 2]),
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
            known: Mutex::new(Some((0, Arc::new(KnownSegmenter::of(factory)?)))),
            asking: AsyncMutex::default(),
        })
    }

    /// An entry for a segmenter behind endpoints.
    pub(super) fn remote(id: &str, remote: Remote) -> Self {
        Self {
            id: id.to_owned(),
            provenance: Provenance::Remote(remote.addresses()),
            source: Source::Remote(remote),
            known: Mutex::default(),
            asking: AsyncMutex::default(),
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
        let known = detect.known().zip(refine.known());
        let entry = Self {
            id: id.to_owned(),
            provenance: Provenance::Composed(table.detect.clone(), table.refine.clone()),
            source: Source::Composed(table, [detect, refine]),
            known: Mutex::default(),
            asking: AsyncMutex::default(),
        };
        if let (Source::Composed(table, _), Some((detect, refine))) = (&entry.source, known) {
            entry.whole(table, [detect, refine])?;
        }
        Ok(entry)
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where it comes from.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// What is known of it; `None` if it stands behind endpoints and none was reached yet, or is
    /// made of such a one, or of two that do not fit any more. Endpoints that came back upgraded,
    /// and agree, are known anew, and so is what is made of them.
    pub fn known(&self) -> Option<Arc<KnownSegmenter>> {
        if let Source::Composed(table, [detect, refine]) = &self.source {
            return self.whole(table, [detect.known()?, refine.known()?]).ok();
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Source::Remote(remote) = &self.source
            && let Some((number, factory)) = remote.described()
            && known.as_ref().is_none_or(|&(old, _)| old != number)
            // What does not compile was refused where it was told.
            && let Ok(new) = KnownSegmenter::of(factory)
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

    fn describe(&self, patience: Patience) -> BoxFuture<'_, Result<Arc<KnownSegmenter>>> {
        let describe = async move {
            match &self.source {
                Source::Here => {}
                Source::Remote(remote) => {
                    if let Some(known) = self.known() {
                        return Ok(known);
                    }
                    let _asking = self.asking.lock().await;
                    if self.known().is_none() {
                        remote.describe(patience(remote)).await?;
                    }
                }
                Source::Composed(table, [detect, refine]) => {
                    let parts = try_join(detect.describe(patience), refine.describe(patience));
                    return self.whole(table, parts.await?.into());
                }
            }
            let unknown = || Error::internal(format!("segmenter \"{}\" is unknown", self.id));
            self.known().ok_or_else(unknown)
        };
        describe.boxed()
    }

    /// What is made of `parts`, remembered until one of them is known anew.
    ///
    /// # Errors
    /// As [`Table::descriptor`].
    fn whole(&self, table: &Table, parts: [Arc<KnownSegmenter>; 2]) -> Result<Arc<KnownSegmenter>> {
        let mut slot = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = &*slot
            && known.is_made_of(&parts)
        {
            return Ok(known.clone());
        }
        let [detect, refine] = &parts;
        let descriptor = table.descriptor(&self.id, detect.descriptor(), refine.descriptor())?;
        let known = Arc::new(KnownSegmenter::new(descriptor, Work::Parts(parts))?);
        *slot = Some((0, known.clone()));
        Ok(known)
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
        self.known().map_or(0, |known| known.of_pool(Pool::queued))
    }

    /// Workers that work on a request.
    pub fn busy(&self) -> usize {
        self.known().map_or(0, |known| known.of_pool(Pool::busy))
    }

    /// How its endpoints are; none for a segmenter of this process, and for one that is made of two.
    pub fn endpoints(&self) -> Vec<EndpointState> {
        match &self.source {
            Source::Remote(remote) => remote.endpoints(),
            Source::Here | Source::Composed(..) => Vec::new(),
        }
    }

    /// True if it can be called: a segmenter of this process, one of whose endpoints one serves, or one
    /// made of two that can be called.
    pub fn is_up(&self) -> bool {
        match &self.source {
            Source::Here => true,
            Source::Remote(remote) => remote.endpoints().iter().any(|endpoint| endpoint.is_up),
            Source::Composed(_, parts) => parts.iter().all(|part| part.is_up()),
        }
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
    pub fn parts(&self) -> Option<&[Arc<KnownSegmenter>; 2]> {
        match &self.work {
            Work::Instances { .. } => None,
            Work::Parts(parts) => Some(parts),
        }
    }

    /// True if it is made of these very two.
    fn is_made_of(&self, [detect, refine]: &[Arc<KnownSegmenter>; 2]) -> bool {
        self.parts().is_some_and(|[own_detect, own_refine]| {
            Arc::ptr_eq(own_detect, detect) && Arc::ptr_eq(own_refine, refine)
        })
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
    pub(crate) fn pool(&self, settings: &Settings, memory: &Arc<Memory>) -> Result<Arc<Pool>> {
        let Work::Instances { factory, pool } = &self.work else {
            return Err(Error::internal(format!("{} has no workers", self.who())));
        };
        let mut slot = pool.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = &*slot {
            return Ok(pool.clone());
        }
        let (worker, mut options) = self.configured(settings)?;
        weights::find(&mut options, &settings.models).map_err(|error| error.at(self.who()))?;
        let pool = Arc::new(Pool::start(
            factory.clone(),
            options,
            worker,
            memory.clone(),
        )?);
        Ok(slot.insert(pool).clone())
    }

    /// A number of its workers; 0 before they are started, and for one that is made of two, as the
    /// workers of these are counted themselves.
    fn of_pool(&self, number: impl Fn(&Pool) -> usize) -> usize {
        let Work::Instances { pool, .. } = &self.work else {
            return 0;
        };
        let slot = pool.lock().unwrap_or_else(PoisonError::into_inner);
        slot.as_deref().map_or(0, number)
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
