//! `cargo xtask cuda`: what checks and times som on a machine with a GPU, PyTorch and no Rust.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;
use xshell::cmd;

use crate::{libtorch, plugins, workspace::Workspace};

/// The plugin that is packed.
const PLUGIN: &str = "som-sam";

/// What is packed as it is.
const FILES: [&str; 4] = [
    "benches/cuda/check.py",
    "benches/peers/sam.py",
    "examples/images/coffee.png",
    "plugins/sam/tests",
];

/// Python packages that a machine with PyTorch may not have.
const PACKAGES: [&str; 2] = ["pycocotools==2.0.11", "segment-anything==1.0"];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Take the Python packages along, too, for a machine without network that has this Python,
    /// such as 3.12.
    #[arg(long, value_name = "VERSION")]
    python: Option<String>,
}

/// What cargo says of a program that it has built.
#[derive(Deserialize)]
struct Artifact {
    executable: Option<PathBuf>,
}

/// Makes `target/cuda.tar.xz` and says what to do with it.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let shell = &workspace.shell;
    let folder = workspace.target.join("cuda");
    libtorch::install(workspace, libtorch::Flavor::Cpu)?;
    shell.remove_path(&folder)?;
    let packed = |name: &str| folder.join(name);
    shell.create_dir(packed("bin"))?;
    cmd!(shell, "cargo build --release --package som").run()?;
    shell.copy_file(workspace.target.join("release/som"), packed("bin/som"))?;
    let what = ["bench", "--package", PLUGIN, "--bench", "sam"];
    shell.copy_file(program(workspace, &what)?, packed("bin/bench"))?;
    let what = ["test", "--release", "--package", PLUGIN, "--lib"];
    shell.copy_file(program(workspace, &what)?, packed("bin/parity"))?;
    let plugin = workspace
        .torch
        .iter()
        .find(|package| package.name == PLUGIN);
    let plugin = plugin.with_context(|| format!("the workspace has no package {PLUGIN}"))?;
    let plugin = std::slice::from_ref(plugin);
    plugins::build(workspace, "release", plugin, &packed("plugins"))?;
    for built in ["bin", "plugins"] {
        for file in shell.read_dir(packed(built))? {
            cmd!(shell, "strip {file}").run()?;
        }
    }
    for file in FILES {
        cmd!(shell, "cp -r {file} {folder}").run()?;
    }
    if let Some(version) = &options.python {
        wheels(workspace, version, &packed("wheels"))?;
    }
    let (archive, target) = (workspace.target.join("cuda.tar.xz"), &workspace.target);
    cmd!(shell, "tar -C {target} -cJf {archive} cuda").run()?;
    println!(
        "Take {} along, and run there: tar -xf cuda.tar.xz && python3 cuda/check.py",
        archive.display()
    );
    Ok(())
}

/// The program that a `cargo` command builds with `--no-run`.
fn program(workspace: &Workspace, command: &[&str]) -> Result<PathBuf> {
    let shell = &workspace.shell;
    let messages = cmd!(shell, "cargo {command...} --no-run --message-format json").read()?;
    let artifacts = messages
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    artifacts
        .filter_map(|artifact: Artifact| artifact.executable)
        .next_back()
        .with_context(|| format!("cargo {} built no program", command.join(" ")))
}

fn wheels(workspace: &Workspace, version: &str, folder: &Path) -> Result<()> {
    let shell = &workspace.shell;
    let (old, new) = ("manylinux2014_x86_64", "manylinux_2_28_x86_64");
    cmd!(
        shell,
        "python3 -m pip download --quiet --no-deps --only-binary=:all: --python-version {version} --platform {old} --platform {new} --dest {folder} {PACKAGES...}"
    )
    .run()?;
    Ok(())
}
