//! `cargo xtask demo`: from a clean checkout to a marked photograph.

use std::env::consts::EXE_SUFFIX;

use anyhow::Result;
use xshell::cmd;

use crate::workspace::Workspace;

const PHOTOGRAPH: &str = "examples/images/coffee.png";
const MARKED: &str = "out/coffee.marked.png";
const JSON: &str = "out/coffee.json";
const PROMPT: &str = "out/coffee.prompt.txt";

/// Builds the program, marks the photograph and says where the results are.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let shell = &workspace.shell;
    cmd!(shell, "cargo build --release --package som").run()?;
    shell.create_dir("out")?;
    let som = workspace
        .target
        .join("release")
        .join(format!("som{EXE_SUFFIX}"));
    cmd!(
        shell,
        "{som} mark {PHOTOGRAPH} -o {MARKED} --json {JSON} --prompt {PROMPT}"
    )
    .run()?;

    let folder = shell.current_dir();
    println!("\n{PHOTOGRAPH} is marked:");
    for (what, file) in [
        ("marked image", MARKED),
        ("marks as JSON", JSON),
        ("prompt", PROMPT),
    ] {
        println!("  {what:<14} {}", folder.join(file).display());
    }
    println!(
        "\nNext: {} mark YOUR-IMAGE, or `som mark --help`.",
        som.display()
    );
    Ok(())
}
