//! The gRPC services of som over `som-engine`.
//!
//! A [`Server`] is bound first, so that everything that can be wrong with the settings is known,
//! and run after. [`Role`] says what it serves: everything ([`Role::Front`]), or one segmenter for
//! another som to use ([`Role::Backend`]).
//!
//! The way of a call: `listener` → `preface` → `connection` → `gate` → `upload` → a service → the
//! engine, where the work is done on threads of its own. Nothing computes on the async runtime.

mod authority;
mod call;
mod catalog_service;
mod connection;
mod descriptors;
mod gate;
mod health;
mod kept;
mod listener;
mod metrics;
mod places;
mod preface;
mod reload;
mod report;
mod segmenter_service;
mod som_service;
mod tls;
mod token;
mod trace;
mod upload;

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, middleware};
use som_core::{Error, Result};
use som_engine::{Engine, settings::ServerSettings};
use som_proto::pb::{
    self,
    plugin::v1::segmenter_service_server::SegmenterServiceServer,
    v1::{catalog_service_server::CatalogServiceServer, som_service_server::SomServiceServer},
};
use tokio::{net::TcpListener, time::timeout};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tonic::{codec::CompressionEncoding, server::NamedService as _, service::Routes};
use tonic_reflection::server::Builder;

pub use crate::reload::{Reloaded, Reloader};
use crate::{
    catalog_service::Catalog, connection::Ends, gate::Gate, health::Health, listener::Listener,
    metrics::Metrics, segmenter_service::Backend, som_service::Som,
};

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
    router: Router,
    health: Health,
    metrics: Arc<Metrics>,
    settings: Arc<ServerSettings>,
    reloader: Reloader,
    /// Cancelled, connections and streams take no further request.
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
        descriptors::warn_if_short(&settings);
        let metrics = Arc::new(Metrics::new(engine.clone()));
        let drain = CancellationToken::new();
        let memory = engine.memory().clone();
        let gate = Gate::new(&settings, metrics.clone(), memory, drain.clone())?;
        let gate = Arc::new(gate);
        let (reporter, health_service) = tonic_health::server::health_reporter();
        let (services, segmenters) = match &role {
            Role::Front => {
                let all = engine.registry().segmenters();
                let names = vec![
                    SomServiceServer::<Som>::NAME,
                    CatalogServiceServer::<Catalog>::NAME,
                ];
                (names, all.map(|entry| entry.id().to_owned()).collect())
            }
            Role::Backend(id) => (
                vec![SegmenterServiceServer::<Backend>::NAME],
                vec![id.clone()],
            ),
        };
        let health = Health::new(reporter, engine.clone(), services.clone(), segmenters);
        let router = routes(engine.clone(), role, &services, &settings, &drain)?
            .add_service(health_service)
            .prepare()
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
            reloader: Reloader::new(gate, listener.tls(), engine.settings().clone()),
            listener,
            metrics_page,
            router,
            health,
            metrics,
            settings: Arc::new(settings),
            drain,
        })
    }

    /// Takes new settings while the server runs.
    pub fn reloader(&self) -> Reloader {
        self.reloader.clone()
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
    /// None today: what goes wrong with a connection is its own affair.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<Ended> {
        let Self {
            mut listener,
            metrics_page,
            router,
            health,
            metrics,
            settings,
            drain,
            ..
        } = self;
        let _file = listener.take_file();
        let (page_metrics, page_settings) = (metrics.clone(), settings.clone());
        let page = metrics_page.map(|listener| {
            let page = metrics::serve(page_metrics, listener, page_settings);
            AbortOnDropHandle::new(tokio::spawn(page))
        });
        let ends = Ends {
            drain: drain.clone(),
            kill: CancellationToken::new(),
        };
        let serving = listener.serve(router, settings.clone(), metrics, ends.clone());
        let mut serving = AbortOnDropHandle::new(tokio::spawn(serving));
        tokio::select! {
            () = health.tell() => {}
            () = shutdown => {}
        }
        health.tell_end().await;
        drain.cancel();
        let ended = match timeout(settings.drain, &mut serving).await {
            Ok(_) => Ended::Drained,
            Err(_) => {
                // A peer that does not answer would hold the shutdown up for ever.
                ends.kill.cancel();
                let _ = timeout(KILL, &mut serving).await;
                Ended::CutOff
            }
        };
        drop(page);
        Ok(ended)
    }
}

/// The services of a role and reflection of them by their names, behind no gate yet.
fn routes(
    engine: Arc<Engine>,
    role: Role,
    names: &[&str],
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
        let builder = Builder::configure()
            .register_encoded_file_descriptor_set(pb::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .with_service_name("grpc.health.v1.Health");
        let names = names.iter().copied();
        names.fold(builder, Builder::with_service_name)
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
