//! Python, with the libraries that som is compared with.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// Runs `tests/python/<script>` with `arguments` and gives what it prints; `None`, saying why, if
/// there is no Python to run it.
pub(crate) fn run(script: &str, arguments: &[&Path]) -> Option<Vec<u8>> {
    let Some(python) = env::var_os("SOM_TEST_PYTHON") else {
        eprintln!("skipped: SOM_TEST_PYTHON names no Python (`cargo xtask test` sets it)");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/python")
        .join(script);
    let output = Command::new(PathBuf::from(python))
        .arg(&script)
        .args(arguments)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{} failed:\n{errors}",
        script.display()
    );
    Some(output.stdout)
}
