//! What this process takes of the machine.

use std::{fmt, fs, sync::Arc, time::Instant};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::gauge::ConstGauge,
};
use som_engine::Engine;

/// Memory, threads and open files of this process, and the budget of its calls.
pub(super) struct Process {
    engine: Arc<Engine>,
    started: Instant,
}

impl Process {
    pub(super) fn new(engine: Arc<Engine>) -> Self {
        Self {
            engine,
            started: Instant::now(),
        }
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Process")
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name))?;
            value.split_whitespace().next()?.parse::<f64>().ok()
        };
        let files = fs::read_dir("/proc/self/fd").map(|files| files.count() as f64);
        let memory = self.engine.memory();
        let gauges = [
            (
                "memory_held_bytes",
                "Bytes that calls in progress hold",
                Some(memory.held() as f64),
            ),
            (
                "memory_budget_bytes",
                "Bytes that calls in progress may hold",
                Some(memory.budget() as f64),
            ),
            (
                "process_resident_memory_bytes",
                "Resident memory",
                line("VmRSS:").map(|kilobytes| kilobytes * 1024.0),
            ),
            ("process_threads", "Threads", line("Threads:")),
            ("process_open_fds", "Open file descriptors", files.ok()),
            (
                "process_uptime_seconds",
                "Time since the start",
                Some(self.started.elapsed().as_secs_f64()),
            ),
        ];
        for (name, help, value) in gauges {
            // A system without /proc does not tell.
            let Some(value) = value else { continue };
            let gauge = ConstGauge::new(value);
            let encoder = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(encoder)?;
        }
        Ok(())
    }
}
