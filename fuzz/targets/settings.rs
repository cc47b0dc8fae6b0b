//! Settings: a file in TOML, and the environment.

#![no_main]

use std::{fs, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use som_engine::settings::Ladder;
use tempfile::NamedTempFile;

static FILE: LazyLock<NamedTempFile> = LazyLock::new(|| NamedTempFile::new().unwrap());

fuzz_target!(|text: &str| {
    fs::write(FILE.path(), text).unwrap();
    if let Ok((settings, _)) = Ladder::embedded().with_file(FILE.path()).load() {
        for id in settings.segmenter.keys() {
            let _ = settings.segmenter(id);
        }
    }
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let variable = (format!("SOM__{name}"), value.to_owned());
    let _ = Ladder::embedded().with_environment([variable]).load();
});
