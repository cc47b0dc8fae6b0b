//! The Python beside the program: virtual environments of pinned packages.

use std::path::PathBuf;

use anyhow::{Context, Result};
use xshell::cmd;

use crate::workspace::Workspace;

/// A virtual environment in the target folder.
#[derive(Clone, Copy)]
pub(crate) struct Environment<'a> {
    pub(crate) folder: &'a str,
    /// The file of the packages, with their versions.
    pub(crate) requirements: &'a str,
    /// What else they are made from.
    pub(crate) sources: &'a [&'a str],
}

/// Packages whose results are compared with ours.
pub(crate) const PEERS: Environment<'_> = Environment {
    folder: "python",
    requirements: "tests/python/requirements.txt",
    sources: &[],
};

/// Libraries that are timed beside ours.
pub(crate) const TIMED: Environment<'_> = Environment {
    folder: "peers",
    requirements: "benches/peers/requirements.txt",
    sources: &[],
};

/// Servers for large multimodal models.
pub(crate) const LMM_SERVERS: Environment<'_> = Environment {
    folder: "python-lmm",
    requirements: "tests/python/lmm/requirements.txt",
    sources: &[],
};

/// Clients of a running server: grpcio, and the packages of `examples/`, whose stubs are written
/// when they are installed.
pub(crate) const CLIENTS: Environment<'_> = Environment {
    folder: "python-clients",
    requirements: "tests/python/serve/requirements.txt",
    sources: &[
        "examples/client-python/pyproject.toml",
        "examples/segmenter-python/pyproject.toml",
        "proto/som/plugin/v1/segmenter.proto",
        "proto/som/v1/ask.proto",
        "proto/som/v1/track.proto",
        "proto/som/v1/catalog.proto",
        "proto/som/v1/som.proto",
        "proto/som/v1/types.proto",
    ],
};

/// The interpreter of an environment, which is made where it is missing and brought up to date
/// where something that it is made from has changed.
pub(crate) fn environment(workspace: &Workspace, environment: Environment<'_>) -> Result<PathBuf> {
    let shell = &workspace.shell;
    let folder = workspace.target.join(environment.folder);
    let interpreter = folder.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    let requirements = environment.requirements;
    let mut wanted = shell.read_file(requirements)?;
    for source in environment.sources {
        wanted += &shell.read_file(source)?;
    }
    let installed = folder.join("requirements.txt");
    if shell.path_exists(&interpreter)
        && shell.read_file(&installed).is_ok_and(|text| text == wanted)
    {
        return Ok(interpreter);
    }

    let python = if cfg!(windows) { "python" } else { "python3" };
    // Debian's python3 cannot put pip into an environment, but its own pip can reach into one.
    cmd!(shell, "{python} -m venv --clear --without-pip {folder}")
        .run()
        .and_then(|()| {
            cmd!(
                shell,
                "{python} -m pip --python {interpreter} install --quiet --disable-pip-version-check --requirement {requirements}"
            )
            .run()
        })
        .context(
            "cannot make a Python environment (install Python 3.11 or newer with pip; \
             `cargo xtask test --no-python` does without)",
        )?;
    // Last, so that an interrupted installation is not taken for a complete one.
    shell.write_file(&installed, wanted)?;
    Ok(interpreter)
}
