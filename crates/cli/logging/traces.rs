//! Traces over OTLP: what each stage of each call took, for an OpenTelemetry collector.

use std::time::Duration;

use opentelemetry::{global, trace::TracerProvider as _};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{SdkTracer, SdkTracerProvider},
};
use som_core::{Error, Result};
use tokio::runtime::{Builder, Runtime};
use tracing::level_filters::LevelFilter;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

/// How long sending may take, the last time included.
const PATIENCE: Duration = Duration::from_secs(3);

/// Sends traces; dropped, it sends the last ones.
pub(crate) struct Traces {
    provider: SdkTracerProvider,
    /// Where the connection lives.
    _runtime: Runtime,
}

impl Traces {
    /// Traces to the collector at `address`, which is connected to by the first ones.
    ///
    /// # Errors
    /// Invalid, if the address is malformed.
    pub(super) fn to(address: &str) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("traces")
            .enable_all()
            .build()
            .map_err(|error| Error::exhausted("no thread could be started").caused_by(error))?;
        let wrong = |why: String| {
            Error::invalid(format!(
                "telemetry.otlp \"{address}\": {why} (write it like http://127.0.0.1:4317)"
            ))
        };
        if !["http://", "https://"]
            .iter()
            .any(|scheme| address.starts_with(scheme))
        {
            return Err(wrong("not the address of a collector".to_owned()));
        }
        let exporter = {
            let _inside = runtime.enter();
            SpanExporter::builder()
                .with_tonic()
                .with_endpoint(address)
                .with_timeout(PATIENCE)
                .build()
        };
        let exporter = exporter.map_err(|error| wrong(error.to_string()))?;
        // Calls to other processes tell which trace they belong to.
        global::set_text_map_propagator(TraceContextPropagator::new());
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(Resource::builder().with_service_name("som").build())
            .build();
        Ok(Self {
            provider,
            _runtime: runtime,
        })
    }

    /// Takes the spans of som's own crates: what libraries do would be noise.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    {
        let layer: OpenTelemetryLayer<S, SdkTracer> =
            tracing_opentelemetry::layer().with_tracer(self.provider.tracer("som"));
        layer.with_filter(Targets::new().with_target("som", LevelFilter::INFO))
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        // What could not be sent in time is lost, and the log has said so.
        let _ = self.provider.shutdown_with_timeout(PATIENCE);
    }
}
