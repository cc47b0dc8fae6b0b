//! `som serve`: segmentation and marking over gRPC.

use std::process::ExitCode;

use clap::Args;
use som_core::Result;
use som_engine::{Engine, registry::Registry, settings::Ladder};
use som_server::{Ended, Reloaded, Reloader, Role, Server};
use tokio::sync::oneshot;

use crate::{embedded::PLUGINS, output::Output, runtime::runtime, signal::Signals};

/// Serve segmentation and marking over gRPC
///
/// Prints the address it listens on. SIGTERM or Ctrl-C ends it once the calls in progress are
/// finished; a second one ends it at once. On SIGHUP it reads its settings again: tokens,
/// certificates and some times take effect at once, and it logs what waits for a restart.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Where to listen: HOST:PORT (port 0 for any that is free) or unix:PATH
    /// [default: server.listen of the settings]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  som serve
  som serve --listen 127.0.0.1:0
  som serve --listen unix:/run/som.sock";

/// Serves until told to end.
pub(crate) fn run(options: Options, ladder: Ladder) -> Result<ExitCode> {
    serve(&with_listen(ladder, options.listen), |_| Role::Front)
}

/// The settings with `--listen`.
pub(crate) fn with_listen(ladder: Ladder, listen: Option<String>) -> Ladder {
    match listen {
        Some(address) => ladder.with_flag("--listen", "server.listen", address),
        None => ladder,
    }
}

/// Serves what `role` says until told to end.
///
/// # Errors
/// Invalid or NotFound, naming the setting or flag that is wrong; Unavailable, if the address
/// cannot be bound.
pub(crate) fn serve(ladder: &Ladder, role: impl FnOnce(&Engine) -> Role) -> Result<ExitCode> {
    let (settings, _) = ladder.load()?;
    let registry = Registry::open(PLUGINS, &settings)?;
    let engine = Engine::new(settings, registry)?;
    let role = role(&engine);
    let runtime = runtime()?;
    let exit = runtime.block_on(async {
        // From here on a signal is heard, even one that comes right after the address is told.
        let signals = Signals::listen()?;
        let server = Server::bind(engine.into(), role).await?;
        Output::Stdout.write(addresses(&server).as_bytes())?;
        until_told(server, signals, ladder).await
    });
    // What still computes for calls that were cut off is not waited for.
    runtime.shutdown_background();
    exit
}

/// A line for each address that was bound, the ports chosen.
fn addresses(server: &Server) -> String {
    let mut lines = format!("listening on {}\n", server.address());
    if let Some(address) = server.metrics_address() {
        lines += &format!("metrics on http://{address}/metrics\n");
    }
    lines
}

/// Runs the server until a signal, and lets it finish its calls until a second one.
async fn until_told(server: Server, mut signals: Signals, ladder: &Ladder) -> Result<ExitCode> {
    let reloader = server.reloader();
    let (drain, drained) = oneshot::channel::<()>();
    let mut running = std::pin::pin!(server.run(async { drop(drained.await) }));
    let signal = loop {
        tokio::select! {
            ended = &mut running => return ended.map(exit_code),
            signal = signals.next() => match signal.is_end() {
                true => break signal,
                false => reload(&reloader, ladder),
            }
        }
    };
    tracing::info!(%signal, "calls in progress are finished; another signal ends them at once");
    drop(drain);
    loop {
        tokio::select! {
            ended = &mut running => return ended.map(exit_code),
            signal = signals.next() => if signal.is_end() {
                tracing::warn!(%signal, "ended at once");
                return Ok(ExitCode::from(signal.exit_code()));
            }
        }
    }
}

/// Reads the settings again, and says what came of it.
fn reload(reloader: &Reloader, ladder: &Ladder) {
    match ladder
        .load()
        .and_then(|(settings, _)| reloader.reload(settings))
    {
        Ok(Reloaded {
            at_once,
            at_restart,
        }) => {
            let keys = at_once.join(", ");
            tracing::info!(
                changed = keys,
                "settings, tokens and certificates were read again"
            );
            if !at_restart.is_empty() {
                let keys = at_restart.join(", ");
                tracing::warn!(changed = keys, "takes effect after a restart alone");
            }
        }
        Err(error) => tracing::error!(%error, "settings stay as they are"),
    }
}

fn exit_code(ended: Ended) -> ExitCode {
    match ended {
        Ended::Drained => tracing::info!("every call was finished"),
        Ended::CutOff => tracing::warn!("calls in progress were cut off (server.drain_ms)"),
    }
    ExitCode::SUCCESS
}
