//! `cargo xtask libtorch`: puts the pinned libtorch where the torch crates look for it.
//!
//! libtorch comes out of the PyTorch wheels on PyPI, because those are the files people test with
//! and PyPI gives a hash for each. The folder keeps the layout of `site-packages`, since the
//! libraries find each other by paths relative to themselves. `.cargo/config.toml` points
//! `LIBTORCH` at it.

use std::{
    env,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use crate::workspace::Workspace;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Install the CUDA libraries, too.
    #[arg(long)]
    cuda: bool,
}

/// Installs libtorch and says where it is.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let flavor = if options.cuda {
        Flavor::Cuda
    } else {
        Flavor::Cpu
    };
    println!(
        "libtorch {VERSION} is in {}.",
        install(workspace, flavor)?.display()
    );
    Ok(())
}

/// The PyTorch release that the `tch` of this workspace is written against.
const VERSION: &str = "2.11.0";

/// Lines of `sha256  url`, as `sha256sum` writes them: what libtorch needs on any machine, …
const CPU_WHEELS: &str = include_str!("cpu.sha256");
/// … and the CUDA libraries beside it, in the versions that PyTorch's own metadata asks for.
const CUDA_WHEELS: &str = include_str!("cuda.sha256");

/// Which libraries to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavor {
    /// Runs on the CPU only; about 0.6 GB on disk.
    Cpu,
    /// Runs on NVIDIA GPUs too; about 5 GB on disk.
    Cuda,
}

impl Flavor {
    const fn name(self) -> &'static str {
        match self {
            Flavor::Cpu => "cpu",
            Flavor::Cuda => "cuda",
        }
    }
}

/// Installs libtorch into the workspace's `.libtorch` unless it is there, and gives the folder
/// that holds its `lib` and `include`. An existing `LIBTORCH` is respected, and nothing installed.
///
/// # Errors
/// A `LIBTORCH` without libtorch in it, a download that fails, or a file that is not the pinned
/// one. What was downloaded stays, and the next run goes on from there.
pub(crate) fn install(workspace: &Workspace, flavor: Flavor) -> Result<PathBuf> {
    let home = workspace.shell.current_dir().join(".libtorch");
    let libtorch = home.join("torch");
    // `.cargo/config.toml` sets LIBTORCH to our own folder: that is no choice of the user's.
    if let Some(theirs) = env::var_os("LIBTORCH").map(PathBuf::from)
        && theirs != libtorch
    {
        ensure!(
            theirs.join("lib/libtorch_cpu.so").exists(),
            "LIBTORCH is {}, but there is no lib/libtorch_cpu.so in it (unset LIBTORCH to install \
             libtorch {VERSION} into {})",
            theirs.display(),
            home.display()
        );
        return Ok(theirs);
    }
    let stamp = home.join("installed");
    if is_installed(&stamp, flavor) {
        return Ok(libtorch);
    }
    ensure!(
        cfg!(all(target_os = "linux", target_arch = "x86_64")),
        "libtorch {VERSION} is pinned for Linux on x86-64 only: install it yourself and set \
         LIBTORCH to the folder that holds its lib and include"
    );
    println!(
        "Installing libtorch {VERSION} ({}) into {} …",
        flavor.name(),
        home.display()
    );
    let downloads = home.join("downloads");
    let unpacked = home.join("unpacked");
    remove_folder(&unpacked)?;
    fs::create_dir_all(&downloads)?;
    let wheels = match flavor {
        Flavor::Cpu => CPU_WHEELS.to_owned(),
        Flavor::Cuda => format!("{CPU_WHEELS}{CUDA_WHEELS}"),
    };
    for line in wheels.lines() {
        let (sha256, url) = line
            .split_once("  ")
            .context("a line of the wheel list is malformed")?;
        let wheel = download(url, sha256, &downloads)?;
        unpack(&wheel, &unpacked, flavor)
            .with_context(|| format!("cannot unpack {}", wheel.display()))?;
    }
    for part in ["torch", "nvidia"] {
        remove_folder(&home.join(part))?;
        fs::rename(unpacked.join(part), home.join(part))?;
    }
    remove_folder(&unpacked)?;
    fs::write(&stamp, format!("{VERSION} {}\n", flavor.name()))?;
    remove_folder(&downloads)?;
    Ok(libtorch)
}

/// The stamp is written last, so a run that was cut off is no installation.
fn is_installed(stamp: &Path, flavor: Flavor) -> bool {
    let installed = fs::read_to_string(stamp).unwrap_or_default();
    // The CUDA selection contains the CPU one.
    [flavor, Flavor::Cuda]
        .iter()
        .any(|flavor| installed.trim() == format!("{VERSION} {}", flavor.name()))
}

/// Fetches `url` into `folder`, going on where an earlier run was cut off.
fn download(url: &str, sha256: &str, folder: &Path) -> Result<PathBuf> {
    let name = url.rsplit('/').next().unwrap_or(url);
    let path = folder.join(name);
    if path.exists() && hash(&path)? == sha256 {
        return Ok(path);
    }
    println!("  {name}");
    let status = Command::new("curl")
        .args(["--fail", "--location", "--retry", "5", "--retry-all-errors"])
        .args(["--progress-bar", "--continue-at", "-", "--output"])
        .arg(&path)
        .arg(url)
        .status()
        .context("cannot start curl (install it)")?;
    if !status.success() {
        // 22: the server refused, perhaps to go on after the end of a file that is not ours.
        if status.code() == Some(22) && path.exists() {
            fs::remove_file(&path)?;
        }
        bail!("curl could not fetch {url} ({status}): run the command again");
    }
    let found = hash(&path)?;
    if found != sha256 {
        fs::remove_file(&path)?;
        bail!("{url} has SHA-256 {found}, expected {sha256}: run the command again");
    }
    Ok(path)
}

fn hash(path: &Path) -> Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(path)?, &mut HashWriter(&mut hasher))?;
    Ok(hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// Feeds what is written to it into a hash.
struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Unpacks what is needed of a wheel.
fn unpack(wheel: &Path, into: &Path, flavor: Flavor) -> Result<()> {
    let mut archive = zip::ZipArchive::new(File::open(wheel)?)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let Some(path) = entry.enclosed_name() else {
            continue;
        };
        if entry.is_dir() || !is_needed(&entry.name()?, flavor) {
            continue;
        }
        let target = into.join(path);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        io::copy(&mut entry, &mut File::create(&target)?)?;
    }
    Ok(())
}

fn is_needed(path: &str, flavor: Flavor) -> bool {
    const CPU_LIBRARIES: [&str; 6] = [
        "torch/lib/libc10.so",
        "torch/lib/libgomp.so.1",
        "torch/lib/libtorch.so",
        "torch/lib/libtorch_cpu.so",
        // The wheel's libtorch_cpu is linked to these two even where there is no GPU.
        "nvidia/cu13/lib/libcudart.so.13",
        "nvidia/cu13/lib/libcupti.so.13",
    ];
    if path.starts_with("torch/include/") || CPU_LIBRARIES.contains(&path) {
        return true;
    }
    flavor == Flavor::Cuda
        && path.contains(".so")
        && !path.ends_with("libtorch_python.so")
        && (path.starts_with("torch/lib/lib")
            || (path.starts_with("nvidia/") && path.contains("/lib/")))
}

fn remove_folder(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
