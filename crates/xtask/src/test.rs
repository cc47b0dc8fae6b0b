//! `cargo xtask test`: every test, with all that the tests need beside them.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail};

use crate::{
    libtorch, plugins, python,
    workspace::{Package, Workspace},
};

#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Leave out the tests that compare with Python packages.
    #[arg(long)]
    no_python: bool,

    /// Test with servers for multimodal models that others wrote, too: the litellm proxy and
    /// `transformers serve`, about 4 GB from PyPI.
    #[arg(long)]
    lmm_servers: bool,

    /// Leave out the crates that need libtorch, and do not install it.
    #[arg(long)]
    no_torch: bool,

    /// Watch the memory of a server over so many requests, instead of 2000.
    #[arg(long, value_name = "REQUESTS")]
    soak: Option<u32>,

    /// Send so many requests at random to a server, instead of 600.
    #[arg(long, value_name = "REQUESTS")]
    storm: Option<u64>,

    /// Arguments for `cargo test`, such as `-p som-core` or a test's name.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds what the tests need, runs them all, and closes with a summary.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let start = Instant::now();
    let libraries = libraries(workspace);
    workspace.shell.remove_path(&libraries)?;
    plugins::build(workspace, "dev", &workspace.members, &libraries)?;
    if !options.no_torch {
        libtorch::install(workspace, libtorch::Flavor::Cpu)?;
        plugins::build(workspace, "dev", &workspace.torch, &libraries)?;
    }
    let mut summary = Summary::default();
    let mut success = run_tests(workspace, options, &[], &mut summary)?;
    // Arguments may choose packages themselves.
    if !options.no_torch && options.arguments.is_empty() {
        success &= run_tests(workspace, options, &workspace.torch, &mut summary)?;
    }

    println!("\n{}", "-".repeat(72));
    for name in &summary.failures {
        println!("FAILED  {name}");
    }
    println!(
        "{} tests passed, {} failed, {} ignored, in {} s",
        summary.passed,
        summary.failed,
        summary.ignored,
        start.elapsed().as_secs()
    );
    if options.no_python {
        println!("left out: comparisons with Python packages (--no-python)");
    }
    if !options.lmm_servers {
        println!("left out: LMM servers that others wrote (--lmm-servers installs and asks them)");
    }
    if options.no_torch {
        println!("left out: the crates and plugins that need libtorch (--no-torch)");
    }
    match (success, summary.failed) {
        (true, _) => Ok(()),
        (false, 0) => bail!("the tests did not build or did not run to their end; see above"),
        (false, failed) => bail!("{failed} tests failed"),
    }
}

/// Where the tests find plugins as libraries, those of `tests` and of `examples` among them.
fn libraries(workspace: &Workspace) -> PathBuf {
    workspace.target.join("test-plugins")
}

/// Runs `cargo test` over the given packages, or over the default ones.
fn run_tests(
    workspace: &Workspace,
    options: &Options,
    packages: &[Package],
    summary: &mut Summary,
) -> Result<bool> {
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(workspace.shell.current_dir())
        .args(["test", "--no-fail-fast"])
        .args(
            packages
                .iter()
                .flat_map(|package| ["--package", &package.name]),
        )
        .args(&options.arguments)
        .env("SOM_TEST_PLUGINS", libraries(workspace));
    if let Some(requests) = options.soak {
        cargo.env("SOM_TEST_SOAK", requests.to_string());
    }
    if let Some(requests) = options.storm {
        cargo.env("SOM_TEST_STORM", requests.to_string());
    }
    if options.no_python {
        cargo.env_remove("SOM_TEST_PYTHON");
        cargo.env_remove("SOM_TEST_CLIENTS");
    } else {
        let python = python::environment(workspace, python::PEERS)?;
        cargo.env("SOM_TEST_PYTHON", python);
        let python = python::environment(workspace, python::CLIENTS)?;
        cargo.env("SOM_TEST_CLIENTS", python);
    }
    if options.lmm_servers {
        let python = python::environment(workspace, python::LMM_SERVERS)?;
        cargo.env("SOM_TEST_LMM_SERVERS", python);
    }
    watch(&mut cargo, summary)
}

/// What all test programs together reported.
#[derive(Debug, Default, PartialEq)]
struct Summary {
    passed: usize,
    failed: usize,
    ignored: usize,
    failures: Vec<String>,
}

/// Runs `cargo test`, shows its output as it comes and adds its results to the summary.
fn watch(cargo: &mut Command, summary: &mut Summary) -> Result<bool> {
    let mut child = cargo
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start cargo")?;
    let output = child.stdout.take().context("cargo has no output")?;
    for line in BufReader::new(output).lines() {
        let line = line.context("cannot read the output of `cargo test`")?;
        println!("{line}");
        summary.add(&line);
    }
    let status = child.wait().context("cannot wait for cargo")?;
    Ok(status.success())
}

impl Summary {
    /// Takes in one line of a test program's output.
    fn add(&mut self, line: &str) {
        if let Some(name) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.strip_suffix(" ... FAILED"))
        {
            self.failures.push(name.to_owned());
        } else if let Some(counts) = line.strip_prefix("test result: ") {
            // "ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s"
            for count in counts.split(['.', ';']) {
                match count
                    .trim()
                    .split_once(' ')
                    .map(|(n, what)| (n.parse::<usize>(), what))
                {
                    Some((Ok(n), "passed")) => self.passed += n,
                    Some((Ok(n), "failed")) => self.failed += n,
                    Some((Ok(n), "ignored")) => self.ignored += n,
                    _ => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_several_programs_add_up() {
        let mut summary = Summary::default();
        for line in [
            "running 3 tests",
            "test mask::round_trip ... ok",
            "test mark::fits ... FAILED",
            "test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.25s",
            "test result: ok. 40 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.00s",
        ] {
            summary.add(line);
        }
        let failures = vec!["mark::fits".to_owned()];
        assert_eq!(
            summary,
            Summary {
                passed: 41,
                failed: 1,
                ignored: 1,
                failures
            }
        );
    }
}
