//! `cargo xtask bench`: how fast the stages are, on their own and beside other libraries.

use std::path::PathBuf;

use anyhow::Result;
use xshell::cmd;

use crate::{libtorch, python, workspace::Workspace};

/// Compares a segmenter with its official project, whose script it is told.
const COMPARE: &str = "benches/learned/compare.py";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Time som beside the Python libraries of benches/peers, and segmenters beside their official
    /// projects, instead, on the same input.
    #[arg(long)]
    peers: bool,

    /// Only benches whose names contain this, such as `rle`; with --peers, only such files and
    /// segmenters.
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
    let wanted = |name: &str| filter.is_none_or(|filter| name.contains(filter));
    for script in shell.read_dir("benches/peers")? {
        let name = script.file_stem().unwrap_or_default().to_string_lossy();
        let is_python = script.extension().is_some_and(|ext| ext == "py");
        if is_python && wanted(&name) {
            time(workspace, &[script], python::TIMED)?;
        }
    }
    for (package, chores, official) in workspace.compared() {
        if wanted(&chores.segmenter) {
            libtorch::install(workspace, libtorch::Flavor::Cpu)?;
            let folder = format!("peers-{}", chores.segmenter);
            let requirements = package.path(&official.requirements);
            let environment = python::Environment {
                folder: &folder,
                requirements: &requirements.to_string_lossy(),
                sources: &[],
            };
            let compare = [COMPARE.into(), package.path(&official.script)];
            time(workspace, &compare, environment)?;
        }
    }
    Ok(())
}

/// Runs a Python program that times som beside others, and perhaps is told what to compare.
fn time(
    workspace: &Workspace,
    program: &[PathBuf],
    environment: python::Environment<'_>,
) -> Result<()> {
    let interpreter = python::environment(workspace, environment)?;
    cmd!(workspace.shell, "{interpreter} {program...}").run()?;
    Ok(())
}
