//! Logs, on stderr: nothing but what was asked for goes to stdout. And traces, to a collector.

mod lines;
mod traces;

use std::io::{self, IsTerminal as _};

use som_core::{Error, Result};
use som_engine::settings::{LogFormat, TelemetrySettings};
use tracing_subscriber::{
    EnvFilter, Layer as _, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use self::lines::Lines;
pub(crate) use self::traces::Traces;

/// How much to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// Errors alone.
    Errors,
    /// Warnings too.
    Warnings,
    /// Every call, too.
    Calls,
    /// As many `-v` as there were.
    Asked(u8),
}

/// Libraries below gRPC, whose finer logs tell the headers of calls, tokens among them.
const NETWORK: &str = "h2=info,hyper=info,hyper_util=info,rustls=info,tonic=info,tower=info";

/// Starts the logs: as much as `verbosity` says; or what the variable `SOM_LOG` says, such as
/// `debug` or `som_engine=trace`, unless a flag asks for more. And traces, if there is a collector:
/// the last ones are sent when what is returned is dropped.
///
/// # Errors
/// Invalid, if `SOM_LOG` or the collector's address is malformed.
pub(crate) fn start(verbosity: Verbosity, settings: &TelemetrySettings) -> Result<Option<Traces>> {
    let filter = filter(verbosity)?;
    let lines = tracing_subscriber::fmt::layer();
    let lines = match settings.log {
        LogFormat::Text => {
            let lines = lines.with_ansi(io::stderr().is_terminal());
            lines.with_writer(Lines::to_stderr()).boxed()
        }
        LogFormat::Json => {
            let lines = lines.with_writer(io::stderr);
            lines.json().flatten_event(true).boxed()
        }
    };
    let traces = match settings.otlp.as_str() {
        "" => None,
        address => Some(Traces::to(address)?),
    };
    tracing_subscriber::registry()
        .with(traces.as_ref().map(Traces::layer))
        .with(lines.with_filter(filter))
        .init();
    Ok(traces)
}

fn filter(verbosity: Verbosity) -> Result<EnvFilter> {
    let level = match verbosity {
        Verbosity::Errors => "error",
        Verbosity::Warnings => "warn",
        Verbosity::Calls | Verbosity::Asked(0 | 1) => "info",
        Verbosity::Asked(2) => "debug",
        Verbosity::Asked(3..) => "trace",
    };
    match std::env::var("SOM_LOG") {
        Ok(text) if !matches!(verbosity, Verbosity::Asked(_)) => {
            EnvFilter::builder().parse(&text).map_err(|error| {
                Error::invalid(format!(
                    "SOM_LOG={text}: {error} (write it like debug or som_engine=trace)"
                ))
            })
        }
        _ if matches!(level, "debug" | "trace") => Ok(EnvFilter::new(format!("{level},{NETWORK}"))),
        _ => Ok(EnvFilter::new(level)),
    }
}
