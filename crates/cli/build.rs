//! Collects the facts that `som --version` prints.

use std::{env, process::Command};

fn main() {
    println!("cargo:rerun-if-changed=crates/cli/build.rs");
    // The log of HEAD changes with every commit and checkout, in a linked work tree too.
    if let Some(log) = output("git", &["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo:rerun-if-changed={log}");
    }
    let commit = output("git", &["rev-parse", "--short=12", "HEAD"]);
    let rustc = env::var("RUSTC")
        .ok()
        .and_then(|rustc| output(&rustc, &["--version"]));
    let facts = [
        ("COMMIT", commit),
        ("TARGET", env::var("TARGET").ok()),
        (
            "RUSTC",
            rustc.map(|line| line.trim_start_matches("rustc ").to_owned()),
        ),
        ("PROFILE", env::var("PROFILE").ok()),
    ];
    for (name, fact) in facts {
        println!(
            "cargo:rustc-env=SOM_BUILD_{name}={}",
            fact.as_deref().unwrap_or("unknown")
        );
    }
}

/// What a command prints, if it succeeds.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
