//! `som plugin new`: a plugin to start from, in a folder of its own.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, ValueEnum};
use som_core::{Error, Named, Result};
use som_plugin::HEADER;

use crate::{General, output::Output};

/// Start a plugin of your own: a segmenter, a mark style or a tracker, in Rust or in C
///
/// Makes the folder NAME with the source of a small plugin that works, a test, and a README that
/// says how to build and check it.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Options {
    /// The plugin's name and id: a-z, 0-9 and -
    #[arg(value_parser = name)]
    name: String,
    /// What to write it in
    #[arg(long, value_enum)]
    lang: Language,
    /// What it is to do
    #[arg(long, value_enum, default_value_t)]
    kind: Kind,
    /// Rust: build against the checkout of som in this folder [default: the one that this program
    /// was built from, if it is still there, else the released som-plugin of this version]
    #[arg(long, value_name = "FOLDER")]
    som: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  som plugin new edges --lang c
  som plugin new hatching --lang rust --kind mark-style
  som plugin new tiles --lang rust --som ~/src/som";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Language {
    Rust,
    C,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Cuts images into regions
    #[default]
    Segmenter,
    /// Draws a layer of ink
    MarkStyle,
    /// Follows objects through a video
    Tracker,
}

/// An example of this repository, and what its author called it.
struct Example {
    source: &'static str,
    id: &'static str,
    file: &'static str,
}

/// The examples are the templates: their tests are the templates' tests.
const fn example(lang: Language, kind: Kind) -> Example {
    match (lang, kind) {
        (Language::Rust, Kind::Segmenter) => Example {
            source: include_str!("../../../../examples/segmenter-rust/src/lib.rs"),
            id: "grid",
            file: "src/lib.rs",
        },
        (Language::Rust, Kind::MarkStyle) => Example {
            source: include_str!("../../../../examples/mark-style-rust/src/lib.rs"),
            id: "corners",
            file: "src/lib.rs",
        },
        (Language::C, Kind::Segmenter) => Example {
            source: include_str!("../../../../examples/segmenter-c/segmenter.c"),
            id: "brightness",
            file: "segmenter.c",
        },
        (Language::C, Kind::MarkStyle) => Example {
            source: include_str!("../../../../examples/mark-style-c/mark_style.c"),
            id: "spotlight",
            file: "mark_style.c",
        },
        (Language::Rust, Kind::Tracker) => Example {
            source: include_str!("../../../../examples/tracker-rust/src/lib.rs"),
            id: "follow",
            file: "src/lib.rs",
        },
        (Language::C, Kind::Tracker) => Example {
            source: include_str!("../../../../examples/tracker-c/tracker.c"),
            id: "motion",
            file: "tracker.c",
        },
    }
}

const fn makefile(kind: Kind) -> &'static str {
    match kind {
        Kind::Segmenter => include_str!("../../../../examples/segmenter-c/Makefile"),
        Kind::MarkStyle => include_str!("../../../../examples/mark-style-c/Makefile"),
        Kind::Tracker => include_str!("../../../../examples/tracker-c/Makefile"),
    }
}

/// Writes the folder.
pub(super) fn run(options: &Options, general: &General) -> Result<ExitCode> {
    let Options {
        name, lang, kind, ..
    } = options;
    let files = match lang {
        Language::Rust => rust(name, *kind, options.som.as_deref())?,
        Language::C if options.som.is_some() => {
            return Err(Error::invalid(
                "--som is for Rust: a plugin in C brings the header along",
            ));
        }
        Language::C => c(name, *kind),
    };
    write(Path::new(name), &files).map_err(|error| error.at(name))?;
    if !general.quiet {
        eprintln!("som: {name}/README.md says how to build and check it");
    }
    Ok(ExitCode::SUCCESS)
}

/// The files of a plugin: paths in its folder, and contents.
type Files = Vec<(&'static str, String)>;

fn rust(name: &str, kind: Kind, som: Option<&Path>) -> Result<Files> {
    let Example { source, id, file } = example(Language::Rust, kind);
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_there = built_from.join("crates/som-plugin/Cargo.toml").is_file();
    let som = match som.or(is_there.then_some(built_from)) {
        None => format!("{:?}", env!("CARGO_PKG_VERSION")),
        Some(folder) => format!("{{ path = {:?} }}", crate_in(folder)?),
    };
    let manifest = include_str!("rust.toml")
        .replace("{{name}}", name)
        .replace("{{som}}", &som);
    let readme = include_str!("rust.md")
        .replace("{{name}}", name)
        .replace("{{library}}", &name.replace('-', "_"))
        .replace("{{kind}}", words(kind));
    Ok(vec![
        ("Cargo.toml", manifest),
        ("README.md", readme),
        (".gitignore", "/target\n".to_owned()),
        (file, source.replace(&quoted(id), &quoted(name))),
    ])
}

fn c(name: &str, kind: Kind) -> Files {
    let Example { source, id, file } = example(Language::C, kind);
    let makefile = makefile(kind)
        .replace(&format!("NAME = {id}"), &format!("NAME = {name}"))
        .replace("INCLUDE = ../../crates/som-plugin/include", "INCLUDE = .");
    let readme = include_str!("c.md")
        .replace("{{name}}", name)
        .replace("{{source}}", file)
        .replace("{{kind}}", words(kind));
    vec![
        ("Makefile", makefile),
        ("README.md", readme),
        (".gitignore", "*.so\n".to_owned()),
        ("som_plugin.h", HEADER.to_owned()),
        (file, source.replace(&quoted(id), &quoted(name))),
    ]
}

/// As the id stands in the sources.
fn quoted(id: &str) -> String {
    format!("\"{id}\"")
}

const fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::Segmenter => "segmenter",
        Kind::MarkStyle => "mark style",
        Kind::Tracker => "tracker",
    }
}

/// The crate som-plugin of a checkout.
fn crate_in(checkout: &Path) -> Result<PathBuf> {
    let wrong = || {
        Error::invalid(format!(
            "--som {}: there is no crates/som-plugin in it (name a checkout of som)",
            checkout.display()
        ))
    };
    let folder = checkout
        .join("crates/som-plugin")
        .canonicalize()
        .map_err(|_| wrong())?;
    folder
        .join("Cargo.toml")
        .is_file()
        .then_some(folder)
        .ok_or_else(wrong)
}

/// Writes all files into a folder that appears once it is complete.
fn write(folder: &Path, files: &Files) -> Result<()> {
    if folder.exists() {
        return Err(Error::invalid(
            "is there already (choose another name, or remove it)",
        ));
    }
    let unwritable = |error: io::Error| {
        Error::invalid("the folder cannot be made (see the permissions of the one around it)")
            .caused_by(error)
    };
    let temporary = tempfile::Builder::new()
        .prefix(".som-new-")
        .tempdir_in(".")
        .map_err(unwritable)?;
    for (path, content) in files {
        Output::File(temporary.path().join(path)).write(content.as_bytes())?;
    }
    fs::rename(temporary.path(), folder).map_err(unwritable)?;
    Ok(())
}

/// A name that a plugin, a crate and a file can have.
fn name(text: &str) -> Result<String> {
    /// Cargo refuses these.
    const TAKEN: &str = "abstract alloc as async await become box break const continue core crate do dyn \
        else enum extern false final fn for if impl in let loop macro match mod move mut \
        override priv proc-macro pub ref return self static std struct super test trait \
        true try type typeof unsafe unsized use virtual where while yield";
    let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
    if !Named::Plugin.allows(text) || !starts || text.ends_with('-') || text.len() > 64 {
        return Err(Error::invalid(
            "a name starts with a-z, then has a-z, 0-9 and -, and no - at its end",
        ));
    }
    if TAKEN.split(' ').any(|taken| taken == text) || text.starts_with("som-") {
        return Err(Error::invalid(
            "this name has a meaning already (choose another)",
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_has_what_is_renamed() {
        for lang in [Language::Rust, Language::C] {
            for kind in [Kind::Segmenter, Kind::MarkStyle, Kind::Tracker] {
                let Example { source, id, .. } = example(lang, kind);
                assert_eq!(source.matches(&quoted(id)).count(), 1, "{id}");
            }
        }
        for kind in [Kind::Segmenter, Kind::MarkStyle, Kind::Tracker] {
            let id = example(Language::C, kind).id;
            assert!(makefile(kind).contains(&format!("NAME = {id}\n")));
            assert!(makefile(kind).contains("INCLUDE = ../../crates/som-plugin/include\n"));
        }
    }

    #[test]
    fn names_that_would_not_build_are_refused() {
        for good in ["edges", "a", "two-words", "v2"] {
            assert_eq!(name(good).unwrap(), good);
        }
        for bad in [
            "",
            "-a",
            "a-",
            "2d",
            "Edges",
            "a_b",
            "a/b",
            "..",
            "é",
            "fn",
            "test",
            "som-plugin",
        ] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}
