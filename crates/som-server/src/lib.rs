//! The gRPC services of som over `som-engine`.
//!
//! A [`Server`] is bound first, so that everything that can be wrong with the settings is known,
//! and run after. [`Role`] says what it serves: everything ([`Role::Front`]), or one segmenter for
//! another som to use ([`Role::Backend`]).
//!
//! The way of a call: `listener` → `connection` → `gate` → a service → the engine, where the
//! work is done on threads of its own. Nothing computes on the async runtime.

mod call;
mod catalog_service;
mod connection;
mod gate;
mod kept;
mod listener;
mod metrics;
mod report;
mod segmenter_service;
mod som_service;
mod tls;
mod token;
mod trace;

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use axum::middleware;
use som_core::{Error, Result};
use som_engine::{Engine, settings::ServerSettings};
use som_proto::pb::{
    self,
    plugin::v1::segmenter_service_server::SegmenterServiceServer,
    v1::{catalog_service_server::CatalogServiceServer, som_service_server::SomServiceServer},
};
use tokio::{net::TcpListener, time::timeout};
use tokio_util::sync::CancellationToken;
use tonic::{codec::CompressionEncoding, service::Routes, transport};

use crate::{
    catalog_service::Catalog, gate::Gate, listener::Listener, metrics::Metrics,
    segmenter_service::Backend, som_service::Som,
};

/// Flow-control windows in which a large image does not have to wait for acknowledgements.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;
/// Frames in which a large image does not come in hundreds of pieces.
const FRAME: u32 = 1 << 20;
/// Calls that one connection may have open; the limits of the gate are what counts.
const STREAMS: u32 = 1024;

/// How long connections that were cut off may take to notice.
const KILL: Duration = Duration::from_secs(1);

/// What a server serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// `SomService` and `CatalogService`.
    Front,
    /// `SegmenterService`, with the segmenter of this id.
    Backend(String),
}

/// A server on a bound address.
pub struct Server {
    listener: Listener,
    address: String,
    metrics_page: Option<TcpListener>,
    routes: Routes,
    health: tonic_health::server::HealthReporter,
    metrics: Arc<Metrics>,
    settings: ServerSettings,
    /// Cancelled, streams take no further request.
    drain: CancellationToken,
}

/// How a server came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Every call in progress was finished.
    Drained,
    /// Calls in progress were cut off after `server.drain_ms`.
    CutOff,
}

impl Server {
    /// Binds the address in the engine's settings. Clients can connect from now on, and are
    /// served once it [runs](Self::run).
    ///
    /// # Errors
    /// NotFound for a backend's unknown segmenter, Invalid for wrong settings, Unavailable if an
    /// address cannot be bound.
    pub async fn bind(engine: Arc<Engine>, role: Role) -> Result<Self> {
        let settings = engine.settings().server.clone();
        settings.check()?;
        let metrics = Arc::new(Metrics::new(engine.clone()));
        let gate = Arc::new(Gate::new(&settings, metrics.clone())?);
        let (health, health_service) = tonic_health::server::health_reporter();
        let drain = CancellationToken::new();
        let routes = services(engine, role, &settings, &drain)?
            .add_service(health_service)
            .into_axum_router()
            .layer(middleware::from_fn_with_state(gate.clone(), Gate::pass));
        let listener = Listener::bind(&settings).await?;
        if gate.is_open() && listener.is_exposed() {
            tracing::warn!(
                "other machines may connect without token or encryption (server.token, server.tls)"
            );
        }
        let metrics_page = match settings.metrics.as_str() {
            "" => None,
            address => Some(listener::bind_tcp("server.metrics", address).await?),
        };
        Ok(Self {
            address: listener.address(),
            listener,
            metrics_page,
            routes: Routes::from(routes),
            health,
            metrics,
            settings,
            drain,
        })
    }

    /// What was bound: `127.0.0.1:50051` with the port that was chosen, or `unix:PATH`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where the Prometheus page is; `None` without one.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_page.as_ref()?.local_addr().ok()
    }

    /// Serves until `shutdown`, then refuses new calls and finishes those in progress.
    ///
    /// # Errors
    /// Unavailable, if the transport fails.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<Ended> {
        let Self {
            mut listener,
            metrics_page,
            routes,
            health,
            metrics,
            settings,
            drain,
            ..
        } = self;
        let _file = listener.take_file();
        let page = metrics_page.map(|listener| tokio::spawn(metrics::serve(metrics, listener)));
        let kill = CancellationToken::new();
        let serving = transport::Server::builder()
            .http2_keepalive_interval(Some(settings.keepalive))
            .http2_keepalive_timeout(Some(settings.keepalive_timeout))
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(FRAME)
            .max_concurrent_streams(STREAMS)
            .add_routes(routes)
            .serve_with_incoming_shutdown(
                listener.incoming(kill.clone()),
                drain.clone().cancelled_owned(),
            );
        let mut serving = std::pin::pin!(serving);
        health
            .set_service_status("", tonic_health::ServingStatus::Serving)
            .await;
        let failed = |error| Error::unavailable("the server's transport failed").caused_by(error);
        let ended = tokio::select! {
            result = &mut serving => result.map(|()| Ended::Drained).map_err(failed),
            () = shutdown => {
                health.set_service_status("", tonic_health::ServingStatus::NotServing).await;
                drain.cancel();
                match timeout(settings.drain, &mut serving).await {
                    Ok(result) => result.map(|()| Ended::Drained).map_err(failed),
                    Err(_) => {
                        // A peer that does not answer would hold the shutdown up for ever.
                        kill.cancel();
                        let _ = timeout(KILL, &mut serving).await;
                        Ok(Ended::CutOff)
                    }
                }
            }
        };
        if let Some(page) = page {
            page.abort();
        }
        ended
    }
}

/// The services of a role, with reflection, behind no gate yet.
fn services(
    engine: Arc<Engine>,
    role: Role,
    settings: &ServerSettings,
    drain: &CancellationToken,
) -> Result<Routes> {
    macro_rules! service {
        ($service:ident, $implementation:expr) => {
            $service::new($implementation)
                .accept_compressed(CompressionEncoding::Zstd)
                .accept_compressed(CompressionEncoding::Gzip)
                .send_compressed(CompressionEncoding::Zstd)
                .send_compressed(CompressionEncoding::Gzip)
                .max_decoding_message_size(settings.message_bytes)
                .max_encoding_message_size(settings.message_bytes)
        };
    }
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(pb::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let broken = |error| Error::internal("reflection cannot be offered").caused_by(error);
    let routes = match role {
        Role::Front => {
            let som = Som::new(engine.clone(), drain.clone());
            Routes::new(service!(SomServiceServer, som))
                .add_service(service!(CatalogServiceServer, Catalog(engine)))
        }
        Role::Backend(id) => {
            Routes::new(service!(SegmenterServiceServer, Backend::new(engine, &id)?))
        }
    };
    // Some clients only know the older version.
    Ok(routes
        .add_service(reflection().build_v1().map_err(broken)?)
        .add_service(reflection().build_v1alpha().map_err(broken)?))
}
