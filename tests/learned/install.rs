use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use super::plugin::{Plugin, libtorch};
use crate::som::{Folder, Ran};

/// A copy of the plugin that has lost the way to the libtorch it was built with, as on another
/// machine.
fn estranged(library: &Path, target: &Path) {
    let mut bytes = fs::read(library).unwrap();
    let built_with = libtorch().join("lib");
    let built_with = built_with.to_str().unwrap().as_bytes();
    let places: Vec<usize> = (0..bytes.len() - built_with.len())
        .filter(|&place| bytes[place..].starts_with(built_with))
        .collect();
    assert!(!places.is_empty(), "the library has no run path");
    for place in places {
        bytes[place..place + built_with.len()].fill(b'x');
    }
    fs::create_dir_all(target.parent().unwrap()).unwrap();
    fs::write(target, bytes).unwrap();
}

/// `som` unpacked from an archive: `bin/som`, and `plugins/` with the plugin alone, of the given
/// file name.
fn unpacked(plugin: &Plugin) -> Option<(Folder, String)> {
    let library = plugin.library()?;
    let name = library.file_name().unwrap().to_str().unwrap().to_owned();
    let folder = Folder::new();
    estranged(&library, &folder.path("plugins").join(&name));
    fs::create_dir(folder.path("bin")).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_som"), folder.path("bin/som")).unwrap();
    Some((folder, name))
}

fn som(folder: &Folder, arguments: &str) -> Ran {
    let mut command = Command::new(folder.path("bin/som"));
    command
        .args(arguments.split(' '))
        .current_dir(folder.path("."))
        .env_remove("LD_LIBRARY_PATH");
    Ran::of(&mut command)
}

pub(super) fn a_missing_libtorch_is_named_and_how_to_get_it(plugin: &Plugin) {
    let Some((folder, library)) = unpacked(plugin) else {
        return;
    };
    let segmenter = plugin.table().segmenter;
    let photo = crate::som::photo("coffee.png");
    let photo = photo.to_str().unwrap();
    let ran = som(&folder, &format!("segment {photo} --segmenter {segmenter}"));
    assert_eq!(ran.code, 4, "{ran:?}");
    for part in [
        &*format!("segmenter {segmenter:?} does not exist (there are: classic)"),
        &*format!("plugins/{library}: it needs lib"),
        "`cargo xtask libtorch` in a checkout of som installs it",
    ] {
        assert!(ran.stderr.contains(part), "{}", ran.stderr);
    }
    // Who does not ask for it does not hear of it.
    let ran = som(&folder, &format!("segment {photo} --level 1")).succeeded();
    assert_eq!(ran.stderr, "");
    let ran = som(&folder, "plugin list").succeeded();
    assert!(
        ran.text().starts_with("segmenter   classic"),
        "{}",
        ran.text()
    );
    assert!(ran.stderr.contains("it needs lib"), "{}", ran.stderr);
}

pub(super) fn a_moved_installation_finds_the_libtorch_that_moved_along(plugin: &Plugin) {
    let Some((folder, _)) = unpacked(plugin) else {
        return;
    };
    fs::create_dir(folder.path("libtorch")).unwrap();
    symlink(libtorch(), folder.path("libtorch/torch")).unwrap();
    let ran = som(&folder, "plugin list").succeeded();
    let line = format!("segmenter   {} ", plugin.table().segmenter);
    assert!(ran.text().contains(&line), "{}", ran.text());
    assert_eq!(ran.stderr, "");
}
