use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use super::{
    parity::{all_cases, in_less},
    plugin::{Fixture, Plugin, libtorch},
};
use crate::{plugin::build, source::root};

impl Fixture {
    /// The same on a GPU that is none.
    fn on_a_pretended_gpu(mut self) -> Self {
        for argument in &mut self.how {
            if argument == "device=cpu" {
                *argument = "device=cuda".to_owned();
            }
        }
        self.libraries = Some(pretended().to_owned());
        self
    }
}

/// The folder with the library of a GPU that is none, under the name that libtorch's own has.
fn pretended() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = build::folder().join("pretended");
        fs::create_dir_all(&folder).unwrap();
        let libtorch = libtorch();
        let include = libtorch.join("include");
        let output = Command::new("c++")
            .args(["-std=c++20", "-O1", "-Wall", "-fPIC", "-shared"])
            .arg(root().join("tests/learned/pretended_cuda.cpp"))
            .arg("-o")
            .arg(folder.join("libtorch_cuda.so"))
            // Warnings in them are not ours.
            .arg("-isystem")
            .arg(&include)
            .arg("-L")
            .arg(libtorch.join("lib"))
            .args(["-ltorch_cpu", "-lc10"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
        folder
    })
}

pub(super) fn on_a_gpu_nothing_stays_on_the_cpu(plugin: &Plugin) {
    for entry in fs::read_dir(plugin.fixtures()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().and_then(|name| name.to_str());
        let Some(name) = name.filter(|_| path.is_dir()) else {
            continue;
        };
        let Some(fixture) = plugin.fixture(name).map(Fixture::on_a_pretended_gpu) else {
            return;
        };
        all_cases(&fixture);
        if *name == fixture.table.tests.fixture {
            in_less(&fixture);
        }
    }
}

pub(super) fn gpus_are_counted(plugin: &Plugin) {
    let Some(fixture) = plugin.usual().map(Fixture::on_a_pretended_gpu) else {
        return;
    };
    let ran = fixture.run("segment", &["--set", "device=cuda:1"]);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    let told = "no such GPU (this machine has 1, numbered from 0)";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
}
