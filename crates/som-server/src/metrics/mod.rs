//! What is measured: counted here, or read from the engine and the system when it is asked for.

mod backends;
mod page;
mod process;
mod queues;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::{Registry, Unit},
};
use som_core::{ErrorKind, Timings, Usage};
use som_engine::Engine;

pub(crate) use self::page::serve;
use self::{backends::Backends, process::Process, queues::Queues};

/// What is measured.
pub(crate) struct Metrics {
    registry: Registry,
    calls: Family<CallLabels, Counter>,
    call_seconds: Family<RpcLabel, Histogram>,
    stage_seconds: Family<StageLabel, Histogram>,
    errors: Family<KindLabel, Counter>,
    in_progress: Gauge<i64, AtomicI64>,
    connections: Gauge<i64, AtomicI64>,
    places_taken: Counter,
    answers: Family<LmmLabel, Counter>,
    tokens: Family<TokenLabels, Counter>,
    dollars: Family<LmmLabel, Counter<f64, AtomicU64>>,
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

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LmmLabel {
    lmm: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TokenLabels {
    lmm: String,
    /// Of a prompt, the part of it that the provider had kept, or an answer.
    kind: &'static str,
}

/// One connection that is open, until this is dropped.
pub(crate) struct OpenConnection(Gauge<i64, AtomicI64>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// Nothing measured yet; what `engine` tells is read when the page is.
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
            connections: Gauge::default(),
            places_taken: Counter::default(),
            answers: Family::default(),
            tokens: Family::default(),
            dollars: Family::default(),
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
        registry.register(
            "connections",
            "Open connections",
            metrics.connections.clone(),
        );
        registry.register(
            "connections_full",
            "Connections that found all places taken",
            metrics.places_taken.clone(),
        );
        registry.register(
            "lmm_answers",
            "Requests to models that were answered",
            metrics.answers.clone(),
        );
        registry.register("lmm_tokens", "Tokens of models", metrics.tokens.clone());
        registry.register(
            "lmm_dollars",
            "US dollars that models with prices took",
            metrics.dollars.clone(),
        );
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "Which som this is", build);
        registry.register_collector(Box::new(Queues(engine.clone())));
        registry.register_collector(Box::new(Backends(engine.clone())));
        registry.register_collector(Box::new(Process::new(engine)));
        metrics
    }

    /// A connection was accepted.
    pub(crate) fn connection(&self) -> OpenConnection {
        self.connections.inc();
        OpenConnection(self.connections.clone())
    }

    /// A connection found all places taken.
    pub(crate) fn places_taken(&self) {
        self.places_taken.inc();
    }

    /// The model `lmm` answered `rounds` requests, which took so much.
    pub(crate) fn answers(
        &self,
        lmm: &str,
        rounds: u32,
        usage: Option<Usage>,
        dollars: Option<f64>,
    ) {
        let label = LmmLabel {
            lmm: lmm.to_owned(),
        };
        self.answers.get_or_create(&label).inc_by(rounds.into());
        if let Some(usage) = usage {
            for (kind, count) in [
                ("input", usage.input_tokens),
                ("cached", usage.cached_tokens),
                ("output", usage.output_tokens),
            ] {
                let lmm = lmm.to_owned();
                let labels = TokenLabels { lmm, kind };
                self.tokens.get_or_create(&labels).inc_by(count);
            }
        }
        if let Some(dollars) = dollars {
            self.dollars.get_or_create(&label).inc_by(dollars);
        }
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
