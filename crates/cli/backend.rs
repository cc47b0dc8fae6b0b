//! `som backend`: one segmenter, for another som to use.

use std::process::ExitCode;

use clap::Args;
use som_core::Result;
use som_engine::settings::Ladder;
use som_server::Role;

use crate::serve::{serve, with_listen};

/// Serve one segmenter, in a process of its own, for another som to use
///
/// The other som names the address in its settings:
///
///   [segmenter.NAME]
///   remote = ["http://HOST:PORT"]
///
/// Give several addresses, and calls are balanced over those that are healthy.
#[derive(Args)]
#[command(verbatim_doc_comment, after_help = EXAMPLES)]
pub(crate) struct Options {
    /// The segmenter to serve [default: mark.segmenter of the settings]
    #[arg(long, value_name = "ID")]
    segmenter: Option<String>,
    /// Where to listen: HOST:PORT (port 0 for any that is free) or unix:PATH
    /// [default: server.listen of the settings]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  som backend --segmenter classic --listen 127.0.0.1:50061
  som backend --segmenter sam --listen unix:/run/sam.sock";

/// Serves until told to end.
pub(crate) fn run(options: Options, ladder: Ladder) -> Result<ExitCode> {
    let mut ladder = with_listen(ladder, options.listen);
    if let Some(id) = options.segmenter {
        ladder = ladder.with_flag("--segmenter", "mark.segmenter", id);
    }
    serve(&ladder, |engine| {
        Role::Backend(engine.settings().mark.segmenter.clone())
    })
}
