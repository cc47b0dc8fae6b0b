//! `som plugin check`: the conformance suite on a library, each check in a process of its own.

mod child;
mod report;

use std::{collections::VecDeque, path::PathBuf, process::ExitCode, time::Duration};

use clap::Args;
use som_core::{Error, Result};
use som_plugin::host::check::{Setup, Subject};

use self::{
    child::Child,
    report::{Checked, Report},
};
use crate::{General, exit, flags::assignment::Assignment, output::Output};

/// Check a plugin library against the contract, som_plugin.h
///
/// Asks of everything the library brings whether it keeps its promises: at every size of image, at
/// the edges of each parameter, cancelled, on several threads. Each check runs in a process of its
/// own, so a plugin that crashes or hangs fails that check alone.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// The library; its code will be executed
    #[arg(value_name = "LIBRARY")]
    library: PathBuf,
    /// Set an option or a parameter of everything in the library that knows the key
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<Assignment>,
    /// Seconds that one check may take
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// Seconds that a call may go on after it was cancelled
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    grace: u64,
    /// Print JSON: {"library", "checks", "passed", "failed"}
    #[arg(long)]
    json: bool,
    /// Be the process of one check: SUBJECT/CHECK
    #[arg(long, hide = true)]
    only: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  som plugin check target/release/libgrid.so
  som plugin check ./sam.so --set weights=/models/sam_vit_b.pth --timeout 600 --grace 20
  som plugin check ./brightness.so --json | jq '.checks[] | select(.failure)'

Exit code: 0 if every check passed; else 1 for a plugin that breaks a promise, 2 for a library that
is missing or is none, 4 for something that the plugin needs and does not find.";

/// Runs the suite, or the one check that this process is for.
pub(crate) fn run(options: &Options, general: &General) -> Result<ExitCode> {
    let library = std::path::absolute(&options.library).map_err(|error| {
        Error::invalid("is no path")
            .caused_by(error)
            .at(options.library.display())
    })?;
    let setting = |Assignment { key, value }: &Assignment| (key.clone(), value.clone());
    let setup = Setup {
        settings: options.settings.iter().map(setting).collect(),
        grace: Duration::from_secs(options.grace),
    };
    if let Some(name) = &options.only {
        child::answer(&library, name, &setup)?;
        return Ok(ExitCode::SUCCESS);
    }
    let child = Child {
        library: &library,
        setup: &setup,
        patience: Duration::from_secs(options.timeout),
    };
    let show = |text: &str, matters: bool| match options.json || general.quiet && !matters {
        true => Ok(()),
        false => Output::Stdout.write(text.as_bytes()),
    };
    let mut report = Report {
        library: options.library.clone(),
        checks: Vec::new(),
    };
    let mut subjects = VecDeque::from([Subject::Library]);
    while let Some(subject) = subjects.pop_front() {
        show(&report.heading(&subject), false)?;
        for check in subject.checks() {
            let answer = child.ask(&subject, check)?;
            subjects.extend(answer.brings);
            let failed = answer.failure.is_some();
            let checked = Checked {
                subject: subject.clone(),
                check,
                failure: answer.failure,
                took: answer.took,
            };
            show(&checked.as_lines(), failed)?;
            report.checks.push(checked);
            if failed && check.is_basic {
                break;
            }
        }
    }
    let failures: Vec<_> = report.failures().map(Error::kind).collect();
    show(&report.summary(), !failures.is_empty())?;
    if options.json {
        Output::Stdout.write(&report.as_json()?)?;
    }
    Ok(ExitCode::from(exit::code_of_all(failures)))
}
