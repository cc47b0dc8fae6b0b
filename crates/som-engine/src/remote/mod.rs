//! Remote segmenters: `som.plugin.v1.SegmenterService` behind one or more endpoints, as a factory
//! like any other.
//!
//! Calls go to the endpoint with the fewest calls in progress. A call whose endpoint dies is
//! repeated on another one, an endpoint that keeps failing is left alone for a while, and one that
//! describes another segmenter than the first is refused.

mod breaker;
mod endpoint;
mod lane;
mod options;

use std::{
    future::Future,
    sync::{Arc, mpsc},
    time::Duration,
};

use som_core::{
    Call, Descriptor, Error, Image, Region, Result, Segmenter, Size, segment::SegmenterFactory,
};
use som_proto::{image, params, pb::plugin::v1 as pb, region};
use tokio::runtime::{Builder, Runtime};

use self::{lane::Lane, options::Options};
use crate::settings::Settings;

/// How often a waiting worker looks whether its call was called off.
const LOOK: Duration = Duration::from_millis(10);

/// A segmenter behind endpoints.
pub(crate) struct Remote {
    descriptor: Descriptor,
    instances: usize,
    connection: Arc<Connection>,
}

/// The endpoints, and the runtime on which they are spoken to.
struct Connection {
    lane: Arc<Lane>,
    runtime: Option<Runtime>,
}

impl Remote {
    /// True if the table of segmenter `id` in the settings names endpoints.
    pub(crate) fn is_meant_by(settings: &Settings, id: &str) -> bool {
        settings
            .segmenter
            .get(id)
            .is_some_and(|table| table.contains_key("remote"))
    }

    /// Connects to the endpoints in the table of segmenter `id` and asks who they are.
    ///
    /// # Errors
    /// Invalid, if the table is wrong or an endpoint describes no valid segmenter; Unavailable,
    /// with what happened at each, if none answers in time.
    pub(crate) fn connect(settings: &Settings, id: &str) -> Result<Self> {
        let at = |error: Error| error.at(format!("segmenter \"{id}\""));
        let options = Options::read(settings, id)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name(format!("remote-{id}"))
            .enable_all()
            .build()
            .map_err(|error| Error::exhausted(format!("no runtime: {error}")))
            .map_err(at)?;
        let lane = {
            let _inside = runtime.enter();
            Arc::new(Lane::new(id, &options).map_err(at)?)
        };
        let connection = Connection {
            lane: lane.clone(),
            runtime: Some(runtime),
        };
        let patience = options.patience();
        let described = connection.wait(|| false, async move { lane.describe(patience).await });
        let described = described.map_err(at)?;
        connection.watch(&described.descriptor);
        Ok(Self {
            descriptor: Descriptor {
                options: Options::schema(),
                ..described.descriptor
            },
            instances: described.instances,
            connection: Arc::new(connection),
        })
    }

    /// The addresses, as the settings have them.
    pub(crate) fn addresses(&self) -> Vec<String> {
        self.connection.lane.addresses()
    }
}

impl SegmenterFactory for Remote {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn instances(&self) -> usize {
        self.instances
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
        let work = async move { lane.segment(request).await };
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
    /// Runs `work` on the runtime and blocks until it is done or `is_over`.
    fn wait<T: Send + 'static>(
        &self,
        is_over: impl Fn() -> bool,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let runtime = self
            .runtime
            .as_ref()
            .ok_or_else(|| Error::internal("the runtime is gone"))?;
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
    fn watch(&self, descriptor: &Descriptor) {
        for endpoint in self.lane.endpoints() {
            let (endpoint, descriptor) = (endpoint.clone(), descriptor.clone());
            if let Some(runtime) = &self.runtime {
                runtime.spawn(async move { endpoint.watch(&descriptor).await });
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Dropping a runtime would block, which async code must not.
            runtime.shutdown_background();
        }
    }
}
