//! The sentences of `crates/README.md`, held to.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

use serde_json::Value;

use crate::source::{Source, root, rust_files};

/// Where Rust sources live.
const SOURCES: [&str; 4] = ["crates", "plugins", "examples", "tests"];

#[test]
fn crates_depend_only_as_drawn() {
    let page = Page::read();
    let members = members();
    assert_eq!(
        page.crates.keys().collect::<Vec<_>>(),
        members.keys().collect::<Vec<_>>(),
        "the crates of crates/README.md (left) and of the workspace (right)"
    );
    for (name, member) in &members {
        let row = &page.crates[name];
        for dependency in &member.dependencies {
            if members.contains_key(dependency) {
                assert!(
                    row.uses.contains(dependency),
                    "{name} must not depend on {dependency}"
                );
            }
            assert!(
                !row.must_not_know.contains(dependency),
                "{name} must not know {dependency}"
            );
        }
    }
}

#[test]
fn plain_builds_leave_out_only_what_needs_libtorch() {
    for (name, member) in &members() {
        let needs_libtorch = member
            .dependencies
            .iter()
            .any(|dependency| ["tch", "som-torch"].contains(&&**dependency));
        assert_eq!(
            member.is_default, !needs_libtorch,
            "{name} as a default member"
        );
    }
}

#[test]
fn unsafe_stays_in_its_place() {
    let strays: Vec<String> = rust_files(&SOURCES)
        .iter()
        .filter(|source| !source.path.starts_with("crates/som-plugin/"))
        // Opens libtorch's CUDA library.
        .filter(|source| source.path != "crates/som-torch/src/cuda.rs")
        .flat_map(|source| source.places_of(&["unsafe"]))
        .collect();
    assert!(strays.is_empty(), "`unsafe` out of its place: {strays:#?}");
}

#[test]
fn core_does_no_input_or_output() {
    for source in rust_files(&["crates/som-core/src"]) {
        for (place, module) in source.std_modules() {
            let is_outside_world = ["env", "fs", "net", "os", "process"].contains(&&*module);
            assert!(!is_outside_world, "{place}: som-core uses std::{module}");
        }
        for tokens in [
            &["async"][..],
            &["image", ":", ":", "open"],
            &["ImageReader", ":", ":", "open"],
            &[".", "save", "("],
            &[".", "save_with_format", "("],
        ] {
            let places = source.places_of(tokens);
            assert!(
                places.is_empty(),
                "som-core uses {}: {places:?}",
                tokens.concat()
            );
        }
    }
}

#[test]
fn core_links_no_runtime_and_no_network() {
    let tree = cargo(&[
        "tree",
        "--package",
        "som-core",
        "--all-features",
        "--edges",
        "normal",
    ]);
    assert!(tree.contains("serde_json"), "not a dependency tree: {tree}");
    for name in [
        "tokio",
        "async-std",
        "futures",
        "hyper",
        "reqwest",
        "tonic",
        "libloading",
        "mio",
    ] {
        assert!(
            !tree.contains(&format!(" {name} v")),
            "som-core links {name}:\n{tree}"
        );
    }
}

#[test]
fn files_do_not_import_each_other() {
    let mut circles = BTreeMap::new();
    for (folder, files) in modules() {
        let mut imports: BTreeMap<Vec<String>, BTreeSet<Vec<String>>> = BTreeMap::new();
        for (module, source) in &files {
            let targets = source.imports().into_iter();
            let targets = targets.filter_map(|path| target(&files, module, &path));
            // A part may use what its module is about, which in turn is made of its parts.
            let targets = targets.filter(|target| !module.starts_with(target));
            imports.insert(module.clone(), targets.collect());
        }
        // What leads nowhere further is in no circle, and neither is what nothing leads to.
        loop {
            let known: BTreeSet<_> = imports.keys().cloned().collect();
            let reached: BTreeSet<_> = imports.values().flatten().cloned().collect();
            imports.retain(|module, targets| {
                targets.retain(|target| known.contains(target));
                !targets.is_empty() && reached.contains(module)
            });
            if imports.len() == known.len() {
                break;
            }
        }
        if !imports.is_empty() {
            circles.insert(folder, imports);
        }
    }
    assert!(
        circles.is_empty(),
        "files that import each other: {circles:#?}"
    );
}

#[test]
fn every_crate_takes_the_lints_that_forbid_panics_and_unsafe() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    for lint in [
        "unsafe_code = \"deny\"",
        "unwrap_used",
        "expect_used",
        "panic",
        "todo",
    ] {
        assert!(
            workspace.contains(&format!("\n{lint}")),
            "Cargo.toml has lost the lint {lint}"
        );
    }
    for (name, member) in &members() {
        let manifest = fs::read_to_string(&member.manifest).unwrap();
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{name} does not inherit the lints"
        );
    }
}

#[test]
fn every_recipe_names_files_and_a_test_that_exist() {
    let page = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let recipes: Vec<&str> = page.split("\n### ").skip(1).collect();
    assert_eq!(recipes.len(), 8, "the recipes of CONTRIBUTING.md");
    for recipe in recipes {
        let title = recipe.lines().next().unwrap();
        let recipe = recipe.split("\n## ").next().unwrap();
        let mut tests = 0;
        for name in quoted(recipe) {
            let (file, test) = match name.split_once("::") {
                Some((file, test)) => (file.to_owned(), Some(test)),
                None => (name.clone(), None),
            };
            if !file.contains(['/', '.']) || file.contains(' ') {
                continue;
            }
            // Of what is new, the folder that it goes to is there.
            let known = file.split("/NAME").next().unwrap();
            let path = root().join(known);
            assert!(path.exists(), "{title}: there is no {known}");
            if let Some(test) = test {
                let text = fs::read_to_string(path).unwrap();
                let test = format!("fn {test}(");
                assert!(text.contains(&test), "{title}: no {test} in {file}");
                tests += 1;
            }
        }
        assert_eq!(tests, 1, "{title}: one test to copy");
    }
}

#[test]
fn every_invariant_names_tests_that_exist() {
    let invariants = Page::read().invariants;
    assert!(
        invariants.len() >= 5,
        "the invariants of crates/README.md: {invariants:#?}"
    );
    for invariant in &invariants {
        assert!(
            !invariant.tests.is_empty(),
            "held by no test: {}",
            invariant.sentence
        );
        for (file, test) in &invariant.tests {
            let text = fs::read_to_string(root().join(file))
                .unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(
                text.contains(&format!("fn {test}(")),
                "no test {test} in {file}"
            );
        }
    }
}

/// The files of each folder of sources, by the modules that they are.
fn modules() -> BTreeMap<String, BTreeMap<Vec<String>, Source>> {
    let mut folders: BTreeMap<String, BTreeMap<_, _>> = BTreeMap::new();
    for source in rust_files(&["crates", "plugins"]) {
        let in_src = source.path.find("/src/").map(|at| at + "/src".len());
        let in_command = source
            .path
            .starts_with("crates/cli/")
            .then_some("crates/cli".len());
        let Some(folder) = in_src.or(in_command) else {
            continue;
        };
        let (folder, file) = source.path.split_at(folder);
        let file = file.trim_matches('/').trim_end_matches(".rs");
        let mut module: Vec<String> = file.split('/').map(str::to_owned).collect();
        module.pop_if(|last| ["mod", "lib", "main"].contains(&last.as_str()));
        let files = folders.entry(folder.to_owned()).or_default();
        files.insert(module, source);
    }
    folders
}

/// The other file that `path` leads to, as the file of `module` imports it; `None` for another
/// crate's.
fn target(
    files: &BTreeMap<Vec<String>, Source>,
    module: &[String],
    path: &[String],
) -> Option<Vec<String>> {
    let ups = path.iter().take_while(|word| *word == "super").count();
    let (base, rest) = match path[0].as_str() {
        "crate" => (&[][..], &path[1..]),
        "self" => (module, &path[1..]),
        "super" => (&module[..module.len() - ups], &path[ups..]),
        part if files.contains_key(&[module, &[part.to_owned()]].concat()) => (module, path),
        _ => return None,
    };
    let mut found = [base, rest].concat();
    while !files.contains_key(&found) {
        found.pop()?;
    }
    (found != module).then_some(found)
}

/// `crates/README.md`, as far as tests read it.
struct Page {
    crates: BTreeMap<String, CrateRow>,
    invariants: Vec<Invariant>,
}

/// A line of the table `| crate | duty | uses | must not know |`.
struct CrateRow {
    uses: Vec<String>,
    must_not_know: Vec<String>,
}

/// A numbered sentence, and the tests named beneath it as `file::test`.
#[derive(Debug)]
struct Invariant {
    sentence: String,
    tests: Vec<(String, String)>,
}

impl Page {
    fn read() -> Self {
        let text = fs::read_to_string(root().join("crates/README.md")).unwrap();
        let crates = section(&text, "## Crates")
            .filter(|line| line.starts_with("| `"))
            .map(|line| {
                let cells: Vec<&str> = line.split('|').collect();
                let row = CrateRow {
                    uses: quoted(cells[3]),
                    must_not_know: quoted(cells[4]),
                };
                (quoted(cells[1]).remove(0), row)
            })
            .collect();
        let mut invariants: Vec<Invariant> = Vec::new();
        for line in section(&text, "## Invariants") {
            if line.starts_with(|c: char| c.is_ascii_digit()) {
                invariants.push(Invariant {
                    sentence: line.to_owned(),
                    tests: Vec::new(),
                });
            } else if let Some(invariant) = invariants.last_mut() {
                invariant
                    .tests
                    .extend(quoted(line).iter().filter_map(|name| {
                        name.split_once(".rs::")
                            .map(|(file, test)| (format!("{file}.rs"), test.to_owned()))
                    }));
            }
        }
        Self { crates, invariants }
    }
}

/// The lines from a heading to the next one.
fn section<'a>(text: &'a str, heading: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines()
        .skip_while(move |line| *line != heading)
        .skip(1)
        .take_while(|l| !l.starts_with("## "))
}

/// What stands between backticks.
fn quoted(text: &str) -> Vec<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// A crate of the workspace.
struct Member {
    manifest: String,
    /// What it links: neither build nor test dependencies.
    dependencies: Vec<String>,
    is_default: bool,
}

fn members() -> BTreeMap<String, Member> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--no-deps"])).unwrap();
    let defaults = metadata["workspace_default_members"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap().iter();
            let member = Member {
                manifest: text(&package["manifest_path"]),
                dependencies: dependencies
                    .filter(|dependency| dependency["kind"].is_null())
                    .map(|dependency| text(&dependency["name"]))
                    .collect(),
                is_default: defaults.contains(&package["id"]),
            };
            (text(&package["name"]), member)
        })
        .collect()
}

/// What cargo prints in the repository's root.
fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--offline")
        .current_dir(root())
        .output()
        .expect("cargo starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "cargo {}: {errors}",
        arguments.join(" ")
    );
    String::from_utf8(output.stdout).expect("cargo prints UTF-8")
}
