//! What a library file says about itself, before any of its code runs.

use std::{env::consts::ARCH, fs::File, path::Path};

use object::{Architecture, BinaryFormat, Object, read::ReadCache};
use som_core::{Error, Result};

/// Refuses what this process cannot load, saying why better than the dynamic loader does.
///
/// # Errors
/// NotFound, if there is no such file; Invalid, if it is no library, or one for another system or
/// another processor.
pub(super) fn check(path: &Path) -> Result<()> {
    let file = File::open(path).map_err(|error| {
        Error::not_found("it cannot be opened (check the path)").caused_by(error)
    })?;
    let cache = ReadCache::new(file);
    let not_a_library = || Error::invalid("it is not a dynamic library");
    if object::FileKind::parse(&cache).is_ok_and(|kind| kind == object::FileKind::MachOFat32) {
        return Ok(()); // For several processors; the loader finds its own.
    }
    let library = object::File::parse(&cache).map_err(|error| not_a_library().caused_by(error))?;
    let system = match library.format() {
        BinaryFormat::Elf => "Linux",
        BinaryFormat::MachO => "macOS",
        BinaryFormat::Pe => "Windows",
        _ => return Err(not_a_library()),
    };
    let processor = processor(library.architecture());
    if system != SYSTEM || processor != ARCH {
        return Err(Error::invalid(format!(
            "it was built for {processor} on {system}, this program for {ARCH} on {SYSTEM}"
        )));
    }
    Ok(())
}

const SYSTEM: &str = if cfg!(target_vendor = "apple") {
    "macOS"
} else if cfg!(windows) {
    "Windows"
} else {
    "Linux"
};

/// As [`ARCH`] names it.
fn processor(architecture: Architecture) -> String {
    match architecture {
        Architecture::X86_64 => "x86_64".to_owned(),
        Architecture::I386 => "x86".to_owned(),
        Architecture::Aarch64 => "aarch64".to_owned(),
        Architecture::Arm => "arm".to_owned(),
        Architecture::Riscv64 => "riscv64".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}
