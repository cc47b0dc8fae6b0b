//! One endpoint: its connection, its health and its calls.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
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
/// How often health is checked while it is bad.
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
    /// How often health is checked while it is good.
    health: Duration,
    in_progress: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Its health was checked once.
    is_checked: bool,
    is_serving: bool,
    /// What it said about itself the last time.
    told: Option<Arc<Described>>,
    /// Why that was refused; such an endpoint gets no calls.
    refused: Option<String>,
    /// What the latest check of its health took.
    latency: Duration,
    breaker: Breaker,
}

/// How an endpoint is.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointState {
    /// As the settings have it.
    pub address: String,
    /// It serves, and describes the segmenter.
    pub is_up: bool,
    /// It keeps failing, and gets no calls for a while.
    pub is_left_alone: bool,
    /// What the latest check of its health took.
    pub latency: Duration,
    /// Calls to it in progress.
    pub calls: usize,
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
#[derive(Debug, PartialEq)]
pub(super) struct Described {
    /// The id by which it calls the segmenter itself.
    pub(super) id: String,
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
    pub(super) fn new(connection: Connection, health: Duration) -> Result<Self> {
        let channel = connection.endpoint()?.connect_lazy();
        Ok(Self {
            connection,
            channel,
            health,
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

    /// How it is.
    pub(super) fn told(&self) -> EndpointState {
        let state = self.state();
        EndpointState {
            address: self.address().to_owned(),
            is_up: state.is_serving && state.refused.is_none(),
            is_left_alone: state.breaker.pause(Instant::now()).is_some(),
            latency: state.latency,
            calls: self.in_progress.load(Ordering::Relaxed),
        }
    }

    /// True once its health was checked.
    pub(super) fn is_checked(&self) -> bool {
        self.state().is_checked
    }

    /// What it said about itself, if it serves.
    pub(super) fn serves(&self) -> Option<Arc<Described>> {
        let state = self.state();
        state.told.clone().filter(|_| state.is_serving)
    }

    /// Refuses it, unless it describes what all agree on.
    pub(super) fn compare(&self, agreed: &Described) {
        let mut state = self.state();
        let Some(told) = &state.told else { return };
        let refused = match told.descriptor == agreed.descriptor {
            true => None,
            false => Some(format!(
                "describes another segmenter than the others: {} {}, not {} {}",
                told.id, told.descriptor.version, agreed.id, agreed.descriptor.version
            )),
        };
        if refused != state.refused {
            match &refused {
                Some(why) => tracing::error!(endpoint = self.address(), why, "endpoint refused"),
                None => tracing::info!(endpoint = self.address(), "endpoint serves"),
            }
        }
        state.refused = refused;
    }

    /// Asks who it is.
    ///
    /// # Errors
    /// Unavailable, if it does not answer; Invalid, if the answer describes no segmenter; Denied, if
    /// it refuses what this process logs in with.
    pub(super) async fn describe(&self, id: &str) -> Result<Described> {
        let mut client = SegmenterServiceClient::new(self.channel.clone());
        let answer = timeout(
            PROBE,
            client.describe(self.connection.request(DescribeRequest {})),
        )
        .await;
        let answer = answer
            .map_err(|_| {
                let why = format!("no answer within {PROBE:?}");
                Error::unavailable(why).at(self.address())
            })
            .and_then(|answer| answer.map_err(|status| self.stranger(&status)))?
            .into_inner();
        let lie = |why: String| Error::invalid(format!("{}: Describe: {why}", self.address()));
        let told = answer
            .descriptor
            .ok_or_else(|| lie("descriptor is not set".into()))?;
        let told = descriptor::from_wire(told).map_err(|error| lie(error.to_string()))?;
        som_core::Schema::compile(&told.params).map_err(|error| lie(error.to_string()))?;
        Ok(Described {
            id: told.id.clone(),
            descriptor: Descriptor {
                id: id.to_owned(),
                ..told
            },
            instances: answer.instances.max(1) as usize,
        })
    }

    /// Checks the endpoint's health for ever, and asks each time who it is: it may have been started
    /// again in between, upgraded. Tells `changed` of what is new.
    pub(super) async fn watch(&self, id: &str, changed: impl Fn()) {
        loop {
            let started = Instant::now();
            let is_serving = self.is_healthy().await;
            let latency = started.elapsed();
            let described = match is_serving {
                true => Some(self.describe(id).await.map(Arc::new)),
                false => None,
            };
            let (is_serving, described) = match described {
                // Too busy, or gone in between.
                Some(Err(error)) if error.kind() == ErrorKind::Unavailable => (false, None),
                described => (is_serving, described),
            };
            if self.note(is_serving, latency, described) {
                changed();
            }
            sleep(if is_serving { self.health } else { CHECK_BAD }).await;
        }
    }

    /// Notes what a check found: true, if that is new.
    fn note(
        &self,
        is_serving: bool,
        latency: Duration,
        described: Option<Result<Arc<Described>>>,
    ) -> bool {
        let mut state = self.state();
        let mut is_new = !state.is_checked || state.is_serving != is_serving;
        if state.is_serving && !is_serving {
            tracing::warn!(endpoint = self.address(), "endpoint does not serve");
        }
        (state.is_checked, state.is_serving, state.latency) = (true, is_serving, latency);
        match described {
            None => {}
            // Each call is told so, as it may be mended at the other side.
            Some(Err(error)) if error.kind() == ErrorKind::Denied => {}
            Some(Ok(described)) => {
                is_new |= state.told.as_ref() != Some(&described);
                state.told = Some(described);
            }
            Some(Err(error)) => {
                let why = error.to_string();
                if state.refused.as_ref() != Some(&why) {
                    tracing::error!(endpoint = self.address(), why, "endpoint refused");
                }
                is_new |= state.told.is_some();
                (state.told, state.refused) = (None, Some(why));
            }
        }
        is_new
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
            Err(Failure::Elsewhere(error))
                if matches!(error.kind(), ErrorKind::Exhausted | ErrorKind::Denied) => {}
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
        if is_denied(status) {
            return Failure::Elsewhere(self.denied(status));
        }
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

    /// A status of Describe as an error.
    fn stranger(&self, status: &Status) -> Error {
        match status.code() {
            _ if is_denied(status) => self.denied(status),
            Code::Unimplemented => {
                Error::invalid("speaks gRPC, but is no som.plugin.v1.SegmenterService")
                    .at(self.address())
            }
            _ => explain(status).at(self.address()),
        }
    }

    /// The log tells who refused what; a caller can do nothing about it.
    fn denied(&self, status: &Status) -> Error {
        let why = explain(status);
        tracing::error!(endpoint = self.address(), %why, "endpoint refuses the login");
        Error::denied(
            "an endpoint refuses what this process logs in with (see its log, and token_env, \
             token_file and certificate)",
        )
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

/// True if the endpoint, or one that it asks itself, refuses what it is logged in with.
fn is_denied(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unauthenticated | Code::PermissionDenied | Code::FailedPrecondition
    )
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
