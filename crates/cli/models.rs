//! `som models`: the weights of learned segmenters.

use std::{path::Path, process::ExitCode};

use clap::{Args, Subcommand};
use indicatif::{DecimalBytes, ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use som_core::{Error, Result};
use som_engine::weights::{Checkpoint, Progress, Verified, Weights};

use crate::{General, block_on, exit, output::Output};

#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the checkpoints there are, with licence and official address
    List(ListOptions),
    Pull(PullOptions),
    /// Read checkpoints on this machine again, and compare them with the catalogue
    Verify(VerifyOptions),
}

#[derive(Args)]
struct ListOptions {
    /// Print JSON, with digests and the paths of what is on this machine
    #[arg(long)]
    json: bool,
}

/// Fetch checkpoints, and print where each is
///
/// A run that was interrupted goes on where it stopped. Use a checkpoint by its name afterwards:
/// som mark photo.png --segmenter sam --set weights=sam_vit_b
#[derive(Args)]
struct PullOptions {
    /// Which ones: names of `som models list`
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

#[derive(Args)]
struct VerifyOptions {
    /// Which ones [default: all on this machine]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

/// Does what was asked for.
pub(crate) fn run(options: Options, general: &General) -> Result<ExitCode> {
    let (settings, _) = general.ladder().load()?;
    let weights = Weights::open(&settings.models)?;
    match options.command {
        Command::List(options) => list(&weights, options.json),
        Command::Pull(PullOptions { names }) => {
            block_on(async |_| pull(&weights, &names, general.quiet).await)
        }
        Command::Verify(VerifyOptions { names }) => verify(&weights, names),
    }
}

fn list(weights: &Weights, as_json: bool) -> Result<ExitCode> {
    let mut text = String::new();
    let mut rows = Vec::new();
    let lengths = weights
        .catalog()
        .map(|(name, checkpoint)| [name, &*checkpoint.segmenter].map(|text| text.chars().count()));
    let widths = lengths.fold([0, 0], |a, b| [a[0].max(b[0]), a[1].max(b[1])]);
    for (name, checkpoint) in weights.catalog() {
        let path = weights.path(name)?;
        text += &line(name, checkpoint, path.is_some(), widths);
        rows.push(json(name, checkpoint, path.as_deref()));
    }
    if as_json {
        text = serde_json::to_string_pretty(&rows)
            .map_err(|error| Error::internal("the list is no JSON").caused_by(error))?
            + "\n";
    }
    Output::Stdout.write(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// In columns: `widths` are those of names and segmenters.
fn line(name: &str, checkpoint: &Checkpoint, is_here: bool, widths: [usize; 2]) -> String {
    let [names, segmenters] = widths;
    let Checkpoint {
        segmenter,
        about,
        licence,
        url,
        size,
        ..
    } = checkpoint;
    let size = size.map_or("?".to_owned(), |size| DecimalBytes(size).to_string());
    let here = if is_here { "here" } else { "-" };
    format!(
        "{name:<names$}  {here:<4}  {segmenter:<segmenters$}  {size:>9}  {licence:<10}  {about}  ({url})\n"
    )
}

fn json(name: &str, checkpoint: &Checkpoint, path: Option<&Path>) -> Value {
    json!({
        "name": name,
        "path": path,
        "segmenter": checkpoint.segmenter,
        "about": checkpoint.about,
        "licence": checkpoint.licence,
        "url": checkpoint.url,
        "size": checkpoint.size,
        "sha256": checkpoint.sha256,
    })
}

async fn pull(weights: &Weights, names: &[String], quiet: bool) -> Result<ExitCode> {
    // A typing error in the last name should not wait for the first file.
    for name in names {
        weights.path(name)?;
    }
    for name in names {
        let bar = if quiet {
            ProgressBar::hidden()
        } else {
            progress_bar(name)
        };
        let path = weights
            .pull(name, |Progress { done, total }| {
                if let Some(total) = total {
                    bar.set_length(total);
                }
                bar.set_position(done);
            })
            .await;
        bar.finish_and_clear();
        Output::Stdout.write(format!("{}\n", path?.display()).as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A bar on stderr, if that is a terminal.
fn progress_bar(name: &str) -> ProgressBar {
    const TEMPLATE: &str =
        "{prefix} {wide_bar} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta}";
    let style = ProgressStyle::with_template(TEMPLATE);
    ProgressBar::no_length()
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_prefix(name.to_owned())
}

/// All that are asked for; one that is wrong does not hide the next.
fn verify(weights: &Weights, mut names: Vec<String>) -> Result<ExitCode> {
    if names.is_empty() {
        for (name, _) in weights.catalog() {
            if weights.path(name)?.is_some() {
                names.push(name.to_owned());
            }
        }
    }
    let mut failures = Vec::new();
    for name in &names {
        let word = match weights.verify(name) {
            Ok(Verified::Exact) => "exact",
            Ok(Verified::Unknown) => "unknown (the catalogue has no digest)",
            Err(error) => {
                exit::report(&error);
                failures.push(error.kind());
                continue;
            }
        };
        Output::Stdout.write(format!("{name}: {word}\n").as_bytes())?;
    }
    Ok(ExitCode::from(exit::code_of_all(failures)))
}
