//! Developer commands: `cargo xtask <command>`.
//!
//! Each command is one file; what they share is the [`workspace`].

mod bench;
mod cuda;
mod demo;
mod fuzz;
mod libtorch;
mod lint;
mod plugins;
mod python;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use workspace::Workspace;

/// Developer commands of som.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the program and mark a photograph: a marked image, its JSON and a ready prompt.
    Demo,
    /// Run every test, doctests too.
    Test(test::Options),
    /// Check formatting, clippy, documentation and dependencies; a warning is an error.
    Lint(lint::Options),
    /// Everything that must hold before a change lands: `lint`, then `test`.
    Ci,
    /// Time the stages, or with --peers som beside other libraries.
    Bench(bench::Options),
    /// Pack what checks and times som on a machine with a GPU, PyTorch and no Rust, into
    /// `target/cuda.tar.xz`.
    Cuda(cuda::Options),
    /// Throw bytes at what takes them from outside: images, masks, hints, settings, answers.
    Fuzz(fuzz::Options),
    /// Build the plugins as dynamic libraries, into `target/plugins`, where `som` finds them.
    Plugins(plugins::Options),
    /// Install the libtorch that the torch crates are built against, into `.libtorch`.
    Libtorch(libtorch::Options),
}

fn main() -> ExitCode {
    match run(&Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    match command {
        Command::Demo => demo::run(&workspace),
        Command::Test(options) => test::run(&workspace, options),
        Command::Lint(options) => lint::run(&workspace, options),
        Command::Ci => {
            lint::run(&workspace, &lint::Options::default())?;
            test::run(&workspace, &test::Options::default())
        }
        Command::Bench(options) => bench::run(&workspace, options),
        Command::Cuda(options) => cuda::run(&workspace, options),
        Command::Fuzz(options) => fuzz::run(&workspace, options),
        Command::Plugins(options) => plugins::run(&workspace, options),
        Command::Libtorch(options) => libtorch::run(&workspace, options),
    }
}
