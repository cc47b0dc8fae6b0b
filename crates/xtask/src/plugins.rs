//! `cargo xtask plugins`: every plugin of the workspace as a dynamic library.

use std::{
    env::consts::{DLL_PREFIX, DLL_SUFFIX},
    path::PathBuf,
};

use anyhow::Result;
use xshell::cmd;

use crate::{
    libtorch,
    workspace::{Package, Workspace},
};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Build optimised libraries, as one would hand them out.
    #[arg(long)]
    release: bool,

    /// Build the plugins that need libtorch, too, and install it where it is missing.
    #[arg(long)]
    torch: bool,
}

/// Builds the libraries and says where they are.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let profile = if options.release { "release" } else { "dev" };
    build(workspace, profile, &workspace.members)?;
    if options.torch {
        libtorch::install(workspace, libtorch::Flavor::Cpu)?;
        build(workspace, profile, &workspace.torch)?;
    }
    println!("The libraries are in {}.", folder(workspace).display());
    Ok(())
}

/// Where the libraries go.
pub(crate) fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("plugins")
}

/// Builds the library form of every package that has one: those with the feature `export`, which
/// adds the entry symbol. (Two embedded plugins must not both define it, so it is off otherwise.)
pub(crate) fn build(workspace: &Workspace, profile: &str, packages: &[Package]) -> Result<()> {
    let shell = &workspace.shell;
    let plugins = folder(workspace);
    shell.create_dir(&plugins)?;
    let built = workspace
        .target
        .join(if profile == "dev" { "debug" } else { profile });
    for package in packages
        .iter()
        .filter(|p| p.features.contains_key("export"))
    {
        let name = &package.name;
        cmd!(
            shell,
            "cargo rustc --profile {profile} --package {name} --lib --crate-type cdylib --features export"
        )
        .run()?;
        let library = format!("{DLL_PREFIX}{}{DLL_SUFFIX}", name.replace('-', "_"));
        shell.copy_file(
            built.join(library),
            plugins.join(format!("{name}{DLL_SUFFIX}")),
        )?;
    }
    Ok(())
}
