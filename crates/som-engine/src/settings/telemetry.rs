//! `[telemetry]`: logs and traces.

use serde::{Deserialize, Serialize};

/// Logs and traces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetrySettings {
    /// How a line of the log is written.
    pub log: LogFormat,
    /// The OpenTelemetry collector that gets traces, such as `http://127.0.0.1:4317`; empty for
    /// none.
    pub otlp: String,
}

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: one object on each line.
    Json,
}
