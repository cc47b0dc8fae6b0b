//! Remote segmenters: `som.plugin.v1.SegmenterService` behind one or more endpoints, as a factory
//! like any other.
//!
//! Calls go to the endpoint with the fewest calls in progress. A call whose endpoint dies is
//! repeated on another one, an endpoint that keeps failing is left alone for a while, and one that
//! describes another segmenter than the others is refused. Endpoints that come back upgraded are
//! described again, and used so as soon as all that serve agree. Nobody is spoken to before the
//! segmenter is wanted.

mod breaker;
mod endpoint;
mod lane;
mod options;

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use som_core::{
    Call, Descriptor, Error, ErrorKind, Image, Region, Result, Segmenter, SegmenterFactory, Size,
};
use som_proto::{image, params, pb::plugin::v1 as pb, region};
use tokio::runtime::{Builder, Runtime};
use tracing::Instrument as _;

pub use self::endpoint::EndpointState;
use self::{lane::Lane, options::Options};
use crate::{memory::SEND_BYTES, settings::Settings};

/// How often a waiting worker looks whether its call was called off.
const LOOK: Duration = Duration::from_millis(10);

/// After this long, endpoints that could not be used are asked again who they are.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// A segmenter behind endpoints, whoever that may be.
pub(crate) struct Remote {
    id: String,
    connection: Arc<Connection>,
    /// Until then, endpoints that do not answer are waited for.
    patient_until: Instant,
    latest_failure: Mutex<Option<(Instant, ErrorKind, String)>>,
}

/// A segmenter behind endpoints that has told who it is.
struct DescribedRemote {
    descriptor: Descriptor,
    instances: usize,
    connection: Arc<Connection>,
}

/// The endpoints, and the runtime on which they are spoken to.
struct Connection {
    lane: Arc<Lane>,
    runtime: Background,
}

/// A runtime that async code may drop: it does not wait for its tasks.
struct Background(Option<Runtime>);

impl Remote {
    /// True if the table of segmenter `id` in the settings names endpoints.
    pub(crate) fn is_meant_by(settings: &Settings, id: &str) -> bool {
        settings
            .segmenter
            .get(id)
            .is_some_and(|table| table.contains_key("remote"))
    }

    /// The segmenter behind the endpoints in the table of segmenter `id`.
    ///
    /// # Errors
    /// Invalid, if the table is wrong.
    pub(crate) fn open(settings: &Settings, id: &str) -> Result<Self> {
        let at = |error: Error| error.at(format!("segmenter \"{id}\""));
        let options = Options::read(settings, id)?;
        let runtime = Background::start(id).map_err(at)?;
        let lane = {
            let _inside = runtime.get().map_err(at)?.enter();
            Arc::new(Lane::new(id, &options, settings.limits.instances).map_err(at)?)
        };
        let now = Instant::now();
        Ok(Self {
            id: id.to_owned(),
            connection: Arc::new(Connection { lane, runtime }),
            patient_until: now.checked_add(options.patience()).unwrap_or(now),
            latest_failure: Mutex::new(None),
        })
    }

    /// The addresses, as the settings have them.
    pub(crate) fn addresses(&self) -> Vec<String> {
        self.connection.lane.addresses()
    }

    /// How long endpoints that do not answer are waited for still.
    pub(crate) fn patience(&self) -> Duration {
        self.patient_until.saturating_duration_since(Instant::now())
    }

    /// How the endpoints are.
    pub(crate) fn endpoints(&self) -> Vec<EndpointState> {
        let endpoints = self.connection.lane.endpoints().iter();
        endpoints.map(|endpoint| endpoint.told()).collect()
    }

    /// The segmenter that the endpoints describe, and the number of that description.
    pub(crate) fn described(&self) -> Option<(u64, Arc<dyn SegmenterFactory>)> {
        let (number, described) = self.connection.lane.agreed()?;
        let factory = DescribedRemote {
            descriptor: Descriptor {
                options: Options::schema(),
                ..described.descriptor.clone()
            },
            instances: described.instances,
            connection: self.connection.clone(),
        };
        Some((number, Arc::new(factory)))
    }

    /// Asks the endpoints who they are, and keeps an eye on them once one has answered.
    ///
    /// # Errors
    /// Unavailable, with what happened at each, if none describes a segmenter before `patience`
    /// ends; Denied, if all refuse the login. The same again at once to whoever asks again soon.
    pub(crate) async fn describe(&self, patience: Duration) -> Result<()> {
        if let Some(error) = self.recent_failure() {
            return Err(error);
        }
        let lane = self.connection.lane.clone();
        self.connection
            .run(async move { lane.describe(patience).await })
            .await
            .map_err(|error| error.at(format!("segmenter \"{}\"", self.id)))
            .inspect_err(|error| self.note_failure(error))?;
        self.connection.watch(&self.id);
        Ok(())
    }

    fn recent_failure(&self) -> Option<Error> {
        let failure = self.latest_failure.lock();
        let failure = failure.unwrap_or_else(PoisonError::into_inner);
        let (when, kind, message) = failure.as_ref()?;
        (when.elapsed() < ASK_AGAIN).then(|| Error::new(*kind, message.clone()))
    }

    fn note_failure(&self, error: &Error) {
        let failure = self.latest_failure.lock();
        *failure.unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now(), error.kind(), error.message().to_owned()));
    }
}

impl SegmenterFactory for DescribedRemote {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn bytes_per_pixel(&self) -> u64 {
        SEND_BYTES
    }

    fn create(&self, _options: &Call<'_>) -> Result<Box<dyn Segmenter>> {
        Ok(Box::new(Instance {
            id: self.descriptor.id.clone(),
            connection: self.connection.clone(),
        }))
    }
}

/// One call at a time to whichever endpoint suits.
struct Instance {
    id: String,
    connection: Arc<Connection>,
}

impl Segmenter for Instance {
    fn segment(&mut self, image: &Image<'_>, call: &Call<'_>) -> Result<Vec<Region>> {
        let request = pb::SegmentRequest {
            image: Some(image::to_wire(image)),
            params: Some(params::to_wire(call.params())),
        };
        let lane = self.connection.lane.clone();
        let work = async move { lane.segment(request).await }.in_current_span();
        let answer = self.connection.wait(|| call.is_cancelled(), work);
        let size = Size::new(image.width(), image.height());
        answer
            .and_then(|answer| {
                let regions = region::list_from_wire(answer.regions, size);
                // What the request cannot be blamed for is a fault of the endpoint.
                regions.map_err(|error| Error::internal(format!("{}: {error}", answer.address)))
            })
            .map_err(|error| error.at(format!("segmenter \"{}\"", self.id)))
    }
}

impl Connection {
    /// Runs `work` on the runtime.
    async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let task = self.runtime.get()?.spawn(work);
        task.await
            .map_err(|error| Error::internal("a connection's task ended").caused_by(error))?
    }

    /// Runs `work` on the runtime and blocks until it is done or `is_over`.
    fn wait<T: Send + 'static>(
        &self,
        is_over: impl Fn() -> bool,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let runtime = self.runtime.get()?;
        let (done, result) = mpsc::sync_channel(1);
        let task = runtime.spawn(async move {
            let _ = done.send(work.await);
        });
        loop {
            match result.recv_timeout(LOOK) {
                Ok(result) => return result,
                Err(mpsc::RecvTimeoutError::Timeout) if is_over() => {
                    task.abort();
                    return Err(Error::cancelled());
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Err(Error::internal("the connection's task ended"));
                }
            }
        }
    }

    /// Keeps an eye on every endpoint, for as long as the runtime lives.
    fn watch(&self, id: &str) {
        for endpoint in self.lane.endpoints() {
            let (endpoint, lane, id) = (endpoint.clone(), self.lane.clone(), id.to_owned());
            if let Ok(runtime) = self.runtime.get() {
                runtime.spawn(async move { endpoint.watch(&id, || lane.reconsider()).await });
            }
        }
    }
}

impl Background {
    fn start(id: &str) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name(format!("remote-{id}"))
            .enable_all()
            .build();
        runtime
            .map(|runtime| Self(Some(runtime)))
            .map_err(|error| Error::exhausted("no thread could be started").caused_by(error))
    }

    fn get(&self) -> Result<&Runtime> {
        self.0
            .as_ref()
            .ok_or_else(|| Error::internal("the runtime is gone"))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
