//! The workspace as cargo sees it, and a shell in its root.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

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
    metadata: Option<PackageMetadata>,
}

/// What a manifest says beyond what cargo reads.
#[derive(Clone, Deserialize)]
struct PackageMetadata {
    som: Option<Chores>,
}

/// The table `package.metadata.som` of a plugin over libtorch, as far as commands read it; the rest
/// is for the tests.
#[derive(Clone, Deserialize)]
pub(crate) struct Chores {
    /// The segmenter in the plugin.
    pub(crate) segmenter: String,
    /// What it is compared with.
    pub(crate) official: Option<Official>,
}

/// How a segmenter is timed beside its official project. Paths are from the plugin's folder.
#[derive(Clone, Deserialize)]
pub(crate) struct Official {
    /// What `benches/learned/compare.py` is told of it, in Python.
    pub(crate) script: PathBuf,
    /// The packages that it needs.
    pub(crate) requirements: PathBuf,
    /// Those of them that a machine with PyTorch may lack.
    pub(crate) packages: Vec<String>,
    /// The bench of the plugin that it runs.
    pub(crate) bench: String,
}

impl Package {
    /// True if it lies below a folder of the workspace.
    pub(crate) fn is_in(&self, workspace: &Workspace, folder: &str) -> bool {
        let folder = workspace.shell.current_dir().join(folder);
        self.manifest_path.starts_with(folder)
    }

    /// What its manifest says of a plugin over libtorch.
    pub(crate) fn chores(&self) -> Option<&Chores> {
        self.metadata.as_ref()?.som.as_ref()
    }

    /// A path in its folder.
    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.manifest_path.with_file_name("").join(path)
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
    /// The plugins that are compared with an official project, and how.
    pub(crate) fn compared(&self) -> impl Iterator<Item = (&Package, &Chores, &Official)> {
        self.torch.iter().filter_map(|package| {
            let chores = package.chores()?;
            Some((package, chores, chores.official.as_ref()?))
        })
    }

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
