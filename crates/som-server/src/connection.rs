//! One connection: HTTP/2 over a greeted socket, until it has to end.
//!
//! It ends when nobody calls over it for long, when it is old, at shutdown, and at the latest when
//! its time for that is over: each time with word to the client (GOAWAY), so that no call is lost.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
};
use http_body::{Frame, SizeHint};
use hyper::{body::Incoming, server::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use som_engine::settings::ServerSettings;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tonic::codegen::Service as _;

use crate::{places::Place, preface::Greeted};

/// Flow-control windows in which a large image does not have to wait for acknowledgements.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;
/// Frames in which a large image does not come in hundreds of pieces.
const FRAME: u32 = 1 << 20;
/// Calls that one connection may have open; the limits of the gate are what counts.
const STREAMS: u32 = 1024;
/// Bytes of the headers of a call.
const HEADERS: u32 = 64 << 10;

/// Who calls: its address, for logs, and the place of its connection.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) address: Option<SocketAddr>,
    pub(crate) place: Arc<Place>,
}

/// What ends connections.
#[derive(Clone)]
pub(crate) struct Ends {
    /// They finish their calls, and take no further one.
    pub(crate) drain: CancellationToken,
    /// They end at once.
    pub(crate) kill: CancellationToken,
}

/// Serves the calls of one connection until it ends.
pub(crate) async fn serve(
    io: Greeted,
    peer: Peer,
    router: Router,
    settings: Arc<ServerSettings>,
    ends: Ends,
) {
    let calls = Arc::new(Calls::default());
    let service = {
        let (calls, peer) = (calls.clone(), peer.clone());
        hyper::service::service_fn(move |mut request: http::Request<Incoming>| {
            let counted = Counted::begin(&calls);
            request.extensions_mut().insert(peer.clone());
            let answer = router.clone().call(request);
            async move {
                let answer = answer.await?;
                Ok::<_, Infallible>(answer.map(|body| {
                    Body::new(Answer {
                        body,
                        _counted: counted,
                    })
                }))
            }
        })
    };
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(settings.keepalive)
        .keep_alive_timeout(settings.keepalive_timeout)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADERS)
        .serve_connection(TokioIo::new(io), service);
    let mut connection = std::pin::pin!(connection);
    let age = match peer.place.is_spare() {
        // Nobody stays for long in a spare place.
        true => settings.handshake,
        false => settings.connection_age,
    };
    let last_word = async {
        tokio::select! {
            () = ends.drain.cancelled() => "shutdown",
            () = sleep_until(after(age)) => "age",
            () = calls.rest(settings.connection_idle) => "idleness",
        }
    };
    let mut last_word = std::pin::pin!(last_word);
    let mut end = None;
    loop {
        tokio::select! {
            result = &mut connection => {
                if let Err(error) = result {
                    tracing::debug!(peer = ?peer.address, %error, "a connection broke");
                }
                return;
            }
            () = ends.kill.cancelled() => return,
            why = &mut last_word, if end.is_none() => {
                tracing::debug!(peer = ?peer.address, why, "a connection is ended");
                connection.as_mut().graceful_shutdown();
                // At shutdown it is the server that says when its time is over.
                end = Some(match why {
                    "shutdown" => after(NEVER),
                    _ => after(settings.connection_grace),
                });
            }
            () = sleep_until(end.unwrap_or_else(|| after(NEVER))), if end.is_some() => return,
        }
    }
}

/// A time that does not pass.
const NEVER: Duration = Duration::ZERO;

/// The moment after so long; after [`NEVER`], and beyond what the clock can express, none that comes.
fn after(long: Duration) -> Instant {
    let now = Instant::now();
    let moment = now.checked_add(long).filter(|_| long != NEVER);
    moment.unwrap_or_else(|| now + Duration::from_secs(u64::from(u32::MAX)))
}

/// The calls of a connection that are open.
struct Calls(Mutex<Open>);

struct Open {
    count: usize,
    /// When the last one ended.
    since: Instant,
}

impl Default for Calls {
    fn default() -> Self {
        Self(Mutex::new(Open {
            count: 0,
            since: Instant::now(),
        }))
    }
}

impl Calls {
    fn change(&self, by: isize) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.count = open.count.saturating_add_signed(by);
        open.since = Instant::now();
    }

    /// Waits until there was no call for so long.
    async fn rest(&self, long: Duration) {
        let mut left = long;
        while long == NEVER || !left.is_zero() {
            sleep_until(after(left)).await;
            let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            left = match open.count {
                0 => long.saturating_sub(open.since.elapsed()),
                _ => long,
            };
        }
    }
}

/// One open call.
struct Counted(Arc<Calls>);

impl Counted {
    fn begin(calls: &Arc<Calls>) -> Self {
        calls.change(1);
        Self(calls.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.change(-1);
    }
}

/// The body of an answer; with its end the call ends.
struct Answer {
    body: Body,
    _counted: Counted,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
