//! `cargo xtask cuda`: what checks and times som on a machine with a GPU, PyTorch and no Rust.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::Deserialize;
use xshell::cmd;

use crate::{
    libtorch, plugins,
    workspace::{Official, Package, Workspace},
};

/// What is packed as it is, beside what the plugins have.
const FILES: [&str; 3] = [
    "benches/cuda/check.py",
    "benches/learned",
    "examples/images/coffee.png",
];

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
    for (package, chores, official) in workspace.compared() {
        pack(workspace, package, official, &packed(&chores.segmenter))?;
        let plugin = std::slice::from_ref(package);
        plugins::build(workspace, "release", plugin, &packed("plugins"))?;
    }
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

/// Packs what checks and times one plugin into a folder of its own.
fn pack(
    workspace: &Workspace,
    package: &Package,
    official: &Official,
    folder: &Path,
) -> Result<()> {
    let shell = &workspace.shell;
    let name = &package.name;
    shell.create_dir(folder)?;
    let what = ["bench", "--package", name, "--bench", &official.bench];
    shell.copy_file(program(workspace, &what)?, folder.join("bench"))?;
    let what = ["test", "--release", "--package", name, "--lib"];
    shell.copy_file(program(workspace, &what)?, folder.join("parity"))?;
    for program in ["bench", "parity"] {
        let program = folder.join(program);
        cmd!(shell, "strip {program}").run()?;
    }
    shell.copy_file(package.path(&official.script), folder.join("official.py"))?;
    let tests = package.path("tests");
    cmd!(shell, "cp -r {tests} {folder}").run()?;
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

/// Fetches the packages that a machine with PyTorch may lack, in the versions that are required.
fn wheels(workspace: &Workspace, version: &str, folder: &Path) -> Result<()> {
    let shell = &workspace.shell;
    let mut packages = BTreeSet::new();
    for (package, _, official) in workspace.compared() {
        let requirements = shell.read_file(package.path(&official.requirements))?;
        let is_lacking = |line: &&str| {
            let name = line.split("==").next().unwrap_or_default();
            official.packages.iter().any(|package| package == name)
        };
        packages.extend(requirements.lines().filter(is_lacking).map(str::to_owned));
    }
    let (old, new) = ("manylinux2014_x86_64", "manylinux_2_28_x86_64");
    cmd!(
        shell,
        "python3 -m pip download --quiet --no-deps --only-binary=:all: --python-version {version} --platform {old} --platform {new} --dest {folder} {packages...}"
    )
    .run()?;
    Ok(())
}
