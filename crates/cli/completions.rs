//! `som completions SHELL`.

use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use som_core::Result;

use crate::{Cli, output::Output};

/// Print the completions of a shell
///
/// For bash: som completions bash > ~/.local/share/bash-completion/completions/som
#[derive(Args)]
pub(crate) struct Options {
    /// The shell to complete in
    shell: Shell,
}

/// Prints the script.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "som", &mut script);
    Output::Stdout.write(&script)?;
    Ok(ExitCode::SUCCESS)
}
