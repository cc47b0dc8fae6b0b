//! The `som` command as a user runs it: in a folder of its own, with files of its own.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use image::RgbImage;
use serde_json::Value;
use som_client::{Client, Connection};
use tempfile::TempDir;

/// A folder to run `som` in. It is gone when the test is over.
pub(crate) struct Folder(TempDir);

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Folder {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A folder with some of the photographs of `examples/images`.
    pub(crate) fn with_photos(names: &[&str]) -> Self {
        let folder = Self::new();
        for name in names {
            fs::copy(photo(name), folder.path(name)).unwrap();
        }
        folder
    }

    /// The path of a file in it.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, and the folders it lies in.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn image(&self, name: &str) -> RgbImage {
        image::load_from_memory(&self.read(name))
            .unwrap()
            .into_rgb8()
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.read(name)).unwrap()
    }

    /// All files below, sorted, hidden ones too.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.0.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let below = path.strip_prefix(self.0.path()).unwrap();
                    files.push(below.to_str().unwrap().to_owned());
                }
            }
        }
        files.sort();
        files
    }

    /// The command, not yet started. No setting of this machine reaches it, and no plugin that
    /// happens to be in the folders beside it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_som"));
        command.args(arguments).current_dir(self.0.path());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SOM_")) {
            command.env_remove(name);
        }
        command.env_remove("COLUMNS");
        command.env("SOM__PLUGINS__INSTALLED", "false");
        command
    }

    /// Runs `som` with `arguments`.
    pub(crate) fn som(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).stdin(Stdio::null()))
    }

    /// Runs `som` with `arguments` and something to read on stdin.
    pub(crate) fn som_reading(&self, arguments: &[&str], stdin: &[u8]) -> Ran {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may have ended before it read all.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        Ran::from(child.wait_with_output().unwrap())
    }
}

/// A server that runs until it is told to end, or dropped.
pub(crate) struct Served {
    child: Child,
    /// What it printed first: where it listens.
    pub(crate) address: String,
    log: PathBuf,
}

impl Served {
    /// Starts `som` with `arguments` and waits until it listens, on a port of its choice unless
    /// they say where.
    pub(crate) fn start(folder: &Folder, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut arguments = arguments.to_vec();
        if !arguments.contains(&"--listen") {
            arguments.extend(["--listen", "127.0.0.1:0"]);
        }
        let mut command = folder.command(&arguments);
        command.envs(variables.iter().copied());
        Self::listening(folder, command)
    }

    /// As [`start`](Self::start), within a limit such as `-v 1048576` or `-n 256` (`ulimit`).
    pub(crate) fn start_within(folder: &Folder, limit: &str, arguments: &[&str]) -> Self {
        let som = folder.command(arguments);
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit {limit}; exec \"$0\" \"$@\"")]);
        command.arg(som.get_program()).args(som.get_args());
        command.args(["--listen", "127.0.0.1:0"]);
        command.current_dir(som.get_current_dir().unwrap());
        for (name, value) in som.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Self::listening(folder, command)
    }

    fn listening(folder: &Folder, mut command: Command) -> Self {
        let log = tempfile::NamedTempFile::new_in(folder.0.path()).unwrap();
        let (log, path) = log.keep().unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(log);
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on ");
        let Some(address) = address else {
            let _ = child.kill();
            panic!("{line:?}: {}", fs::read_to_string(path).unwrap());
        };
        Self {
            child,
            address: address.to_owned(),
            log: path,
        }
    }

    /// Its address as clients name it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client with a connection of its own.
    pub(crate) fn client(&self) -> Client {
        Client::new(&Connection::to(self.url())).unwrap()
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The server, if it ended by itself.
    pub(crate) fn if_ended(&mut self) -> Option<&mut Self> {
        let has_ended = self.child.try_wait().unwrap().is_some();
        has_ended.then_some(self)
    }

    /// Its resident memory in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.unwrap().trim().strip_suffix(" kB").unwrap();
        number.parse().unwrap()
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Sends it a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        kill.args(["-s", name, &self.child.id().to_string()]);
        assert!(kill.status().unwrap().success());
    }

    /// Waits until it ends: its exit code, and what it logged.
    pub(crate) fn ended(mut self) -> (i32, String) {
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        (code, fs::read_to_string(&self.log).unwrap())
    }

    /// Tells it to end: its exit code, and what it logged.
    pub(crate) fn end(self) -> (i32, String) {
        self.signal("TERM");
        self.ended()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ran {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::from(command.output().unwrap())
    }

    /// Stops the test unless the run succeeded.
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self
    }

    /// Stops the test unless the run failed so, with one line about it.
    #[track_caller]
    pub(crate) fn failed(&self, code: i32, line: &str) {
        assert_eq!(self.stderr, format!("som: {line}\n"));
        assert_eq!(self.code, code);
        assert!(self.stdout.is_empty(), "a failure prints nothing on stdout");
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap()
    }
}

impl From<std::process::Output> for Ran {
    fn from(output: std::process::Output) -> Self {
        Self {
            // A signal has no code.
            code: output.status.code().unwrap_or(-1),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A photograph of `examples/images`.
pub(crate) fn photo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples/images")
        .join(name)
}

/// `image` as PNG.
pub(crate) fn png(image: &RgbImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}
