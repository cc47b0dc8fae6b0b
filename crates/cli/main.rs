//! The `som` command.
//!
//! One file per subcommand; the others hold what several share, in the order of the data flow:
//! inputs, what is asked of them, the run over all of them, reports, outputs, exit codes.

mod mark;
mod segment;
mod track;
mod ask;
mod compare;
mod eval;
mod lmm;
mod serve;
mod backend;
mod config;
mod plugin;
mod models;
mod completions;

mod input;
mod flags;
mod embedded;
mod given;
mod session;
mod batch;
mod report;
mod export;
mod journal;
mod plural;
mod destination;
mod earlier;
mod signature;
mod output;

mod exit;
mod logging;
mod runtime;
mod signal;
mod version;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, Parser, Subcommand};
use som_core::{Cancellation, Error, ErrorKind, Result};
use som_engine::settings::{Ladder, LogFormat, TelemetrySettings};

use crate::{logging::Verbosity, runtime::runtime};

/// Mark the regions of an image, so that a multimodal model can speak about them
///
/// som cuts an image into regions and draws a label on each (Set-of-Mark prompting). A model that
/// sees the marked image can say "mark 4 is the spoon", and the JSON has the mask of mark 4.
#[derive(Parser)]
#[command(
    version = version::SHORT,
    long_version = version::LONG,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Start with: som mark photo.png"
)]
struct Cli {
    #[command(flatten)]
    general: General,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Mark(Box<mark::Options>),
    Segment(Box<segment::Options>),
    Track(Box<track::Options>),
    Ask(Box<ask::Options>),
    Compare(Box<compare::Options>),
    /// Ask about the samples of data sets, and tell how good the answers are
    Eval(eval::Options),
    /// Look at the multimodal models in the settings, and test whether they can read marks
    Lmm(lmm::Options),
    Serve(serve::Options),
    Backend(backend::Options),
    /// Look at the settings
    Config(config::Options),
    /// Look at the segmenters and mark styles, and the contract for your own
    Plugin(plugin::Options),
    /// List, fetch and check the weights of learned segmenters
    Models(models::Options),
    Completions(completions::Options),
}

/// What every subcommand takes.
#[derive(Args)]
#[command(next_help_heading = "General")]
struct General {
    /// Read settings from this file too; it wins over ./som.toml and /etc/som/som.toml
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Print errors only
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Log what is done, to stderr (-vv: in detail; or set SOM_LOG=debug)
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// How the log is written [default: telemetry.log of the settings, which is text]
    #[arg(long, value_name = "FORMAT", global = true, value_parser = ["text", "json"])]
    log: Option<String>,
}

impl General {
    /// How much to log. A server tells of every call, as nobody sees what it does otherwise.
    fn verbosity(&self, command: &Command) -> Verbosity {
        match (self.quiet, self.verbose, command) {
            (_, 1.., _) => Verbosity::Asked(self.verbose),
            (true, 0, _) => Verbosity::Errors,
            (false, 0, Command::Serve(_) | Command::Backend(_)) => Verbosity::Calls,
            (false, 0, _) => Verbosity::Warnings,
        }
    }

    /// The settings, without the flags of a subcommand.
    fn ladder(&self) -> Ladder {
        let mut ladder = Ladder::system();
        if let Some(file) = &self.config {
            ladder = ladder.with_file(file);
        }
        if let Some(format) = &self.log {
            ladder = ladder.with_flag("--log", "telemetry.log", format.as_str());
        }
        ladder
    }

    /// How to log. What is wrong with the settings is for the subcommand to tell, if it wants any.
    fn telemetry(&self) -> TelemetrySettings {
        match self.ladder().load() {
            Ok((settings, _)) => settings.telemetry,
            Err(_) => TelemetrySettings {
                log: LogFormat::Text,
                otlp: String::new(),
            },
        }
    }
}

fn main() -> ExitCode {
    let Cli { general, command } = Cli::parse();
    let logs = logging::start(general.verbosity(&command), &general.telemetry());
    // The last traces are sent when all is done.
    let result = logs.and_then(|_traces| run(&general, command));
    result.unwrap_or_else(|error| exit::report(&error))
}

fn run(general: &General, command: Command) -> Result<ExitCode> {
    match command {
        Command::Mark(options) => block_on(async |stop| mark::run(*options, general, stop).await),
        Command::Segment(options) => {
            block_on(async |stop| segment::run(*options, general, stop).await)
        }
        Command::Track(options) => block_on(async |stop| track::run(*options, general, stop).await),
        Command::Ask(options) => block_on(async |stop| ask::run(*options, general, stop).await),
        Command::Compare(options) => {
            block_on(async |stop| compare::run(*options, general, stop).await)
        }
        Command::Eval(options) => eval::run(options, general),
        Command::Lmm(options) => block_on(async |stop| lmm::run(&options, general, stop).await),
        Command::Serve(options) => serve::run(options, general.ladder()),
        Command::Backend(options) => backend::run(options, general.ladder()),
        Command::Config(options) => config::run(&options, &general.ladder(), general.quiet),
        Command::Plugin(options) => plugin::run(&options, general),
        Command::Models(options) => models::run(options, general),
        Command::Completions(options) => completions::run(&options),
    }
}

/// Runs a command on a new runtime until it is done, or someone presses Ctrl-C.
fn block_on(command: impl AsyncFnOnce(&Cancellation) -> Result<ExitCode>) -> Result<ExitCode> {
    /// How long the stages under way may take to notice that they are called off.
    const PATIENCE: Duration = Duration::from_secs(2);
    let runtime = runtime()?;
    let stop = Cancellation::new();
    let result = runtime.block_on(async {
        tokio::select! {
            biased;
            result = command(&stop) => result,
            _ = tokio::signal::ctrl_c() => Err(Error::new(ErrorKind::Cancelled, "interrupted")),
        }
    });
    stop.cancel();
    runtime.shutdown_timeout(PATIENCE);
    result
}
