//! `cargo xtask plugins`: every plugin of the workspace as a dynamic library.

use std::{
    env::consts::{DLL_PREFIX, DLL_SUFFIX},
    path::Path,
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

    /// Leave out the plugins that need libtorch.
    #[arg(long)]
    no_torch: bool,
}

/// Builds the libraries and says where they are. The folder is one of those in which a `som` of
/// this workspace looks for plugins.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let folder = workspace.target.join("plugins");
    let profile = if options.release { "release" } else { "dev" };
    let own = |packages: &[Package]| -> Vec<Package> {
        let is_own = |package: &&Package| package.is_in(workspace, "plugins");
        packages.iter().filter(is_own).cloned().collect()
    };
    build(workspace, profile, &own(&workspace.members), &folder)?;
    if !options.no_torch {
        libtorch::install(workspace, libtorch::Flavor::Cpu)?;
        build(workspace, profile, &own(&workspace.torch), &folder)?;
    }
    println!("The libraries are in {}.", folder.display());
    Ok(())
}

/// Builds the library form of every package that has one into `folder`: those with the feature
/// `export`, which adds the entry symbol. (Two embedded plugins must not both define it, so it is
/// off otherwise.)
pub(crate) fn build(
    workspace: &Workspace,
    profile: &str,
    packages: &[Package],
    folder: &Path,
) -> Result<()> {
    let shell = &workspace.shell;
    shell.create_dir(folder)?;
    let built = workspace
        .target
        .join(if profile == "dev" { "debug" } else { profile });
    for package in packages
        .iter()
        .filter(|p| p.features.contains_key("export"))
    {
        let name = &package.name;
        // Optimised across crates, what a C library in it exports would be exported with it.
        let alone = format!("profile.{profile}.lto=false");
        cmd!(
            shell,
            "cargo rustc --profile {profile} --config {alone} --package {name} --lib --crate-type cdylib --features export"
        )
        .run()?;
        let library = format!("{DLL_PREFIX}{}{DLL_SUFFIX}", name.replace('-', "_"));
        shell.copy_file(
            built.join(library),
            folder.join(format!("{name}{DLL_SUFFIX}")),
        )?;
    }
    Ok(())
}
