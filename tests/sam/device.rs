use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use super::{Sam, libtorch, parity};
use crate::{plugin::build, source::root};

impl Sam {
    /// The same on a GPU that is none.
    fn on_a_pretended_gpu(self) -> Self {
        Self {
            device: "cuda",
            libraries: Some(pretended().to_owned()),
            ..self
        }
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
            .arg(root().join("tests/sam/pretended_cuda.cpp"))
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

#[test]
fn on_a_gpu_nothing_stays_on_the_cpu() {
    for name in ["tiny", "shapes"] {
        let Some(sam) = Sam::open(name).map(Sam::on_a_pretended_gpu) else {
            return;
        };
        parity::prompted(&sam);
        parity::automatic(&sam);
        if name == "shapes" {
            parity::in_less(&sam);
        }
    }
}

#[test]
fn gpus_are_counted() {
    let Some(sam) = Sam::open("shapes").map(Sam::on_a_pretended_gpu) else {
        return;
    };
    let second = ["--set", "device=cuda:1"];
    let ran = sam.run("segment", &second);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    let told = "no such GPU (this machine has 1, numbered from 0)";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
}
