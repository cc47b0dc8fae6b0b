use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use super::rust_library;
use crate::som::{Folder, Ran};

/// `som` below a prefix of its own.
fn installation() -> Folder {
    let folder = Folder::new();
    fs::create_dir(folder.path("bin")).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_som"), folder.path("bin/som")).unwrap();
    folder
}

fn install(library: &Path, folder: &Folder, place: &str) {
    let place = folder.path(place);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::copy(library, place).unwrap();
}

fn som(folder: &Folder, arguments: &str) -> Ran {
    let mut command = Command::new(folder.path("bin/som"));
    command
        .args(arguments.split(' '))
        .current_dir(folder.path("."));
    Ran::of(&mut command)
}

fn photo() -> String {
    crate::som::photo("coffee.png").to_str().unwrap().to_owned()
}

#[test]
fn installed_plugins_are_found_from_the_program() {
    let library = rust_library("example-segmenter");
    for place in [
        "bin/plugins/grid.so",
        "plugins/grid.so",
        "lib/som/plugins/grid.so",
    ] {
        let folder = installation();
        install(&library, &folder, place);
        let list = som(&folder, "plugin list").succeeded();
        assert!(list.text().contains(place), "{place}: {}", list.text());
        som(&folder, &format!("segment {} --segmenter grid", photo())).succeeded();
        fs::write(folder.path("som.toml"), "[plugins]\ninstalled = false\n").unwrap();
        let ran = som(&folder, &format!("segment {} --segmenter grid", photo()));
        assert_eq!(ran.code, 2, "{}", ran.stderr);
    }
}

#[test]
fn what_the_program_has_already_comes_first() {
    let folder = installation();
    install(&rust_library("som-classic"), &folder, "plugins/classic.so");
    let list = som(&folder, "plugin list").succeeded();
    let classic = list.text().lines().next().unwrap();
    assert!(classic.contains("(embedded)"), "{classic}");
}

#[test]
fn a_folder_that_everybody_may_write_into_does_not_count() {
    let folder = installation();
    install(
        &rust_library("example-segmenter"),
        &folder,
        "plugins/grid.so",
    );
    fs::set_permissions(folder.path("plugins"), fs::Permissions::from_mode(0o777)).unwrap();
    let list = som(&folder, "plugin list").succeeded();
    assert!(!list.text().contains("grid.so"), "{}", list.text());
}

#[test]
fn a_broken_installed_library_stands_in_nobodys_way() {
    let folder = installation();
    folder.write("plugins/broken.so", "no library");
    let ran = som(&folder, &format!("segment {} --level 1", photo())).succeeded();
    assert_eq!(ran.stderr, "");
    let list = som(&folder, "plugin list").succeeded();
    assert!(
        list.stderr
            .contains("broken.so: it is not a dynamic library"),
        "{}",
        list.stderr
    );
    let ran = som(&folder, &format!("segment {} --segmenter grid", photo()));
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("broken.so: it is not a dynamic library"),
        "{}",
        ran.stderr
    );
}
