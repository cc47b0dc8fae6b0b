//! The segmenter `sam` through the command: a learned model from its checkpoint to the pixels.

use std::{
    env::{self, consts::DLL_SUFFIX},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    plugin::rust_library,
    som::{Folder, Ran},
    source::root,
};

// A GPU that is none, to see that nothing stays on the CPU.
mod device;
// Checkpoints and images that nothing good comes of.
mod faults;
// A moved installation, and one without libtorch.
mod install;
// Marks on what a learned model finds.
mod mark;
// Masks and scores of the official project.
mod parity;
// The same through gRPC.
mod serve;

/// A folder in which `som` has the segmenter, and the test data of one network.
struct Sam {
    folder: Folder,
    data: PathBuf,
    device: &'static str,
    /// Where libraries are looked for first, if not where they usually are.
    libraries: Option<PathBuf>,
}

impl Sam {
    /// With the network and the image `name` of the plugin's own tests; `None` where libtorch and
    /// with it the plugin is left out.
    fn open(name: &str) -> Option<Self> {
        let folder = Folder::new();
        let settings = format!("[plugins]\nlibraries = ['{}']\n", library()?.display());
        folder.write("som.toml", settings);
        Some(Self {
            folder,
            data: root().join("plugins/sam/tests/assets").join(name),
            device: "cpu",
            libraries: None,
        })
    }

    fn file(&self, name: &str) -> String {
        self.data.join(name).to_str().unwrap().to_owned()
    }

    /// What the official project computes.
    fn expected(&self) -> Value {
        serde_json::from_slice(&fs::read(self.file("expected.json")).unwrap()).unwrap()
    }

    /// Runs `som COMMAND image.png` with the segmenter, its weights, and more arguments.
    fn run(&self, command: &str, arguments: &[&str]) -> Ran {
        let (image, weights) = (self.file("image.png"), self.file("checkpoint.pth"));
        let (weights, device) = (
            format!("weights={weights}"),
            format!("device={}", self.device),
        );
        let sam = ["--segmenter", "sam", "--set", &device, "--set", &weights];
        let arguments = [&[command, &image], &sam[..], arguments].concat();
        let mut command = self.folder.command(&arguments);
        if let Some(libraries) = &self.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        Ran::of(&mut command)
    }

    /// The regions that `som segment` finds with these parameters.
    fn regions(&self, params: &[(&str, &Value)], arguments: &[&str]) -> Vec<Value> {
        let settings: Vec<String> = params
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let settings = settings.iter().flat_map(|setting| ["--set", setting]);
        let arguments: Vec<&str> = settings.chain(arguments.iter().copied()).collect();
        let ran = self.run("segment", &arguments).succeeded();
        ran.json()["regions"].as_array().unwrap().clone()
    }
}

/// The plugin as a library; `None`, with a word about it, where libtorch is left out.
fn library() -> Option<PathBuf> {
    let library = match env::var_os("SOM_TEST_PLUGINS") {
        Some(folder) => Path::new(&folder).join(format!("som-sam{DLL_SUFFIX}")),
        None if libtorch().join("lib").exists() => rust_library("som-sam"),
        None => PathBuf::new(),
    };
    if library.exists() {
        return Some(library);
    }
    eprintln!("skipped: no libtorch, so no plugin over it (`cargo xtask test` installs it)");
    None
}

/// The folder that holds libtorch's `lib`; cargo sets the variable.
fn libtorch() -> PathBuf {
    env::var_os("LIBTORCH")
        .map(PathBuf::from)
        .unwrap_or_default()
}
