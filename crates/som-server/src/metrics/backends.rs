//! How the endpoints of segmenters are.

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::gauge::ConstGauge,
};
use som_engine::{Engine, registry::EndpointState};

/// What a gauge tells of an endpoint.
type Reading = fn(&EndpointState) -> f64;

/// Of each endpoint: whether it serves, how fast it answers, and whether it is left alone.
pub(super) struct Backends(pub(super) Arc<Engine>);

impl fmt::Debug for Backends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Backends")
    }
}

impl Collector for Backends {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let gauges: [(_, _, Reading); 4] = [
            ("backend_up", "1 for an endpoint that serves", |state| {
                f64::from(u8::from(state.is_up))
            }),
            (
                "backend_latency_seconds",
                "What the latest check of an endpoint's health took",
                |state| state.latency.as_secs_f64(),
            ),
            (
                "backend_breaker_open",
                "1 for an endpoint that keeps failing and is left alone",
                |state| f64::from(u8::from(state.is_left_alone)),
            ),
            (
                "backend_calls_in_progress",
                "Calls to an endpoint in progress",
                |state| state.calls as f64,
            ),
        ];
        let entries = self.0.registry().segmenters();
        let states: Vec<_> = entries
            .flat_map(|entry| {
                entry
                    .endpoints()
                    .into_iter()
                    .map(move |state| (entry.id(), state))
            })
            .collect();
        for (name, help, value) in gauges {
            let kind = ConstGauge::new(0.0).metric_type();
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for (segmenter, state) in &states {
                let labels = [
                    ("segmenter", *segmenter),
                    ("endpoint", state.address.as_str()),
                ];
                ConstGauge::new(value(state)).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
