//! What every call passes before its service: request id, token, limits, deadline, log, metrics.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{ACCEPT, CONTENT_TYPE},
};
use som_core::Result;
use som_engine::{memory::Memory, settings::ServerSettings};
use som_proto::{pb, status};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tracing::Instrument as _;

use crate::{
    call::Call,
    connection::Peer,
    metrics::Metrics,
    report::{Observed, Report, code},
    token::Tokens,
    trace,
    upload::Upload,
};

const REQUEST_ID: &str = "x-request-id";
/// Health checks come from machines that hold no token, and must not fail for want of a permit.
const HEALTH: &str = "/grpc.health.v1.Health/";
/// When to try again after too many calls at a time.
const PAUSE: Duration = Duration::from_millis(100);
/// And after too many connections, of which those that say nothing are ended in a while.
const CROWDED: Duration = Duration::from_millis(500);
/// When another server, or this one started again, may answer.
const RESTART: Duration = Duration::from_secs(1);
const GRPC: &str = "application/grpc";

/// What every call passes before its service.
pub(crate) struct Gate {
    /// What can change while the server runs.
    rules: RwLock<Arc<Rules>>,
    calls: Arc<Semaphore>,
    metrics: Arc<Metrics>,
    memory: Arc<Memory>,
    drain: CancellationToken,
    /// By name, whether it takes any number of requests.
    rpcs: HashMap<String, bool>,
    /// Tells the ids of this process from those of others.
    process: u32,
    next_id: AtomicU64,
}

/// Who may call, and for how long.
struct Rules {
    tokens: Tokens,
    limit: Duration,
    upload: Duration,
    message_bytes: usize,
}

impl Rules {
    /// Those of the settings, in the place of those `before`: owners are charged on.
    ///
    /// # Errors
    /// Invalid, if a token cannot be had.
    fn read(settings: &ServerSettings, before: Option<&Self>) -> Result<Self> {
        Ok(Self {
            tokens: Tokens::read(&settings.token, before.map(|before| &before.tokens))?,
            limit: settings.deadline,
            upload: settings.upload,
            message_bytes: settings.message_bytes,
        })
    }
}

impl Gate {
    /// The gate that the settings ask for. It lets nobody through once `drain` is cancelled.
    ///
    /// # Errors
    /// As [`Rules::read`].
    pub(crate) fn new(
        settings: &ServerSettings,
        metrics: Arc<Metrics>,
        memory: Arc<Memory>,
        drain: CancellationToken,
    ) -> Result<Self> {
        let rpcs = pb::rpcs().into_iter();
        Ok(Self {
            rules: RwLock::new(Arc::new(Rules::read(settings, None)?)),
            calls: Arc::new(Semaphore::new(settings.calls)),
            metrics,
            memory,
            drain,
            rpcs: rpcs.map(|rpc| (rpc.name, rpc.takes_stream)).collect(),
            process: RandomState::new().hash_one(0) as u32,
            next_id: AtomicU64::new(1),
        })
    }

    /// True if calls need no token.
    pub(crate) fn is_open(&self) -> bool {
        self.rules().tokens.is_empty()
    }

    /// Goes by `settings` from the next call on.
    ///
    /// # Errors
    /// As [`Rules::read`]; then everything stays as it is.
    pub(crate) fn reload(&self, settings: &ServerSettings) -> Result<()> {
        let rules = Rules::read(settings, Some(&self.rules()))?;
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
        Ok(())
    }

    fn rules(&self) -> Arc<Rules> {
        self.rules
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Lets a call through to its service, or answers it here.
    pub(crate) async fn pass(
        State(gate): State<Arc<Self>>,
        request: Request,
        next: Next,
    ) -> Response {
        if request.uri().path().starts_with(HEALTH) {
            return next.run(request).await;
        }
        if !is_grpc(request.headers()) {
            let accepted = [(ACCEPT, GRPC)];
            return (StatusCode::UNSUPPORTED_MEDIA_TYPE, accepted).into_response();
        }
        let rules = gate.rules();
        let id = gate.request_id(request.headers());
        let (rpc, takes_stream) = gate.rpc(request.uri().path());
        let caller = request.extensions().get::<Peer>().cloned();
        let peer = caller.as_ref().and_then(|peer| peer.address);
        let span = tracing::info_span!(
            "call",
            id,
            rpc,
            peer = peer.map(tracing::field::display),
            owner = tracing::field::Empty
        );
        trace::set_parent(&span, request.headers());
        let report = Report::begin(rpc, span.clone(), gate.metrics.clone());

        let admitted = gate.admit(&rules, caller, request.headers());
        let mut held = None;
        let mut response = match admitted {
            Err(status) => status.into_http::<Body>(),
            Ok(call) => {
                let name = call.owner_name();
                if !name.is_empty() {
                    span.record("owner", &**name);
                }
                let limit = Instant::now() + rules.limit;
                let deadline = call.deadline.map_or(limit, |deadline| deadline.min(limit));
                held = Some(call.held.clone());
                let time = match takes_stream {
                    Some(true) => None,
                    Some(false) => Some(rules.upload),
                    // Whatever it is, it does not stay for ever.
                    None => Some(rules.limit),
                };
                let held = call.held.clone();
                let mut request =
                    request.map(|body| Upload::wrap(body, time, rules.message_bytes, held));
                request.extensions_mut().insert(call);
                match timeout_at(deadline, next.run(request).instrument(span)).await {
                    Ok(response) => response,
                    Err(_) => {
                        Status::deadline_exceeded("the deadline of the call has passed").into_http()
                    }
                }
            }
        };
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        let most = rules.message_bytes;
        let code = code(response.headers_mut(), most);
        response.map(|body| Observed::wrap(body, report, code, most, held))
    }

    fn admit(
        &self,
        rules: &Rules,
        peer: Option<Peer>,
        headers: &HeaderMap,
    ) -> Result<Call, Status> {
        if self.drain.is_cancelled() {
            return Err(status::unavailable("the server shuts down", RESTART));
        }
        if peer.is_some_and(|peer| peer.place.is_spare()) {
            return Err(status::exhausted(
                "the server has reached its limit of connections (server.connections)",
                CROWDED,
            ));
        }
        let owner = rules.tokens.authenticate(headers)?;
        let name = owner.as_ref().map_or("", |owner| &**owner.name());
        let own_permit = match &owner {
            None => None,
            Some(owner) => owner.admit().map_err(|full| {
                let why = format!("token \"{name}\" has reached its limit of {}", full.what);
                status::exhausted(&why, full.wait)
            })?,
        };
        let permit = self.calls.clone().try_acquire_owned().map_err(|_| {
            status::exhausted(
                "the server has reached its limit of calls (server.calls)",
                PAUSE,
            )
        })?;
        let deadline = match headers.get("grpc-timeout") {
            None => None,
            // A timeout beyond what the clock can express is no deadline at all.
            Some(text) => Instant::now().checked_add(timeout(text).ok_or_else(|| {
                Status::invalid_argument("grpc-timeout is malformed (such as 500m for 500 ms)")
            })?),
        };
        Ok(Call {
            owner,
            deadline,
            limit: rules.limit,
            held: Arc::new(Mutex::new(self.memory.nothing())),
            memory: self.memory.clone(),
            compressed: headers
                .get("grpc-encoding")
                .is_some_and(|encoding| encoding != "identity"),
            _permits: Arc::new([own_permit, Some(permit)]),
            metrics: self.metrics.clone(),
        })
    }

    /// The client's id for the call, if it is fit for a log, or a new one.
    fn request_id(&self, headers: &HeaderMap) -> String {
        let fit = |id: &&str| {
            let is_fit =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
            (1..=64).contains(&id.len()) && id.bytes().all(is_fit)
        };
        match headers
            .get(REQUEST_ID)
            .and_then(|id| id.to_str().ok())
            .filter(fit)
        {
            Some(id) => id.to_owned(),
            None => format!(
                "{:08x}-{}",
                self.process,
                self.next_id.fetch_add(1, Ordering::Relaxed)
            ),
        }
    }

    /// The called rpc, such as `som.v1.SomService/Mark`, and whether it takes any number of requests.
    /// Paths that are none of ours are one, of which nothing is known.
    fn rpc(&self, path: &str) -> (&str, Option<bool>) {
        let rpc = path.strip_prefix('/');
        let rpc = rpc.and_then(|path| self.rpcs.get_key_value(path));
        rpc.map_or(("other", None), |(name, &takes)| (name, Some(takes)))
    }
}

/// True for `application/grpc`, alone or with what it carries (`application/grpc+proto`).
fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.as_bytes().strip_prefix(GRPC.as_bytes()));
    kind.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

/// The value of `grpc-timeout`: up to eight digits and a unit (gRPC over HTTP/2, "Requests").
fn timeout(value: &HeaderValue) -> Option<Duration> {
    let (digits, unit) = value
        .to_str()
        .ok()?
        .split_at_checked(value.len().checked_sub(1)?)?;
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_grpc_writes_them() {
        let read = |text| timeout(&HeaderValue::from_static(text));
        assert_eq!(
            read("99999999H"),
            Some(Duration::from_secs(99_999_999 * 3600))
        );
        assert_eq!(read("2M"), Some(Duration::from_secs(120)));
        assert_eq!(read("3S"), Some(Duration::from_secs(3)));
        assert_eq!(read("250m"), Some(Duration::from_millis(250)));
        assert_eq!(read("7u"), Some(Duration::from_micros(7)));
        assert_eq!(read("0n"), Some(Duration::ZERO));
        for malformed in ["", "m", "1", "1h", "-1S", "+1S", "123456789S", "1.5S"] {
            assert_eq!(read(malformed), None, "{malformed:?}");
        }
    }
}
