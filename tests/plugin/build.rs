use std::{
    collections::BTreeSet,
    env::{
        self,
        consts::{DLL_PREFIX, DLL_SUFFIX},
    },
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

use crate::source::root;

/// Where the tests' libraries go.
pub(crate) fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugins");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The plugin that misbehaves on request, built with some macros defined.
pub(crate) fn misbehave(macros: &[&str]) -> PathBuf {
    let name = format!("misbehave {}", macros.join(" "));
    let defines = macros.iter().map(|name| format!("-D{name}"));
    // Some macros leave out what uses the rest.
    let flags = ["-Wno-unused-function", "-Wno-unused-const-variable"].map(str::to_owned);
    c_library(
        name.trim(),
        "tests/plugin/misbehave.c",
        flags.into_iter().chain(defines),
    )
}

/// A library of one C file. It is built once, whoever asks for its name.
pub(crate) fn c_library(
    name: &str,
    source: &str,
    flags: impl IntoIterator<Item = String>,
) -> PathBuf {
    static BUILT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let library = folder().join(format!("{name}{DLL_SUFFIX}"));
    let mut built = BUILT.lock().unwrap();
    if built.insert(library.clone()) {
        let output = Command::new("cc")
            .args([
                "-std=gnu99",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-fPIC",
                "-shared",
                "-o",
            ])
            .arg(&library)
            .arg(root().join(source))
            .arg("-I")
            .arg(root().join("crates/som-plugin/include"))
            .args(flags)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "cc could not build {name} of {source}: {text}"
        );
    }
    library
}

/// The library form of a crate of the workspace.
pub(crate) fn rust_library(package: &str) -> PathBuf {
    if let Some(folder) = env::var_os("SOM_TEST_PLUGINS") {
        return Path::new(&folder).join(format!("{package}{DLL_SUFFIX}"));
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let status = Command::new(env!("CARGO"))
        .current_dir(root())
        .args([
            "rustc",
            "--quiet",
            "--package",
            package,
            "--lib",
            "--crate-type",
            "cdylib",
        ])
        .args(["--features", "export", "--target-dir"])
        .arg(target)
        .status()
        .unwrap();
    assert!(status.success(), "cargo could not build {package}");
    target.join("debug").join(format!(
        "{DLL_PREFIX}{}{DLL_SUFFIX}",
        package.replace('-', "_")
    ))
}
