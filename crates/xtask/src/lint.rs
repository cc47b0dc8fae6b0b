//! `cargo xtask lint`: formatting, clippy, documentation and dependencies. A warning is an error.

use anyhow::Result;
use xshell::cmd;

use crate::{
    libtorch,
    workspace::{Package, Workspace},
};

/// The version that a machine without cargo-deny gets.
const CARGO_DENY: &str = "0.20.2";

#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Leave out the crates that need libtorch, and do not install it.
    #[arg(long)]
    no_torch: bool,
}

/// Runs the checks, the quickest first.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let shell = &workspace.shell;
    cmd!(shell, "cargo fmt --all --check").run()?;
    if cmd!(shell, "cargo deny --version")
        .quiet()
        .ignore_stdout()
        .ignore_stderr()
        .run()
        .is_err()
    {
        cmd!(
            shell,
            "cargo install cargo-deny --locked --version {CARGO_DENY}"
        )
        .run()?;
    }
    cmd!(shell, "cargo deny check licenses bans sources").run()?;
    check(workspace, &[])?;
    // Each side of the plugin boundary builds alone, too.
    for side in ["host", "guest"] {
        cmd!(
            shell,
            "cargo clippy --package som-plugin --no-default-features --features {side} -- -D warnings"
        )
        .run()?;
    }
    if !options.no_torch {
        libtorch::install(workspace, libtorch::Flavor::Cpu)?;
        check(workspace, &workspace.torch)?;
    }
    Ok(())
}

/// Clippy and the documentation of the given packages, or of the default ones.
fn check(workspace: &Workspace, packages: &[Package]) -> Result<()> {
    let shell = &workspace.shell;
    let packages: Vec<&str> = packages
        .iter()
        .flat_map(|package| ["--package", &package.name])
        .collect();
    let options = &packages;
    cmd!(
        shell,
        "cargo clippy {options...} --all-targets -- -D warnings"
    )
    .run()?;
    cmd!(shell, "cargo doc {options...} --no-deps")
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()?;
    Ok(())
}
