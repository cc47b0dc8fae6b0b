//! `som config show`: the effective settings and where each came from.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;
use som_core::{Error, Result};
use som_engine::settings::{Ladder, Origin};

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
}

#[derive(Args)]
struct ShowOptions {
    /// Print JSON: a list of {"key", "value", "from"}
    #[arg(long)]
    json: bool,
}

/// One effective setting.
#[derive(Serialize)]
struct Setting<'a> {
    key: &'a str,
    value: &'a Value,
    from: &'a str,
}

/// Prints the settings.
pub(crate) fn run(options: &Options, ladder: &Ladder) -> Result<ExitCode> {
    let Command::Show(options) = &options.command;
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
