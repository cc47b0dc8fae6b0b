//! Logs, on stderr: nothing but what was asked for goes to stdout.

use std::io::{self, IsTerminal as _};

use som_core::{Error, Result};
use tracing_subscriber::EnvFilter;

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

/// Starts the logs: as much as `verbosity` says; or what the variable `SOM_LOG` says, such as
/// `debug` or `som_engine=trace`, unless a flag asks for more.
///
/// # Errors
/// Invalid, if `SOM_LOG` is malformed.
pub(crate) fn start(verbosity: Verbosity) -> Result<()> {
    let level = match verbosity {
        Verbosity::Errors => "error",
        Verbosity::Warnings => "warn",
        Verbosity::Calls | Verbosity::Asked(0 | 1) => "info",
        Verbosity::Asked(2) => "debug",
        Verbosity::Asked(3..) => "trace",
    };
    let filter = match std::env::var("SOM_LOG") {
        Ok(text) if !matches!(verbosity, Verbosity::Asked(_)) => {
            EnvFilter::builder().parse(&text).map_err(|error| {
                Error::invalid(format!(
                    "SOM_LOG={text}: {error} (write it like debug or som_engine=trace)"
                ))
            })?
        }
        _ => EnvFilter::new(level),
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    Ok(())
}
