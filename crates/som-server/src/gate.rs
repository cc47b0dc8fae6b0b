//! What every call passes before its service: request id, token, limits, deadline, log, metrics.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use som_core::Result;
use som_engine::settings::ServerSettings;
use som_proto::{pb, status};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};
use tonic::{Code, Status};
use tracing::Instrument as _;

use crate::{
    call::Call,
    connection::Peer,
    metrics::Metrics,
    report::{Observed, Report},
    token::{Owner, Tokens},
    trace,
};

const REQUEST_ID: &str = "x-request-id";
/// Health checks come from machines that hold no token, and must not fail for want of a permit.
const HEALTH: &str = "/grpc.health.v1.Health/";
/// When to try again after too many calls at a time.
const PAUSE: Duration = Duration::from_millis(100);

/// What every call passes before its service.
pub(crate) struct Gate {
    tokens: Tokens,
    calls: Arc<Semaphore>,
    limit: Duration,
    metrics: Arc<Metrics>,
    rpcs: HashSet<String>,
    /// Tells the ids of this process from those of others.
    process: u32,
    next_id: AtomicU64,
}

impl Gate {
    /// The gate that the settings ask for.
    ///
    /// # Errors
    /// Invalid, if a token cannot be had.
    pub(crate) fn new(settings: &ServerSettings, metrics: Arc<Metrics>) -> Result<Self> {
        Ok(Self {
            tokens: Tokens::read(&settings.token)?,
            calls: Arc::new(Semaphore::new(settings.calls)),
            limit: settings.deadline,
            metrics,
            rpcs: pb::rpcs().into_iter().collect(),
            process: RandomState::new().hash_one(0) as u32,
            next_id: AtomicU64::new(1),
        })
    }

    /// True if calls need no token.
    pub(crate) fn is_open(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Lets a call through to its service, or answers it here.
    pub(crate) async fn pass(
        State(gate): State<Arc<Self>>,
        mut request: Request,
        next: Next,
    ) -> Response {
        if request.uri().path().starts_with(HEALTH) {
            return next.run(request).await;
        }
        let id = gate.request_id(request.headers());
        let rpc = gate.rpc(request.uri().path());
        let peer = request.extensions().get::<Peer>().and_then(|peer| peer.0);
        let span = tracing::info_span!(
            "call",
            id,
            rpc,
            peer = peer.map(tracing::field::display),
            owner = tracing::field::Empty
        );
        trace::set_parent(&span, request.headers());
        let report = Report::begin(rpc, span.clone(), gate.metrics.clone());

        let admitted = gate.admit(request.headers());
        let mut response = match admitted {
            Err(status) => status.into_http::<Body>(),
            Ok(call) => {
                if !call.owner.is_empty() {
                    span.record("owner", &*call.owner);
                }
                let limit = Instant::now() + gate.limit;
                let deadline = call.deadline.map_or(limit, |deadline| deadline.min(limit));
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
        let code = code(response.headers());
        response.map(|body| Observed::wrap(body, report, code))
    }

    fn admit(&self, headers: &HeaderMap) -> Result<Call, Status> {
        let owner = self.authenticate(headers)?;
        let name = owner.as_ref().map_or("", |owner| owner.name());
        let own_permit = match &owner {
            None => None,
            Some(owner) => owner.admit().map_err(|wait| {
                status::exhausted(
                    format!("token \"{name}\" has reached its limit of calls"),
                    wait,
                )
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
            owner: name.into(),
            deadline,
            limit: self.limit,
            compressed: headers
                .get("grpc-encoding")
                .is_some_and(|encoding| encoding != "identity"),
            _permits: Arc::new([own_permit, Some(permit)]),
            metrics: self.metrics.clone(),
        })
    }

    /// Whose call it is; `None` on an open server.
    fn authenticate(&self, headers: &HeaderMap) -> Result<Option<Arc<Owner>>, Status> {
        if self.tokens.is_empty() {
            return Ok(None);
        }
        let Some(value) = headers.get(AUTHORIZATION) else {
            return Err(Status::unauthenticated(
                "a bearer token is needed (metadata \"authorization: Bearer TOKEN\")",
            ));
        };
        let token = value
            .as_bytes()
            .split_at_checked(7)
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "));
        let owner = token.and_then(|(_, token)| self.tokens.owner(token.trim_ascii()));
        owner
            .map(Some)
            .ok_or_else(|| Status::unauthenticated("the bearer token is wrong"))
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

    /// The called rpc, such as `som.v1.SomService/Mark`. Paths that are none of ours are one.
    fn rpc(&self, path: &str) -> &str {
        path.strip_prefix('/')
            .and_then(|path| self.rpcs.get(path))
            .map_or("other", String::as_str)
    }
}

/// The code in the headers of an answer without messages.
fn code(headers: &HeaderMap) -> Option<Code> {
    headers
        .get(Status::GRPC_STATUS)
        .map(|code| Code::from_bytes(code.as_bytes()))
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
