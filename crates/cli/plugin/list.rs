//! `som plugin list`: the segmenters, mark styles and trackers there are.

use std::process::ExitCode;

use clap::Args;
use futures_util::future::join_all;
use serde_json::{Value, json};
use som_core::{Descriptor, Error, Result};
use som_engine::{
    registry::{Provenance, Registry},
    settings::Ladder,
};

use crate::{embedded, output::Output};

/// List the segmenters, mark styles and trackers there are, and where each comes from
#[derive(Args)]
pub(super) struct Options {
    /// Print JSON, with the options and parameters that each takes as JSON Schemas
    #[arg(long)]
    json: bool,
}

/// A segmenter, mark style or tracker as both forms of the list show it.
struct Row<'a> {
    kind: &'static str,
    id: &'a str,
    provenance: &'a Provenance,
    /// Who it is, or why it does not say.
    descriptor: Result<Descriptor>,
}

/// Prints the list.
pub(super) async fn run(options: &Options, ladder: &Ladder) -> Result<ExitCode> {
    let (settings, _) = ladder.load()?;
    let registry = Registry::open(embedded::PLUGINS, &settings)?;
    let segmenters = registry.segmenters().map(async |entry| Row {
        kind: "segmenter",
        id: entry.id(),
        provenance: entry.provenance(),
        descriptor: entry.probe().await.map(|known| known.descriptor().clone()),
    });
    let mut rows = join_all(segmenters).await;
    rows.extend(registry.styles().map(|entry| Row {
        kind: "mark style",
        id: &entry.descriptor().id,
        provenance: entry.provenance(),
        descriptor: Ok(entry.descriptor().clone()),
    }));
    rows.extend(registry.trackers().map(|entry| Row {
        kind: "tracker",
        id: &entry.descriptor().id,
        provenance: entry.provenance(),
        descriptor: Ok(entry.descriptor().clone()),
    }));
    let text = if options.json {
        let rows: Vec<Value> = rows.iter().map(as_json).collect();
        serde_json::to_string_pretty(&rows)
            .map_err(|error| Error::internal("the list is no JSON").caused_by(error))?
            + "\n"
    } else {
        rows.iter().map(as_line).collect()
    };
    Output::Stdout.write(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn as_line(row: &Row<'_>) -> String {
    let Row {
        kind,
        id,
        provenance,
        descriptor,
    } = row;
    let (version, about) = match descriptor {
        Ok(descriptor) => (&*descriptor.version, &*descriptor.about),
        Err(error) => ("-", error.message()),
    };
    format!("{kind:<10}  {id:<12}  {version:<8}  {about}  ({provenance})\n")
}

fn as_json(row: &Row<'_>) -> Value {
    let mut json = json!({
        "kind": row.kind,
        "id": row.id,
        "from": row.provenance.to_string(),
    });
    match &row.descriptor {
        Ok(descriptor) => {
            json["version"] = descriptor.version.as_str().into();
            json["about"] = descriptor.about.as_str().into();
            json["capabilities"] = json!(descriptor.capabilities);
            json["options"] = descriptor.options.clone();
            json["params"] = descriptor.params.clone();
        }
        Err(error) => json["unavailable"] = error.message().into(),
    }
    json
}
