//! The workspace as cargo sees it, and a shell in its root.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;
use xshell::{Shell, cmd};

/// The workspace, with a shell whose commands run in its root.
pub(crate) struct Workspace {
    pub(crate) shell: Shell,
    /// Where cargo puts what it builds.
    pub(crate) target: PathBuf,
    /// The members that build without libtorch.
    pub(crate) members: Vec<Package>,
    /// The others.
    pub(crate) torch: Vec<Package>,
}

/// One crate of the workspace.
#[derive(Clone, Deserialize)]
pub(crate) struct Package {
    id: String,
    manifest_path: PathBuf,
    pub(crate) name: String,
    pub(crate) features: BTreeMap<String, Vec<String>>,
}

impl Package {
    /// True if it lies below a folder of the workspace.
    pub(crate) fn is_in(&self, workspace: &Workspace, folder: &str) -> bool {
        let folder = workspace.shell.current_dir().join(folder);
        self.manifest_path.starts_with(folder)
    }
}

/// What `cargo metadata` says, as far as it is needed here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_default_members: Vec<String>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

impl Workspace {
    /// The workspace around the current folder.
    pub(crate) fn load() -> Result<Self> {
        let shell = Shell::new()?;
        let json = cmd!(shell, "cargo metadata --format-version 1 --no-deps")
            .quiet()
            .read()?;
        let metadata: Metadata =
            serde_json::from_str(&json).context("cannot read what `cargo metadata` says")?;
        shell.change_dir(&metadata.workspace_root);
        let Metadata {
            packages,
            workspace_default_members: defaults,
            ..
        } = metadata;
        let (members, torch) = packages
            .into_iter()
            .partition(|package| defaults.contains(&package.id));
        Ok(Self {
            shell,
            target: metadata.target_directory,
            members,
            torch,
        })
    }
}
