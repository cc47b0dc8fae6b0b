//! The page that Prometheus reads. It has limits of its own: whoever holds it up loses his place to
//! the next one.

use std::{collections::VecDeque, sync::Arc};

use axum::{
    Router, extract::State, http::header::CONTENT_TYPE, response::IntoResponse, routing::get,
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use som_engine::settings::ServerSettings;
use tokio::{
    net::TcpListener,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::Metrics;

/// How long to wait when a connection cannot be accepted.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

/// Serves the page at `/metrics` until dropped.
pub(crate) async fn serve(
    metrics: Arc<Metrics>,
    listener: TcpListener,
    settings: Arc<ServerSettings>,
) {
    let router = Router::new()
        .route("/metrics", get(page))
        .with_state(metrics);
    // Dropped, it ends them all.
    let mut connections = JoinSet::new();
    let mut by_age = VecDeque::new();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection to the metrics page could not be accepted");
                sleep(PAUSE).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        by_age.retain(|connection: &tokio::task::AbortHandle| !connection.is_finished());
        if by_age.len() >= settings.metrics_connections
            && let Some(oldest) = by_age.pop_front()
        {
            oldest.abort();
        }
        let serving = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(settings.handshake)
            .serve_connection(
                TokioIo::new(stream),
                TowerToHyperService::new(router.clone()),
            );
        let time = settings.idle;
        // A scraper that goes away, or stays too long, is nobody's concern.
        by_age.push_back(connections.spawn(async move { drop(timeout(time, serving).await) }));
    }
}

async fn page(State(metrics): State<Arc<Metrics>>) -> impl IntoResponse {
    let text = metrics.page().unwrap_or_default();
    (
        [(
            CONTENT_TYPE,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        )],
        text,
    )
}
