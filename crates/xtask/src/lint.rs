//! `cargo xtask lint`: formatting, clippy, documentation and dependencies. A warning is an error.

use anyhow::Result;
use xshell::cmd;

use crate::workspace::Workspace;

/// The version that a machine without cargo-deny gets.
const CARGO_DENY: &str = "0.20.2";

/// Runs the checks, the quickest first.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
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
    cmd!(shell, "cargo clippy --all-targets -- -D warnings").run()?;
    cmd!(shell, "cargo doc --no-deps")
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()?;
    Ok(())
}
