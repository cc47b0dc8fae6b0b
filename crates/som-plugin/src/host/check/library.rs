//! Questions about a library as a file.

use std::{fs, path::Path};

use object::{Object as _, read::NameOrOrdinal};
use som_core::{Error, Result};

use super::{super::library::load, Ask, Check};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "loads",
        promise: "it loads, and what its entry gives is as som_plugin.h says",
        fix: "build it for this machine and export som_plugin_entry_v1; fill in every `size` and every text",
        is_basic: true,
        ask: Ask::Library(loads),
    },
    Check {
        name: "brings",
        promise: "it brings a segmenter, a mark style or a tracker",
        fix: "list what it brings in the som_plugin that its entry returns",
        is_basic: false,
        ask: Ask::Library(brings),
    },
    Check {
        name: "exports",
        promise: "it exports its entry and nothing else",
        fix: "build with -fvisibility=hidden and make other functions static, or use a version script; where libraries in it export, link with -Wl,--exclude-libs,ALL",
        is_basic: false,
        ask: Ask::Library(exports),
    },
];

fn loads(library: &Path) -> Result<()> {
    load(library).map(drop)
}

fn brings(library: &Path) -> Result<()> {
    let plugin = load(library)?;
    let lists = [
        plugin.segmenters.len(),
        plugin.mark_styles.len(),
        plugin.trackers.len(),
    ];
    if lists == [0; 3] {
        return Err(Error::internal(
            "it brings neither a segmenter nor a mark style nor a tracker",
        ));
    }
    Ok(())
}

/// Other libraries of the process could take what else it exports for their own.
fn exports(library: &Path) -> Result<()> {
    let unreadable = |error: String| Error::invalid(format!("its exports cannot be read: {error}"));
    let bytes = fs::read(library).map_err(|error| unreadable(error.to_string()))?;
    let file = object::File::parse(&*bytes).map_err(|error| unreadable(error.to_string()))?;
    let exports = file
        .exports()
        .map_err(|error| unreadable(error.to_string()))?;
    let mut others = Vec::new();
    for export in exports {
        let export = export.map_err(|error| unreadable(error.to_string()))?;
        match export.into_name() {
            NameOrOrdinal::Name(name) => others.push(String::from_utf8_lossy(&name).into_owned()),
            NameOrOrdinal::Ordinal(number) => others.push(format!("number {number}")),
        }
    }
    others.retain(|name| !is_expected(name));
    let shown = others
        .iter()
        .take(3)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match others.len() {
        0 => Ok(()),
        1..=3 => Err(Error::internal(format!("it also exports {shown}"))),
        count => Err(Error::internal(format!(
            "it also exports {shown} and {} more",
            count - 3
        ))),
    }
}

/// The entry, of any version; and what some linkers export of their own accord.
fn is_expected(name: &str) -> bool {
    let name = name.strip_prefix('_').unwrap_or(name); // As macOS spells C.
    name.starts_with("som_plugin_entry_v")
        || ["init", "fini", "edata", "end", "_bss_start"].contains(&name)
}
