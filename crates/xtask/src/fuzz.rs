//! `cargo xtask fuzz`: throw bytes at what takes them from outside.

use std::path::Path;

use anyhow::{Context, Result, bail};
use xshell::cmd;

use crate::workspace::Workspace;

/// The version that a machine without cargo-fuzz gets.
const CARGO_FUZZ: &str = "0.13.2";
const FOLDER: &str = "fuzz";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// A file of fuzz/targets, without its ending; each in turn if none is named.
    target: Option<String>,

    /// How long to go on with each.
    #[arg(default_value_t = 180, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
}

/// Builds and runs the targets; what they find is in `fuzz/artifacts`.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let shell = &workspace.shell;
    let known = targets(workspace)?;
    let chosen = match &options.target {
        None => known,
        Some(name) if known.contains(name) => vec![name.clone()],
        Some(name) => bail!(
            "there is no target {name} (there are: {})",
            known.join(", ")
        ),
    };
    // rustup, for cargo itself may be the one of a fixed toolchain.
    if cmd!(shell, "rustup run nightly cargo fuzz --version")
        .quiet()
        .ignore_stdout()
        .ignore_stderr()
        .run()
        .is_err()
    {
        cmd!(
            shell,
            "cargo install cargo-fuzz --locked --version {CARGO_FUZZ}"
        )
        .run()?;
    }
    let seconds = options.seconds;
    for target in chosen {
        let corpus = Path::new(FOLDER).join("corpus").join(&target);
        let seeds = Path::new(FOLDER).join("seeds").join(&target);
        shell.create_dir(&corpus)?;
        cmd!(
            shell,
            "rustup run nightly cargo fuzz run --fuzz-dir {FOLDER} {target} {corpus} {seeds}"
        )
        .args([
            "--",
            "-timeout=10",
            "-rss_limit_mb=2048",
            "-print_final_stats=1",
        ])
        .arg(format!("-max_total_time={seconds}"))
        .run()
        .with_context(|| {
            format!("{target} (fuzzing needs a nightly compiler: rustup toolchain install nightly)")
        })?;
    }
    Ok(())
}

fn targets(workspace: &Workspace) -> Result<Vec<String>> {
    let files = workspace
        .shell
        .read_dir(Path::new(FOLDER).join("targets"))?;
    let names = files.iter().filter_map(|file| file.file_stem()?.to_str());
    Ok(names.map(str::to_owned).collect())
}
