//! The plugin libraries that were installed together with this program.

use std::{
    env, fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use som_plugin::host;

/// Where installed plugins lie, from the folder of the program: in an archive that is unpacked
/// anywhere, in a checkout (`target/plugins` for `target/release/som`), and below a prefix such as
/// `/usr`.
const FOLDERS: [&str; 3] = ["plugins", "../plugins", "../lib/som/plugins"];

/// The libraries in the folders that belong to this program, by folder and name.
///
/// Loading executes code, so a folder counts only if it belongs to the owner of the program and
/// not everybody may write into it: whoever can put a library there could have changed the program
/// itself.
pub(crate) fn libraries() -> Vec<PathBuf> {
    let Ok(program) = env::current_exe() else {
        return Vec::new();
    };
    let beside = program.parent().unwrap_or(Path::new("/"));
    FOLDERS
        .iter()
        .filter_map(|folder| beside.join(folder).canonicalize().ok())
        .filter(|folder| is_as_trusted(folder, &program).unwrap_or(false))
        .flat_map(|folder| host::libraries_in(&folder).unwrap_or_default())
        .collect()
}

fn is_as_trusted(folder: &Path, program: &Path) -> io::Result<bool> {
    const EVERYBODY_MAY_WRITE: u32 = 0o002;
    let (folder, program) = (fs::metadata(folder)?, fs::metadata(program)?);
    Ok(folder.uid() == program.uid() && folder.mode() & EVERYBODY_MAY_WRITE == 0)
}
