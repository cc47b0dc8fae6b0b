//! `som eval paper`: the figures that Set-of-Mark was published with.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use som_core::Result;
use som_eval::paper::{FIGURES, PROTOCOLS, beside};

use crate::{output::Output, report};

/// Print the paper's figures with their protocols, and what is different here
///
/// They are copied from Yang and others, 2023 (arXiv 2310.11441), and SoM-Bench's page; nothing of it
/// was measured here.
#[derive(Args)]
pub(super) struct Options {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints them.
pub(super) fn run(options: &Options) -> Result<ExitCode> {
    let text = match options.json {
        true => report::to_lines(&json!({"figures": FIGURES, "protocols": PROTOCOLS}))?,
        false => text().into_bytes(),
    };
    Output::Stdout.write(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn text() -> String {
    let mut text =
        "copied from arXiv 2310.11441 and SoM-Bench's page: nothing of it was measured here\n"
            .to_owned();
    for protocol in PROTOCOLS {
        text += &format!(
            "\n{}: {}, {} images with {} instances\n  regions  {}\n",
            protocol.data, protocol.task, protocol.images, protocol.instances, protocol.regions
        );
        if let Some(row) = protocol.row {
            text += &format!("  nearest  --row {row}\n");
        }
        text += &format!("  here     {}\n", protocol.differs);
        for figure in beside(protocol.data) {
            text += &format!(
                "  {:<10} {:.3}  {:<24} {}\n",
                figure.metric, figure.value, figure.who, figure.source
            );
        }
    }
    text
}
