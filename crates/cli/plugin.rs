//! `som plugin`: what there is to segment and to mark with, and the contract for more.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use som_core::{Descriptor, Error, Result};
use som_engine::{
    registry::{Provenance, Registry},
    settings::Ladder,
};

use crate::{embedded, output::Output};

#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the segmenters and mark styles there are, and where each comes from
    List(ListOptions),
    /// Print som_plugin.h, the contract of plugins in any language
    Header,
}

#[derive(Args)]
struct ListOptions {
    /// Print JSON, with the options and parameters that each takes as JSON Schemas
    #[arg(long)]
    json: bool,
}

/// Prints what was asked for.
pub(crate) fn run(options: &Options, ladder: &Ladder) -> Result<ExitCode> {
    let text = match &options.command {
        Command::Header => som_plugin::HEADER.to_owned(),
        Command::List(options) => list(options, ladder)?,
    };
    Output::Stdout.write(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// A segmenter or mark style as both forms of the list show it.
struct Row<'a> {
    kind: &'static str,
    descriptor: &'a Descriptor,
    provenance: &'a Provenance,
}

fn list(options: &ListOptions, ladder: &Ladder) -> Result<String> {
    let (settings, _) = ladder.load()?;
    let registry = Registry::open(embedded::PLUGINS, &settings)?;
    let segmenters = registry.segmenters().map(|entry| Row {
        kind: "segmenter",
        descriptor: entry.descriptor(),
        provenance: entry.provenance(),
    });
    let styles = registry.styles().map(|entry| Row {
        kind: "mark style",
        descriptor: entry.descriptor(),
        provenance: entry.provenance(),
    });
    let rows: Vec<Row<'_>> = segmenters.chain(styles).collect();
    if options.json {
        let rows: Vec<Value> = rows.iter().map(as_json).collect();
        let text = serde_json::to_string_pretty(&rows)
            .map_err(|error| Error::internal("the list is no JSON").caused_by(error))?;
        return Ok(text + "\n");
    }
    Ok(rows.iter().map(as_line).collect())
}

fn as_line(row: &Row<'_>) -> String {
    let Row {
        kind,
        descriptor,
        provenance,
    } = row;
    let Descriptor {
        id, version, about, ..
    } = descriptor;
    format!("{kind:<10}  {id:<12}  {version:<8}  {about}  ({provenance})\n")
}

fn as_json(row: &Row<'_>) -> Value {
    let Row {
        kind,
        descriptor,
        provenance,
    } = row;
    json!({
        "kind": kind,
        "id": descriptor.id,
        "version": descriptor.version,
        "about": descriptor.about,
        "from": provenance.to_string(),
        "capabilities": descriptor.capabilities,
        "options": descriptor.options,
        "params": descriptor.params,
    })
}
