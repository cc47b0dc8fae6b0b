//! The Python that tests compare against: a virtual environment of pinned packages.

use std::path::PathBuf;

use anyhow::{Context, Result};
use xshell::cmd;

use crate::workspace::Workspace;

/// The packages, with their versions.
const REQUIREMENTS: &str = "tests/python/requirements.txt";

/// The interpreter of the environment in `target/python`, which is made where it is missing and
/// brought up to date where the requirements have changed.
pub(crate) fn environment(workspace: &Workspace) -> Result<PathBuf> {
    let shell = &workspace.shell;
    let folder = workspace.target.join("python");
    let interpreter = folder.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    let wanted = shell.read_file(REQUIREMENTS)?;
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
                "{python} -m pip --python {interpreter} install --quiet --disable-pip-version-check --requirement {REQUIREMENTS}"
            )
            .run()
        })
        .context(
            "cannot make the Python environment that tests compare against \
             (install Python 3.11 or newer with pip, or pass --no-python to leave these tests out)",
        )?;
    // Last, so that an interrupted installation is not taken for a complete one.
    shell.write_file(&installed, wanted)?;
    Ok(interpreter)
}
