//! What is measured, and the page that Prometheus reads.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router, extract::State, http::header::CONTENT_TYPE, response::IntoResponse, routing::get,
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text::encode},
    metrics::{
        counter::Counter, family::Family, gauge::ConstGauge, gauge::Gauge, histogram::Histogram,
        histogram::exponential_buckets,
    },
    registry::{Registry, Unit},
};
use som_core::{Error, ErrorKind, Result, Timings};
use som_engine::Engine;
use tokio::net::TcpListener;

/// What is measured.
pub(crate) struct Metrics {
    registry: Registry,
    calls: Family<CallLabels, Counter>,
    call_seconds: Family<RpcLabel, Histogram>,
    stage_seconds: Family<StageLabel, Histogram>,
    errors: Family<KindLabel, Counter>,
    in_progress: Gauge<i64, AtomicI64>,
    /// Nanoseconds that the latest segmentation took.
    latest_segment: AtomicU64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    rpc: String,
    code: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RpcLabel {
    rpc: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabel {
    stage: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

impl Metrics {
    /// Nothing measured yet; queues are read from `engine` when the page is.
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        // 1 ms to about 65 s.
        let seconds = || Histogram::new(exponential_buckets(0.001, 2.0, 17));
        let mut metrics = Self {
            registry: Registry::with_prefix("som"),
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(seconds),
            stage_seconds: Family::new_with_constructor(seconds),
            errors: Family::default(),
            in_progress: Gauge::default(),
            latest_segment: AtomicU64::new(0),
        };
        let registry = &mut metrics.registry;
        registry.register("calls", "Finished calls", metrics.calls.clone());
        registry.register_with_unit(
            "call",
            "Time from the first byte of a call to its last",
            Unit::Seconds,
            metrics.call_seconds.clone(),
        );
        registry.register_with_unit(
            "stage",
            "Time that one stage of the pipeline took",
            Unit::Seconds,
            metrics.stage_seconds.clone(),
        );
        registry.register("errors", "Failed calls by kind", metrics.errors.clone());
        registry.register(
            "calls_in_progress",
            "Calls in progress",
            metrics.in_progress.clone(),
        );
        registry.register_collector(Box::new(Queues(engine)));
        metrics
    }

    /// A call began.
    pub(crate) fn begin(&self) {
        self.in_progress.inc();
    }

    /// A call of `rpc` ended with gRPC `code` after `took`.
    pub(crate) fn end(&self, rpc: &str, code: tonic::Code, took: Duration) {
        self.in_progress.dec();
        let labels = CallLabels {
            rpc: rpc.to_owned(),
            code: format!("{code:?}"),
        };
        self.calls.get_or_create(&labels).inc();
        self.call_seconds
            .get_or_create(&RpcLabel {
                rpc: rpc.to_owned(),
            })
            .observe(took.as_secs_f64());
        if code != tonic::Code::Ok {
            self.error(som_proto::status::kind(code));
        }
    }

    /// A call, or one request of a stream, failed.
    pub(crate) fn error(&self, kind: ErrorKind) {
        self.errors
            .get_or_create(&KindLabel { kind: kind.name() })
            .inc();
    }

    /// Stages took so long.
    pub(crate) fn stages(&self, timings: &Timings) {
        for (stage, took) in timings.stages() {
            self.stage(stage, took);
        }
    }

    /// A stage took so long.
    pub(crate) fn stage(&self, stage: &'static str, took: Duration) {
        self.stage_seconds
            .get_or_create(&StageLabel { stage })
            .observe(took.as_secs_f64());
        if stage == "segment" {
            let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
            self.latest_segment.store(nanos, Ordering::Relaxed);
        }
    }

    /// When a full queue is likely to have a place: after about one segmentation.
    pub(crate) fn retry_delay(&self) -> Duration {
        Duration::from_nanos(self.latest_segment.load(Ordering::Relaxed))
            .clamp(Duration::from_millis(50), Duration::from_secs(5))
    }

    /// The page, in the OpenMetrics text format.
    fn page(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry).map(|()| text)
    }
}

/// How many requests wait for each segmenter.
struct Queues(Arc<Engine>);

impl fmt::Debug for Queues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queues")
    }
}

impl Collector for Queues {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let gauge = ConstGauge::new(0_i64);
        let mut family = encoder.encode_descriptor(
            "queue_depth",
            "Requests that wait for an instance of a segmenter",
            None,
            gauge.metric_type(),
        )?;
        for entry in self.0.registry().segmenters() {
            let depth = i64::try_from(entry.queued()).unwrap_or(i64::MAX);
            let labels = [("segmenter", entry.id())];
            ConstGauge::new(depth).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

/// Serves the page at `/metrics` until dropped.
///
/// # Errors
/// Unavailable, if the listener fails.
pub(crate) async fn serve(metrics: Arc<Metrics>, listener: TcpListener) -> Result<()> {
    let router = Router::new()
        .route("/metrics", get(page))
        .with_state(metrics);
    axum::serve(listener, router)
        .await
        .map_err(|error| Error::unavailable("the metrics page ended").caused_by(error))
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
