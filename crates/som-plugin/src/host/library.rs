//! Dynamic libraries: found, loaded once, never unloaded.

use std::{
    collections::HashMap,
    env::consts::DLL_EXTENSION,
    error::Error as _,
    fs,
    mem::ManuallyDrop,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use som_core::{Error, Result};

use super::{
    adopt::{Plugin, adopt_for},
    log::Host,
    object,
};
use crate::{entry::Entry, sys::som_plugin_entry};

/// Loads a library and takes in what it brings. A library that is loaded already is not entered
/// again.
///
/// Loading executes the library's code: hand over what an operator configured, nothing else.
///
/// # Errors
/// Invalid, if the path is not absolute, or the file is no plugin or one for another machine;
/// NotFound, if it is missing; Unavailable, if something that it needs is missing or it refuses;
/// Internal, if it breaks the rules of `som_plugin.h`. Each names the library.
pub fn load(path: &Path) -> Result<Plugin> {
    enter(path).map_err(|error| error.at(format_args!("library {}", path.display())))
}

/// The libraries in a folder, by name. They are files with the system's extension for libraries
/// (`.so`); the folders in it are not looked into.
///
/// # Errors
/// Invalid, if the path is not absolute; NotFound, if the folder cannot be read.
pub fn libraries_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let at = |error: Error| error.at(format_args!("plugin folder {}", folder.display()));
    refuse_relative(folder).map_err(at)?;
    let unreadable =
        |error| at(Error::not_found("it cannot be read (check plugins.folders)").caused_by(error));
    let mut libraries = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == DLL_EXTENSION)
            && path.is_file()
        {
            libraries.push(path);
        }
    }
    libraries.sort();
    Ok(libraries)
}

fn enter(path: &Path) -> Result<Plugin> {
    /// By the address of the entry: one library is one, whatever paths lead to it.
    static ENTERED: Mutex<Option<HashMap<usize, Plugin>>> = Mutex::new(None);

    refuse_relative(path)?;
    object::check(path)?;
    let mut entered = ENTERED.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: the operator chose to run the code of this library.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }
        .map_err(|error| not_loaded(path, &error))?;
    let library = ManuallyDrop::new(library); // Never unloaded: it may have started threads.
    // SAFETY: the symbol has this type in every plugin.
    let entry = match unsafe { library.get::<som_plugin_entry>(c"som_plugin_entry_v1") } {
        Ok(entry) => *entry,
        Err(error) => {
            return Err(Error::invalid(
                "it does not export som_plugin_entry_v1, so it is no plugin \
                 (a Rust plugin is built with `--crate-type cdylib --features export`)",
            )
            .caused_by(error));
        }
    };
    let entered = entered.get_or_insert_default();
    let address = entry as usize;
    if let Some(plugin) = entered.get(&address) {
        return Ok(plugin.clone());
    }
    // SAFETY: a library with this symbol declares that it keeps the rules of the header.
    let plugin = adopt_for(Host::of_library(path), unsafe { Entry::new(entry) })?;
    entered.insert(address, plugin.clone());
    Ok(plugin)
}

fn refuse_relative(path: &Path) -> Result<()> {
    if path.is_absolute() {
        return Ok(());
    }
    Err(Error::invalid(
        "the path must be absolute, for what it names will be executed",
    ))
}

/// What the dynamic loader says, in other words where it helps.
fn not_loaded(path: &Path, error: &libloading::Error) -> Error {
    let said = error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string);
    let missing = said
        .split_once(": cannot open shared object file")
        .map(|(library, _)| library)
        .filter(|library| Path::new(library) != path);
    match missing {
        Some(library) => Error::unavailable(format!(
            "it needs {library}, which is not found ({}, or name its folder in LD_LIBRARY_PATH)",
            how_to_get(library)
        )),
        // The loader does not tell these two apart.
        None if said.contains("failed to map segment") => Error::unavailable(format!(
            "it cannot be loaded: {said} (too little memory, or its file system is mounted noexec)"
        )),
        None => Error::unavailable(format!("it cannot be loaded: {said}")),
    }
}

fn how_to_get(library: &str) -> &'static str {
    let is_libtorch = ["libtorch", "libc10"]
        .iter()
        .any(|name| library.starts_with(name));
    if is_libtorch {
        "`cargo xtask libtorch` in a checkout of som installs it"
    } else {
        "install it"
    }
}
