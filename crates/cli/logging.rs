//! Logs, on stderr: nothing but what was asked for goes to stdout.

use std::io::{self, IsTerminal as _};

use som_core::{Error, Result};
use tracing_subscriber::EnvFilter;

/// Starts the logs: warnings; more with each `-v`; or what the variable `SOM_LOG` says, such as
/// `debug` or `som_engine=trace`.
///
/// # Errors
/// Invalid, if `SOM_LOG` is malformed.
pub(crate) fn start(verbose: u8, quiet: bool) -> Result<()> {
    let level = match (verbose, quiet) {
        (0, true) => "error",
        (0, false) => "warn",
        (1, _) => "info",
        (2, _) => "debug",
        (3.., _) => "trace",
    };
    let filter = match std::env::var("SOM_LOG") {
        Ok(text) if verbose == 0 => EnvFilter::builder().parse(&text).map_err(|error| {
            Error::invalid(format!(
                "SOM_LOG={text}: {error} (write it like debug or som_engine=trace)"
            ))
        })?,
        _ => EnvFilter::new(level),
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    Ok(())
}
