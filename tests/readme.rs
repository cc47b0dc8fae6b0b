//! The README's commands, run in order as they stand; and its settings, read.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    som::{Folder, Ran},
    source::root,
};

/// Commands that a test cannot run, by a part of them, and why.
const SKIPPED: [(&str, &str); 9] = [
    ("cargo ", "builds; CI runs it by itself"),
    ("--lmm gpt4o", "needs a key"),
    ("--row lmm=gpt4o", "needs a key"),
    (
        "som eval ",
        "needs a data set; tests/eval.rs has small ones",
    ),
    ("som models pull", "needs the network"),
    ("--set weights=", "needs weights"),
    (
        "som serve",
        "goes on until it is told to end; tests/serve.rs runs it",
    ),
    (
        "som backend",
        "goes on until it is told to end; tests/serve.rs runs it",
    ),
    ("--server ", "needs a server; tests/both.rs has one"),
];

/// The lines of all blocks of this kind, block by block.
fn blocks(kind: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line == format!("```{kind}") {
            let block = lines.by_ref().take_while(|line| *line != "```");
            blocks.push(block.map(str::to_owned).collect());
        }
    }
    assert!(!blocks.is_empty());
    blocks
}

#[test]
fn commands_run_in_order_as_they_stand() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("examples/images")).unwrap();
    for entry in fs::read_dir(root().join("examples/images")).unwrap() {
        let path = entry.unwrap().path();
        let name = Path::new("examples/images").join(path.file_name().unwrap());
        fs::copy(&path, folder.path(name)).unwrap();
    }
    let mut unused: Vec<&str> = SKIPPED.iter().map(|(part, _)| *part).collect();
    let mut script = String::new();
    let mut count = 0;
    for line in blocks("sh").concat() {
        if let Some((part, why)) = SKIPPED.iter().find(|(part, _)| line.contains(part)) {
            eprintln!("skipped: {line}: {why}");
            unused.retain(|unused| unused != part);
            continue;
        }
        count += 1;
        // A comment reaches to the end of its line.
        let quoted = line.replace('\'', "'\\''");
        script.push_str(&format!(
            "{{\n{line}\n}} || {{ echo '@@ {quoted}' >&2; exit 9; }}\n"
        ));
    }
    assert!(count > 25, "{count} commands are too few");
    assert_eq!(unused, [""; 0], "nothing is skipped for that");

    let som = folder.command(&[]);
    let program = Path::new(som.get_program()).parent().unwrap().to_owned();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(folder.path(""));
    shell.stdin(Stdio::null()).stdout(Stdio::null());
    for (name, value) in som.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.env("PATH", format!("{}:{path}", program.display()));
    let ran = Ran::of(&mut shell);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(folder.path("try/coffee.marked.png").exists());
}

#[test]
fn settings_are_settings() {
    let folder = Folder::new();
    for (block, index) in blocks("toml").iter().zip(1..) {
        let file = format!("{index}.toml");
        folder.write(&file, block.join("\n"));
        let ran = folder.som(&["config", "show", "--config", &file]);
        assert_eq!(ran.code, 0, "{block:?}: {}", ran.stderr);
    }
}
