//! `cargo xtask bench`: how fast the stages are, on their own and beside other libraries.

use anyhow::Result;
use xshell::cmd;

use crate::{libtorch, python, workspace::Workspace};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Time som beside the Python libraries of benches/peers instead, on the same input.
    #[arg(long)]
    peers: bool,

    /// Only benches whose names contain this, such as `rle`; with --peers, only that file.
    filter: Option<String>,
}

/// Runs the benches; criterion compares with the run before.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let shell = &workspace.shell;
    let filter = options.filter.as_deref();
    if !options.peers {
        cmd!(shell, "cargo bench --bench * -- {filter...}").run()?;
        return Ok(());
    }
    for script in shell.read_dir("benches/peers")? {
        let name = script.file_stem().unwrap_or_default().to_string_lossy();
        if script
            .extension()
            .is_some_and(|extension| extension == "py")
            && filter.is_none_or(|filter| name.contains(filter))
        {
            let environment = match &*name {
                "sam" => {
                    libtorch::install(workspace, libtorch::Flavor::Cpu)?;
                    python::TIMED_SAM
                }
                _ => python::TIMED,
            };
            let interpreter = python::environment(workspace, &environment)?;
            cmd!(shell, "{interpreter} {script}").run()?;
        }
    }
    Ok(())
}
