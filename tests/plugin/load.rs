use std::{fs, path::Path};

use som_core::ErrorKind;
use som_plugin::host::{libraries_in, load};

use super::build::{c_library, folder, misbehave, rust_library};
use crate::som::{Folder, Ran};

/// The kind and the message of the refusal to load a library, without its path.
fn refusal(library: &Path) -> (ErrorKind, String) {
    let error = load(library).unwrap_err();
    let message = error.to_string();
    let start = format!("library {}: ", library.display());
    let reason = message
        .strip_prefix(&start)
        .unwrap_or_else(|| panic!("{message}"));
    (error.kind(), reason.to_owned())
}

fn file(name: &str, content: &[u8]) -> std::path::PathBuf {
    let path = folder().join(name);
    fs::write(&path, content).unwrap();
    path
}

#[test]
fn a_relative_path_is_refused() {
    let reason = "the path must be absolute, for what it names will be executed";
    assert_eq!(
        refusal(Path::new("libm.so.6")),
        (ErrorKind::Invalid, reason.to_owned())
    );
}

#[test]
fn a_missing_library_is_named() {
    let reason = "it cannot be opened (check the path)".to_owned();
    assert_eq!(
        refusal(&folder().join("nowhere.so")),
        (ErrorKind::NotFound, reason)
    );
}

#[test]
fn what_is_no_library_is_refused() {
    let reason = (ErrorKind::Invalid, "it is not a dynamic library".to_owned());
    assert_eq!(refusal(&file("empty.so", b"")), reason);
    assert_eq!(
        refusal(&file("text.so", b"#!/bin/sh\necho no library\n")),
        reason
    );
    assert_eq!(refusal(&folder()), reason);

    let library = fs::read(misbehave(&[])).unwrap();
    assert_eq!(refusal(&file("head.so", &library[..40])), reason);
    let half = refusal(&file("half.so", &library[..library.len() / 2]));
    assert_ne!(half.0, ErrorKind::Internal, "{}", half.1);
}

#[test]
fn a_library_of_another_processor_is_told_so() {
    let mut library = fs::read(misbehave(&[])).unwrap();
    // e_machine of an ELF file; 183 is AArch64, 243 is RISC-V.
    let foreign = if cfg!(target_arch = "aarch64") {
        (243_u16, "riscv64")
    } else {
        (183, "aarch64")
    };
    library[18..20].copy_from_slice(&foreign.0.to_le_bytes());
    let here = std::env::consts::ARCH;
    let reason = format!(
        "it was built for {} on Linux, this program for {here} on Linux",
        foreign.1
    );
    let foreign = file("foreign.so", &library);
    assert_eq!(refusal(&foreign), (ErrorKind::Invalid, reason.clone()));
    let folder = Folder::with_photos(&["coffee.png"]);
    let mut som = folder.command(&["mark", "coffee.png"]);
    let ran = Ran::of(som.env("SOM__PLUGINS__LIBRARIES", &foreign));
    ran.failed(2, &format!("library {}: {reason}", foreign.display()));
    assert_eq!(folder.files(), ["coffee.png"]);

    // The header of a 64-bit Mach-O library for ARM, without load commands.
    let mach: [u32; 8] = [0xfeed_facf, 0x0100_000c, 0, 6, 0, 0, 0, 0];
    let bytes: Vec<u8> = mach.iter().flat_map(|word| word.to_le_bytes()).collect();
    let reason = format!("it was built for aarch64 on macOS, this program for {here} on Linux");
    assert_eq!(
        refusal(&file("mac.so", &bytes)),
        (ErrorKind::Invalid, reason)
    );
}

#[test]
fn a_library_that_needs_a_missing_one_names_it() {
    let needed = folder().join("libsomewhere-else.so");
    let nothing = file("nothing.c", b"int somewhere_else(void) { return 0; }\n");
    let flags = ["-Wl,-soname,libsomewhere-else.so".to_owned()];
    let built = c_library("libsomewhere-else", nothing.to_str().unwrap(), flags);
    let flags = [
        "-Wl,--no-as-needed".to_owned(),
        built.to_str().unwrap().to_owned(),
    ];
    let library = c_library("needy", "tests/plugin/misbehave.c", flags);
    fs::remove_file(needed).unwrap();
    let reason = "it needs libsomewhere-else.so, which is not found (install it, or name its folder \
                  in LD_LIBRARY_PATH)";
    assert_eq!(
        refusal(&library),
        (ErrorKind::Unavailable, reason.to_owned())
    );
}

#[test]
fn a_library_with_an_undefined_symbol_names_it() {
    let library = misbehave(&["NEEDS_A_SYMBOL"]);
    let (kind, reason) = refusal(&library);
    assert_eq!(kind, ErrorKind::Unavailable);
    assert!(reason.starts_with("it cannot be loaded: "), "{reason}");
    assert!(
        reason.ends_with("undefined symbol: a_symbol_that_is_nowhere"),
        "{reason}"
    );
}

#[test]
fn a_library_without_the_entry_is_no_plugin() {
    let reason = "it does not export som_plugin_entry_v1, so it is no plugin \
                  (a Rust plugin is built with `--crate-type cdylib --features export`)";
    assert_eq!(
        refusal(&misbehave(&["NO_ENTRY"])),
        (ErrorKind::Invalid, reason.to_owned())
    );
}

#[test]
fn a_plugin_may_refuse() {
    let reason = "the plugin refuses: this machine has no lens";
    assert_eq!(
        refusal(&misbehave(&["REFUSES"])),
        (ErrorKind::Unavailable, reason.to_owned())
    );
    let reason = "the plugin refuses, without a reason (it should log one first)";
    let library = misbehave(&["REFUSES_SILENTLY"]);
    assert_eq!(
        refusal(&library),
        (ErrorKind::Unavailable, reason.to_owned())
    );
}

#[test]
fn a_library_is_entered_once() {
    let library = rust_library("example-segmenter");
    let link = folder().join("another-name.so");
    let _ = fs::remove_file(&link);
    std::os::unix::fs::symlink(&library, &link).unwrap();
    let (first, second) = (load(&library).unwrap(), load(&link).unwrap());
    assert!(std::sync::Arc::ptr_eq(
        &first.segmenters[0],
        &second.segmenters[0]
    ));
}

#[test]
fn a_folder_is_searched_for_libraries() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["b.so", "a.so", "readme.txt", "c.so.1"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    fs::create_dir(folder.path().join("folder.so")).unwrap();
    let found = libraries_in(folder.path()).unwrap();
    assert_eq!(found, ["a.so", "b.so"].map(|name| folder.path().join(name)));

    let missing = folder.path().join("missing");
    let error = libraries_in(&missing).unwrap_err();
    let text = format!(
        "plugin folder {}: it cannot be read (check plugins.folders)",
        missing.display()
    );
    assert_eq!(
        (error.kind(), error.to_string()),
        (ErrorKind::NotFound, text)
    );
    let error = libraries_in(Path::new("plugins")).unwrap_err();
    let text =
        "plugin folder plugins: the path must be absolute, for what it names will be executed";
    assert_eq!(error.to_string(), text);
}
