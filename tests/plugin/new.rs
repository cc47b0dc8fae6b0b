use std::{
    env::consts::{DLL_PREFIX, DLL_SUFFIX},
    fs,
    path::Path,
    process::Command,
};

use crate::{
    som::{Folder, Ran},
    source::root,
};

/// Makes the plugin `name`, and gives the folder it lies in.
fn new(name: &str, arguments: &[&str]) -> Folder {
    let folder = Folder::new();
    let ran = folder
        .som(&[&["plugin", "new", name], arguments].concat())
        .succeeded();
    assert_eq!(
        ran.stderr,
        format!("som: {name}/README.md says how to build and check it\n")
    );
    assert!(
        folder.files().iter().all(|file| file.starts_with(name)),
        "{:?}",
        folder.files()
    );
    let readme = String::from_utf8(folder.read(&format!("{name}/README.md"))).unwrap();
    assert!(!readme.contains("{{"), "{readme}");
    folder
}

fn run(command: &mut Command) {
    let ran = Ran::of(command);
    assert_eq!(ran.code, 0, "{command:?}: {}{}", ran.text(), ran.stderr);
}

/// The plugin passes every check, under its own name.
fn passes(folder: &Folder, library: &str, subject: &str) {
    let ran = folder.som(&["plugin", "check", library]);
    assert_eq!(ran.code, 0, "{}{}", ran.text(), ran.stderr);
    assert!(
        ran.text().contains(&format!("\n{subject}\n")),
        "{}",
        ran.text()
    );
}

fn c_passes(kind: &str, subject: &str) {
    let folder = new("my-plugin", &["--lang", "c", "--kind", kind]);
    run(Command::new("make").arg("-C").arg(folder.path("my-plugin")));
    passes(&folder, "my-plugin/my-plugin.so", subject);
}

/// Built and tested as its README says, but with the crates this repository has locked.
fn rust_passes(kind: &str, subject: &str) {
    let som = root().to_str().unwrap();
    let folder = new(
        "my-plugin",
        &["--lang", "rust", "--kind", kind, "--som", som],
    );
    let plugin = folder.path("my-plugin");
    fs::copy(root().join("Cargo.lock"), plugin.join("Cargo.lock")).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new");
    for command in ["test", "build"] {
        let mut cargo = Command::new(env!("CARGO"));
        run(cargo
            .args([command, "--quiet", "--offline", "--target-dir"])
            .arg(&target)
            .current_dir(&plugin));
    }
    let library = target.join(format!("debug/{DLL_PREFIX}my_plugin{DLL_SUFFIX}"));
    passes(&folder, library.to_str().unwrap(), subject);
}

#[test]
fn plugins_in_c_build_and_pass() {
    c_passes("segmenter", "segmenter my-plugin");
    c_passes("mark-style", "mark style my-plugin");
    c_passes("tracker", "tracker my-plugin");
}

#[test]
fn plugins_in_rust_build_and_pass() {
    rust_passes("segmenter", "segmenter my-plugin");
    rust_passes("mark-style", "mark style my-plugin");
    rust_passes("tracker", "tracker my-plugin");
}

#[test]
fn the_checkout_of_the_program_is_built_against() {
    let folder = new("grid", &["--lang", "rust"]);
    let manifest = String::from_utf8(folder.read("grid/Cargo.toml")).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/som-plugin");
    let dependency = format!(
        "som-plugin = {{ path = {:?} }}",
        path.canonicalize().unwrap()
    );
    assert!(manifest.contains(&dependency), "{manifest}");
}

#[test]
fn nothing_is_written_over_or_half_written() {
    let folder = Folder::new();
    folder.write("there/keep", "me");
    let is_there = "is there already (choose another name, or remove it)";
    let refuses = |arguments: &str, line: &str| {
        let arguments: Vec<_> = arguments.split(' ').collect();
        let ran = folder.som(&[&["plugin", "new"], &arguments[..]].concat());
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(line), "{}", ran.stderr);
        assert_eq!(folder.files(), ["there/keep"]);
    };
    refuses("there --lang c", is_there);
    refuses("../x --lang c", "a name starts with a-z");
    refuses("fn --lang rust", "this name has a meaning already");
    refuses("x --lang cobol", "[possible values: rust, c]");
    refuses(
        "x --lang rust --som nowhere",
        "there is no crates/som-plugin in it",
    );
    refuses("x --lang c --som .", "--som is for Rust");
}
