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

/// Lines of TOML with the origin as a comment, all comments in one column.
fn as_toml(settings: &[Setting<'_>]) -> String {
    let left = |setting: &Setting<'_>| format!("{} = {}", setting.key, setting.value);
    let left: Vec<_> = settings.iter().map(left).collect();
    let width = left
        .iter()
        .map(|left| left.chars().count())
        .max()
        .unwrap_or(0);
    let line = |(left, setting): (_, &Setting<'_>)| format!("{left:width$}  # {}\n", setting.from);
    left.iter().zip(settings).map(line).collect()
}

fn as_json(settings: &[Setting<'_>]) -> Result<String> {
    Ok(serde_json::to_string_pretty(settings).map_err(not_json)? + "\n")
}

fn not_json(error: serde_json::Error) -> Error {
    Error::internal("the settings are no JSON").caused_by(error)
}
