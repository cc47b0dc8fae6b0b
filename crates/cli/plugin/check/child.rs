//! One check in a process of its own: both sides of it.

use std::{
    env,
    fs::File,
    io::{self, Read as _, Seek as _},
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use som_core::{Error, ErrorKind, Result};
use som_plugin::host::check::{self, Check, Setup, Subject};

use crate::{exit, output::Output};

/// What the line of stdout starts with that holds the answer; the plugin may have printed others.
const ANSWER: &str = "som plugin check: ";

/// What the process of a check tells the one that started it.
#[derive(Serialize, Deserialize)]
struct Told {
    failure: Option<ToldFailure>,
    /// After the library was loaded: what else there is to check.
    brings: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct ToldFailure {
    kind: String,
    message: String,
}

/// Asks the question `name`, which is SUBJECT/CHECK, and tells the answer on stdout.
///
/// # Errors
/// Invalid or NotFound, if there is no such question.
pub(super) fn answer(library: &Path, name: &str, setup: &Setup) -> Result<()> {
    let unknown = || Error::invalid(format!("--only {name}: write it as SUBJECT/CHECK"));
    let (subject, name) = name.rsplit_once('/').ok_or_else(unknown)?;
    let subject: Subject = subject.parse()?;
    let check = subject.check(name)?;
    let failure = check::ask(library, &subject, check, setup).err();
    let mut brings = Vec::new();
    if failure.is_none() && is_first(&subject, check) {
        brings = check::brought(library)?
            .iter()
            .map(Subject::to_string)
            .collect();
    }
    let told = Told {
        failure: failure.map(|error| ToldFailure {
            kind: error.kind().name().to_owned(),
            message: exit::one_line(&error),
        }),
        brings,
    };
    let told = serde_json::to_string(&told)
        .map_err(|error| Error::internal("the answer is no JSON").caused_by(error))?;
    Output::Stdout.write(format!("\n{ANSWER}{told}\n").as_bytes())
}

/// True for the check that tells what the library brings.
fn is_first(subject: &Subject, check: &Check) -> bool {
    let first = Subject::Library.checks().first();
    *subject == Subject::Library && first.is_some_and(|first| first.name == check.name)
}

/// Starts the processes of checks.
pub(super) struct Child<'a> {
    pub(super) library: &'a Path,
    pub(super) setup: &'a Setup,
    /// How long one may take.
    pub(super) patience: Duration,
}

/// How a check ended.
pub(super) struct Answer {
    pub(super) failure: Option<Error>,
    pub(super) brings: Vec<Subject>,
    pub(super) took: Duration,
}

impl Child<'_> {
    /// Has a question answered by a new process, and ends it if that takes too long.
    ///
    /// # Errors
    /// Exhausted or Internal, if no process could be started or its output not be kept.
    pub(super) fn ask(&self, subject: &Subject, check: &Check) -> Result<Answer> {
        let start = Instant::now();
        let ended = self
            .run(&format!("{subject}/{}", check.name))
            .map_err(|error| Error::exhausted("no process for a check").caused_by(error))?;
        let told = ended.told();
        let brings = told.iter().flat_map(|told| &told.brings);
        let brings = brings.map(|subject| subject.parse());
        Ok(Answer {
            brings: brings.collect::<Result<_>>()?,
            failure: self.failure(&ended, told),
            took: start.elapsed(),
        })
    }

    fn failure(&self, ended: &Ended, told: Option<Told>) -> Option<Error> {
        if ended.status.is_none() {
            return Some(Error::internal(format!(
                "it did not come back within {} s (raise --timeout, if it is only slow)",
                self.patience.as_secs()
            )));
        }
        match told {
            Some(Told {
                failure: Some(failure),
                ..
            }) => Some(failure.into()),
            Some(_) if ended.is_orderly() => ended.printed(),
            _ => Some(ended.crash()),
        }
    }

    /// Output goes to files: whoever reads a pipe waits for all who hold it, and a plugin may
    /// start processes of its own.
    fn run(&self, only: &str) -> io::Result<Ended> {
        let (mut stdout, mut stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
        let mut command = Command::new(env::current_exe()?);
        command
            .args(["plugin", "check", "--only", only, "--grace"])
            .arg(self.setup.grace.as_secs().to_string())
            .args(
                self.setup
                    .settings
                    .iter()
                    .flat_map(|(key, value)| ["--set".to_owned(), format!("{key}={value}")]),
            )
            .arg("--")
            .arg(self.library)
            .stdin(Stdio::null())
            .stdout(stdout.try_clone()?)
            .stderr(stderr.try_clone()?);
        let mut process = command.spawn()?;
        let deadline = Instant::now() + self.patience;
        let status = loop {
            match process.try_wait()? {
                None if Instant::now() >= deadline => {
                    process.kill()?;
                    process.wait()?;
                    break None;
                }
                None => thread::sleep(Duration::from_millis(5)),
                status => break status,
            }
        };
        Ok(Ended {
            status,
            stdout: read(&mut stdout)?,
            stderr: read(&mut stderr)?,
        })
    }
}

/// What somebody printed, up to a length that nobody reads.
fn read(file: &mut File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.take(1 << 20).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A process that is over.
struct Ended {
    /// `None`, if it had to be ended.
    status: Option<ExitStatus>,
    stdout: String,
    stderr: String,
}

impl Ended {
    fn told(&self) -> Option<Told> {
        let line = self
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix(ANSWER))?;
        serde_json::from_str(line).ok()
    }

    fn is_orderly(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    /// What the plugin printed beside the answer is a fault: stdout is for marked images and JSON.
    fn printed(&self) -> Option<Error> {
        let mut lines = self.stdout.lines().filter(|line| !line.starts_with(ANSWER));
        let line = lines.find(|line| !line.trim().is_empty())?;
        Some(Error::internal(format!(
            "it prints to stdout, where som's own output goes: {line:?} (use host->log)"
        )))
    }

    /// How the process ended without an answer, or after it.
    fn crash(&self) -> Error {
        let how = match self.status.map(|status| (status.code(), status.signal())) {
            Some((Some(code), _)) => format!("it ended the process with the exit code {code}"),
            Some((_, Some(6))) => "it crashed (SIGABRT)".to_owned(),
            Some((_, Some(8))) => "it crashed (SIGFPE)".to_owned(),
            Some((_, Some(11))) => "it crashed (SIGSEGV)".to_owned(),
            Some((_, Some(signal))) => format!("it crashed (signal {signal})"),
            _ => "it ended the process".to_owned(),
        };
        let said = self.stderr.lines().rfind(|line| !line.trim().is_empty());
        Error::internal(match said {
            Some(line) => format!("{how}: {}", line.trim()),
            None => how,
        })
    }
}

impl From<ToldFailure> for Error {
    fn from(told: ToldFailure) -> Self {
        let mut kinds = ErrorKind::ALL.into_iter();
        let kind = kinds.find(|kind| kind.name() == told.kind);
        Error::new(kind.unwrap_or(ErrorKind::Internal), told.message)
    }
}
