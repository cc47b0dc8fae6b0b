use std::{env, process::Command};

use crate::{som::Folder, source::root};

/// Runs the tests of a folder with pytest, `som` being this program.
fn pytest(tests: &str) {
    let Some(mut pytest) = python("pytest") else {
        return;
    };
    let folder = Folder::new();
    pytest
        .args(["--quiet", "-p", "no:cacheprovider"])
        .arg(root().join(tests))
        .current_dir(folder.path(""))
        .env("SOM", env!("CARGO_BIN_EXE_som"));
    let text = succeed(&mut pytest);
    assert!(text.contains(" passed"), "{text}");
}

/// Checks the types of a package.
fn mypy(package: &str) {
    let Some(mut mypy) = python("mypy") else {
        return;
    };
    let cache = Folder::new();
    mypy.arg("--cache-dir")
        .arg(cache.path(""))
        .current_dir(root().join(package));
    succeed(&mut mypy);
}

/// A module of the environment's Python, to be run; `None` without an environment.
fn python(module: &str) -> Option<Command> {
    let Some(python) = env::var_os("SOM_TEST_CLIENTS") else {
        eprintln!("skipped: SOM_TEST_CLIENTS names no Python (`cargo xtask test` sets it)");
        return None;
    };
    let mut command = Command::new(python);
    command.args(["-B", "-m", module]);
    for (name, _) in env::vars().filter(|(name, _)| name.starts_with("SOM__")) {
        command.env_remove(name);
    }
    Some(command)
}

/// What a command prints; stops the test if it fails.
fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    text
}

#[test]
fn grpcio_itself() {
    pytest("tests/python/serve");
}

#[test]
fn the_client_package() {
    pytest("examples/client-python/tests");
    mypy("examples/client-python");
}

/// Away from the contract in `proto/`, of which it holds what was made of it.
#[test]
fn a_source_distribution_installs() {
    let folder = Folder::new();
    let Some(mut build) = python("build") else {
        return;
    };
    build.args(["--sdist", "--outdir"]).arg(folder.path("dist"));
    succeed(build.arg(root().join("examples/client-python")));
    let [distribution] = &folder.files()[..] else {
        panic!("{:?}", folder.files());
    };
    let mut pip = python("pip").unwrap();
    pip.args(["install", "--quiet", "--no-deps", "--target"]);
    pip.arg(folder.path("site")).arg(folder.path(distribution));
    succeed(&mut pip);
    for file in [
        "som_client/client.py",
        "som/v1/som_pb2.py",
        "som/v1/track_pb2.py",
        "som/v1/som_pb2_grpc.py",
    ] {
        assert!(folder.path("site").join(file).is_file(), "{file}");
    }
}

#[test]
fn the_segmenter_package() {
    pytest("examples/segmenter-python/tests");
    mypy("examples/segmenter-python");
}
