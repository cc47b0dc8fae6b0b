//! Plugins over libtorch, their tables, and `som` with one of them.

use std::{
    env::{self, consts::DLL_SUFFIX},
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::Value;

use super::case::Case;
use crate::{
    plugin::rust_library,
    som::{Folder, Ran},
    source::root,
};

/// A plugin of the workspace.
pub(super) struct Plugin {
    /// Where its manifest is, from the repository's root.
    pub folder: &'static str,
    /// How its fixtures are laid out: every call of one, with what is expected of it.
    pub cases: fn(&Fixture) -> Vec<Case>,
}

/// The manifest of a plugin, as far as the tests read it.
#[derive(Deserialize)]
struct Manifest {
    package: Package,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    som: Table,
}

/// The table `package.metadata.som`: what developer commands and tests do with a plugin.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Table {
    /// The segmenter in it.
    pub segmenter: String,
    /// What a checkpoint of something else is said to hold none of.
    pub network: String,
    pub tests: Tests,
}

/// What the tests of faults and the like do with it.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Tests {
    /// The fixture that is enough for them, and arguments with which something is found in it
    /// quickly.
    pub fixture: String,
    pub quick: Vec<String>,
    /// Arguments without which nothing can be found, if there are any.
    #[serde(default)]
    pub needed: Vec<String>,
    /// Arguments that suit every image, even one of a single pixel.
    pub any_image: Vec<Vec<String>>,
    /// Arguments that are refused.
    pub refused: Vec<Refused>,
    /// What the option `config` may hold by mistake.
    pub refused_config: Vec<RefusedConfig>,
}

#[derive(Deserialize)]
pub(super) struct Refused {
    pub arguments: Vec<String>,
    /// A part of the message.
    pub told: String,
}

#[derive(Deserialize)]
pub(super) struct RefusedConfig {
    pub config: String,
    /// A part of the message.
    pub told: String,
}

impl Plugin {
    fn package(&self) -> Package {
        let manifest = root().join(self.folder).join("Cargo.toml");
        let manifest = fs::read_to_string(manifest).unwrap();
        // Arguments may name files of the fixtures.
        let manifest = manifest.replace("{assets}", self.fixtures().to_str().unwrap());
        let manifest: Manifest = toml::from_str(&manifest).unwrap();
        manifest.package
    }

    /// What its manifest says.
    pub(super) fn table(&self) -> Table {
        self.package().metadata.som
    }

    /// The folder of the fixtures.
    pub(super) fn fixtures(&self) -> PathBuf {
        root().join(self.folder).join("tests/assets")
    }

    /// The fixture `name`; `None` where libtorch and with it the plugin is left out.
    pub(super) fn fixture(&self, name: &str) -> Option<Fixture> {
        let library = self.library()?;
        let folder = Folder::new();
        let settings = format!("[plugins]\nlibraries = ['{}']\n", library.display());
        folder.write("som.toml", settings);
        let data = self.fixtures().join(name);
        let weights = format!("weights={}", data.join("checkpoint.pth").display());
        Some(Fixture {
            cases: self.cases,
            table: self.table(),
            library,
            folder,
            data,
            how: ["--set", "device=cpu", "--set", &weights]
                .map(str::to_owned)
                .to_vec(),
            libraries: None,
        })
    }

    /// The fixture that is enough for most tests.
    pub(super) fn usual(&self) -> Option<Fixture> {
        self.fixture(&self.table().tests.fixture)
    }

    /// The plugin as a library; `None`, with a word about it, where libtorch is left out.
    pub(super) fn library(&self) -> Option<PathBuf> {
        let name = self.package().name;
        let library = match env::var_os("SOM_TEST_PLUGINS") {
            Some(folder) => Path::new(&folder).join(format!("{name}{DLL_SUFFIX}")),
            None if libtorch().join("lib").exists() => rust_library(&name),
            None => PathBuf::new(),
        };
        if library.exists() {
            return Some(library);
        }
        eprintln!("skipped: no libtorch, so no plugin over it (`cargo xtask test` installs it)");
        None
    }
}

/// The folder that holds libtorch's `lib`; cargo sets the variable.
pub(super) fn libtorch() -> PathBuf {
    env::var_os("LIBTORCH")
        .map(PathBuf::from)
        .unwrap_or_default()
}

/// One network and image of a plugin's own tests, and a folder in which `som` has the segmenter.
pub(super) struct Fixture {
    pub cases: fn(&Self) -> Vec<Case>,
    pub table: Table,
    pub library: PathBuf,
    pub folder: Folder,
    pub data: PathBuf,
    /// Arguments that say where the segmenter runs: weights and device, or a server.
    pub how: Vec<String>,
    /// Where libraries are looked for first, if not where they usually are.
    pub libraries: Option<PathBuf>,
}

impl Fixture {
    /// The path of a file in it.
    pub(super) fn file(&self, name: &str) -> String {
        self.data.join(name).to_str().unwrap().to_owned()
    }

    /// What the official project computes.
    pub(super) fn expected(&self) -> Value {
        serde_json::from_slice(&fs::read(self.file("expected.json")).unwrap()).unwrap()
    }

    /// Every call of which the results are known.
    pub(super) fn cases(&self) -> Vec<Case> {
        (self.cases)(self)
    }

    /// Runs `som COMMAND image.png` with the segmenter, its weights, and more arguments.
    pub(super) fn run<A: AsRef<str>>(&self, command: &str, arguments: &[A]) -> Ran {
        self.run_on(&self.file("image.png"), command, arguments)
    }

    /// The same on another image.
    pub(super) fn run_on<A: AsRef<str>>(&self, image: &str, command: &str, arguments: &[A]) -> Ran {
        let mut all = vec![command, image, "--segmenter", &self.table.segmenter];
        all.extend(self.how.iter().map(String::as_str));
        all.extend(arguments.iter().map(AsRef::as_ref));
        let mut command = self.folder.command(&all);
        if let Some(libraries) = &self.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        Ran::of(&mut command)
    }

    /// The regions that `som segment` finds with these arguments.
    pub(super) fn regions<A: AsRef<str>>(&self, arguments: &[A]) -> Vec<Value> {
        let ran = self.run("segment", arguments).succeeded();
        ran.json()["regions"].as_array().unwrap().clone()
    }
}
