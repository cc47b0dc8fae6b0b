//! How busy each segmenter is.

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::gauge::ConstGauge,
};
use som_engine::{Engine, registry::SegmenterEntry};

/// What a gauge counts at a segmenter.
type Count = fn(&SegmenterEntry) -> usize;

/// Requests that wait for each segmenter, and its instances that work.
pub(super) struct Queues(pub(super) Arc<Engine>);

impl fmt::Debug for Queues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queues")
    }
}

impl Collector for Queues {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let gauges: [(_, _, Count); 2] = [
            (
                "queue_depth",
                "Requests that wait for an instance of a segmenter",
                SegmenterEntry::queued,
            ),
            (
                "instances_busy",
                "Instances of a segmenter that work on a request",
                SegmenterEntry::busy,
            ),
        ];
        for (name, help, count) in gauges {
            let kind = ConstGauge::new(0_i64).metric_type();
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for entry in self.0.registry().segmenters() {
                let count = i64::try_from(count(entry)).unwrap_or(i64::MAX);
                let labels = [("segmenter", entry.id())];
                ConstGauge::new(count).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
