//! `som plugin`: what there is to segment and to mark with, the contract for more, and the tools of
//! their authors.

mod check;
mod list;
mod new;
mod show;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use som_core::Result;

use crate::{General, block_on, output::Output};

#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::Options),
    Show(show::Options),
    Check(check::Options),
    New(new::Options),
    /// Print som_plugin.h, the contract of plugins in any language
    Header,
}

/// Does what was asked for.
pub(crate) fn run(options: &Options, general: &General) -> Result<ExitCode> {
    match &options.command {
        Command::List(options) => block_on(async |_| list::run(options, &general.ladder()).await),
        Command::Show(options) => block_on(async |_| show::run(options, &general.ladder()).await),
        Command::Check(options) => check::run(options, general),
        Command::New(options) => new::run(options, general),
        Command::Header => {
            Output::Stdout.write(som_plugin::HEADER.as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
