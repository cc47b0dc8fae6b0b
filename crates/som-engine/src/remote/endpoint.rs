//! One endpoint: its connection, its health and its calls.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use som_client::{Connection, explain};
use som_core::{Descriptor, Error, ErrorKind, Result};
use som_proto::{
    descriptor,
    pb::plugin::v1::{
        DescribeRequest, SegmentRequest, segmenter_service_client::SegmenterServiceClient,
    },
    pb::v1 as pb,
};
use tokio::time::{sleep, timeout};
use tonic::{Code, ConnectError, Status, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::breaker::Breaker;

/// How long a health check or a description may take.
const PROBE: Duration = Duration::from_secs(2);
/// How often health is checked while it is good and while it is not.
const CHECK_GOOD: Duration = Duration::from_secs(2);
const CHECK_BAD: Duration = Duration::from_millis(250);
/// The largest message, as the servers of som have it.
const MESSAGE_BYTES: usize = 64 << 20;
/// More than this in one answer is a fault.
const MAX_REGIONS: usize = 1 << 16;
const MAX_BYTES: usize = 256 << 20;

/// One endpoint.
pub(super) struct Endpoint {
    connection: Connection,
    channel: Channel,
    in_progress: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_serving: bool,
    /// Why its description was refused; such an endpoint gets no calls.
    refused: Option<String>,
    breaker: Breaker,
}

/// How fit an endpoint is for a call, the fittest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fitness {
    /// Healthy, with so many calls in progress.
    Serving(usize),
    /// Did not answer the latest health check, which may be a while ago.
    Silent,
}

/// What an endpoint says about itself.
pub(super) struct Described {
    pub(super) descriptor: Descriptor,
    pub(super) instances: usize,
}

/// Why a call to one endpoint failed, by what to do about it.
#[derive(Debug)]
pub(super) enum Failure {
    /// The request would fail anywhere.
    Final(Error),
    /// The call did not reach the endpoint, or it takes no more of them: others may do.
    Elsewhere(Error),
    /// The endpoint died over the call. Perhaps because of it.
    Died(Error),
}

impl Endpoint {
    /// Connects with the first call; needs a runtime.
    ///
    /// # Errors
    /// Invalid, if the address is malformed or a TLS file is wrong.
    pub(super) fn new(connection: Connection) -> Result<Self> {
        let channel = connection.endpoint()?.connect_lazy();
        Ok(Self {
            connection,
            channel,
            in_progress: AtomicUsize::new(0),
            state: Mutex::default(),
        })
    }

    /// As the settings have it.
    pub(super) fn address(&self) -> &str {
        &self.connection.address
    }

    /// How fit it is for a call.
    ///
    /// # Errors
    /// Why it must not get one.
    pub(super) fn fitness(&self) -> Result<Fitness> {
        let state = self.state();
        if let Some(why) = &state.refused {
            return Err(Error::unavailable(why.clone()).at(self.address()));
        }
        if let Some(pause) = state.breaker.pause(Instant::now()) {
            let why = format!("keeps failing and is left alone for {pause:.1?}");
            return Err(Error::unavailable(why).at(self.address()));
        }
        Ok(match state.is_serving {
            true => Fitness::Serving(self.in_progress.load(Ordering::Relaxed)),
            false => Fitness::Silent,
        })
    }

    /// Asks who it is.
    ///
    /// # Errors
    /// Unavailable, if it does not answer; Invalid, if the answer describes no segmenter.
    pub(super) async fn describe(&self, id: &str) -> Result<Described> {
        let mut client = SegmenterServiceClient::new(self.channel.clone());
        let answer = timeout(
            PROBE,
            client.describe(self.connection.request(DescribeRequest {})),
        )
        .await;
        let answer = answer
            .map_err(|_| Error::unavailable(format!("no answer within {PROBE:?}")))
            .and_then(|answer| answer.map_err(|status| stranger(&status)))
            .map_err(|error| error.at(self.address()))?
            .into_inner();
        let lie = |why: String| Error::invalid(format!("{}: Describe: {why}", self.address()));
        let told = answer
            .descriptor
            .ok_or_else(|| lie("descriptor is not set".into()))?;
        let told = descriptor::from_wire(told).map_err(|error| lie(error.to_string()))?;
        som_core::Schema::compile(&told.params).map_err(|error| lie(error.to_string()))?;
        let descriptor = Descriptor {
            id: id.to_owned(),
            ..told
        };
        Ok(Described {
            descriptor,
            instances: answer.instances.max(1) as usize,
        })
    }

    /// Checks the endpoint's health for ever, and its description whenever it comes back.
    pub(super) async fn watch(&self, descriptor: &Descriptor) {
        let mut was_serving = false;
        loop {
            let is_serving = self.is_healthy().await;
            if is_serving && !was_serving {
                let refused = self.describe(&descriptor.id).await.map(|described| {
                    let is_same = described.descriptor == *descriptor;
                    (!is_same).then(|| {
                        "describes another segmenter than the endpoint that answered first"
                            .to_owned()
                    })
                });
                let refused = refused.unwrap_or_else(|error| Some(error.to_string()));
                match &refused {
                    Some(why) => {
                        tracing::error!(endpoint = self.address(), why, "endpoint refused");
                    }
                    None => tracing::info!(endpoint = self.address(), "endpoint serves"),
                }
                self.state().refused = refused;
            } else if was_serving && !is_serving {
                tracing::warn!(endpoint = self.address(), "endpoint does not serve");
            }
            self.state().is_serving = is_serving;
            was_serving = is_serving;
            sleep(if is_serving { CHECK_GOOD } else { CHECK_BAD }).await;
        }
    }

    async fn is_healthy(&self) -> bool {
        let mut client = HealthClient::new(self.channel.clone());
        let check = client.check(self.connection.request(HealthCheckRequest::default()));
        match timeout(PROBE, check).await {
            Ok(Ok(answer)) => answer.into_inner().status() == ServingStatus::Serving,
            // A server without health checks is taken at its word.
            Ok(Err(status)) => status.code() == Code::Unimplemented,
            Err(_) => false,
        }
    }

    /// The regions of one image.
    ///
    /// # Errors
    /// What to do about it, and why.
    pub(super) async fn segment(
        &self,
        request: SegmentRequest,
    ) -> Result<Vec<pb::Region>, Failure> {
        let _counted = InProgress::count(&self.in_progress);
        let result = self.collect(request).await;
        let mut state = self.state();
        match &result {
            Ok(_) | Err(Failure::Final(_)) => {}
            Err(Failure::Elsewhere(error)) if error.kind() == ErrorKind::Exhausted => {}
            Err(Failure::Elsewhere(_) | Failure::Died(_)) => state.is_serving = false,
        }
        match &result {
            Ok(_) => state.breaker.succeed(),
            Err(Failure::Died(_)) => state.breaker.fail(Instant::now()),
            Err(Failure::Final(error)) if error.kind() == ErrorKind::Internal => {
                state.breaker.fail(Instant::now());
            }
            Err(_) => {}
        }
        result
    }

    async fn collect(&self, request: SegmentRequest) -> Result<Vec<pb::Region>, Failure> {
        let mut client = SegmenterServiceClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE_BYTES);
        let failure = |status| self.failure(&status);
        let answer = client
            .segment(self.connection.request(request))
            .await
            .map_err(failure)?;
        let (mut stream, mut regions, mut bytes) = (answer.into_inner(), Vec::new(), 0);
        while let Some(message) = stream.message().await.map_err(failure)? {
            bytes += prost::Message::encoded_len(&message);
            regions.extend(message.region);
            if regions.len() > MAX_REGIONS || bytes > MAX_BYTES {
                let why = format!(
                    "{}: more than {MAX_REGIONS} regions or {MAX_BYTES} bytes",
                    self.address()
                );
                return Err(Failure::Final(Error::internal(why)));
            }
        }
        Ok(regions)
    }

    fn failure(&self, status: &Status) -> Failure {
        let error = explain(status).at(self.address());
        if is_unreachable(status) {
            return Failure::Elsewhere(error);
        }
        // A status that has a source was made here: the connection broke.
        if std::error::Error::source(status).is_some() {
            return Failure::Died(error);
        }
        match status.code() {
            Code::Unavailable | Code::ResourceExhausted => Failure::Elsewhere(error),
            _ => Failure::Final(error),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// True if the call never left: nobody was there to take it.
fn is_unreachable(status: &Status) -> bool {
    let mut source = std::error::Error::source(status);
    while let Some(cause) = source {
        if cause.is::<ConnectError>() {
            return true;
        }
        source = cause.source();
    }
    false
}

/// A status of Describe as an error.
fn stranger(status: &Status) -> Error {
    match status.code() {
        Code::Unimplemented => {
            Error::invalid("speaks gRPC, but is no som.plugin.v1.SegmenterService")
        }
        _ => explain(status),
    }
}

/// Counts a call in progress.
struct InProgress<'a>(&'a AtomicUsize);

impl<'a> InProgress<'a> {
    fn count(counter: &'a AtomicUsize) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(counter)
    }
}

impl Drop for InProgress<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
