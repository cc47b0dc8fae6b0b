//! `som config`: the effective settings and where each came from; a file to write one's own in.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;
use som_core::{Error, Result};
use som_engine::settings::{BUILT_IN, Ladder, Origin};

use crate::output::Output;

#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show every setting, its value and the layer it comes from
    Show(ShowOptions),
    /// Write a file with every setting, explained, to change what you like
    ///
    /// Whatever stands in it is what som does anyway, as a comment: take the # from the lines that
    /// you change. som reads ./som.toml by itself, other files with --config FILE.
    Init(InitOptions),
}

#[derive(Args)]
struct ShowOptions {
    /// Print JSON: a list of {"key", "value", "from"}
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct InitOptions {
    /// Where the settings go
    #[arg(value_name = "FILE", default_value = "som.toml")]
    file: PathBuf,
}

/// One effective setting.
#[derive(Serialize)]
struct Setting<'a> {
    key: &'a str,
    value: &'a Value,
    from: &'a str,
}

/// Does what was asked for.
pub(crate) fn run(options: &Options, ladder: &Ladder, quiet: bool) -> Result<ExitCode> {
    match &options.command {
        Command::Show(options) => show(options, ladder),
        Command::Init(options) => init(options, quiet),
    }
}

/// Writes the settings as they are without any.
fn init(InitOptions { file }: &InitOptions, quiet: bool) -> Result<ExitCode> {
    let output = Output::File(file.clone());
    if file.exists() {
        let message = "is there already (remove it, or name another file)";
        return Err(Error::invalid(message).at(&output));
    }
    output.write(commented().as_bytes())?;
    if !quiet {
        eprintln!(
            "som: {output}: take the # from what you change; som config show tells what holds"
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The built-in settings, in which nothing is set: tables have their names, and values are comments.
fn commented() -> String {
    let mut text = String::from(
        "# Settings of som. A line that begins with # and no space is a setting and what it is anyway:\n\
         # take the # away to change it. Later layers win: what is built in, /etc/som/som.toml,\n\
         # ./som.toml, --config FILE, environment (SOM__MARK__SEGMENTER=classic), flags.\n",
    );
    let lines = BUILT_IN.lines().skip_while(|line| line.starts_with('#'));
    for line in lines {
        let is_setting = !line.is_empty() && !line.starts_with(['#', '[']);
        text.extend([if is_setting { "#" } else { "" }, line, "\n"]);
    }
    text
}

/// Prints the settings.
fn show(options: &ShowOptions, ladder: &Ladder) -> Result<ExitCode> {
    let (settings, origins) = ladder.load()?;
    let settings = serde_json::to_value(settings).map_err(not_json)?;
    let effective = origins.iter().map(|Origin { key, value, from }| {
        // What a layer says is text where it is an environment variable; the settings know better.
        let value = settings
            .pointer(&format!("/{}", key.replace('.', "/")))
            .unwrap_or(value);
        Setting { key, value, from }
    });
    let effective: Vec<_> = effective.collect();
    let text = if options.json {
        as_json(&effective)?
    } else {
        as_toml(&effective)
    };
    Output::Stdout.write(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Lines of TOML with the origin as a comment; the comments of lines that are not too long stand in
/// one column.
fn as_toml(settings: &[Setting<'_>]) -> String {
    const LONGEST: usize = 100;
    let left = |setting: &Setting<'_>| format!("{} = {}", setting.key, toml(setting.value));
    let left: Vec<_> = settings.iter().map(left).collect();
    let width = left
        .iter()
        .map(|left| left.chars().count())
        .filter(|&width| width <= LONGEST)
        .max()
        .unwrap_or(0);
    let line = |(left, setting): (_, &Setting<'_>)| format!("{left:width$}  # {}\n", setting.from);
    left.iter().zip(settings).map(line).collect()
}

/// A value as TOML, where tables are written unlike in JSON.
fn toml(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(toml).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let is_bare = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
            let field = |(key, value): (&String, &Value)| match key.chars().all(is_bare) {
                true => format!("{key} = {}", toml(value)),
                false => format!("{} = {}", Value::from(key.as_str()), toml(value)),
            };
            let fields: Vec<_> = fields.iter().map(field).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        _ => value.to_string(),
    }
}

fn as_json(settings: &[Setting<'_>]) -> Result<String> {
    Ok(serde_json::to_string_pretty(settings).map_err(not_json)? + "\n")
}

fn not_json(error: serde_json::Error) -> Error {
    Error::internal("the settings are no JSON").caused_by(error)
}
