//! `som eval marks`: whether marks can be read, and what they hide.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::Args;
use serde_json::json;
use som_core::{Cancellation, Result};
use som_engine::{MarkRequest, RegionSource, SegmenterChoice, SharedImage};
use som_eval::marks::{MarkFacts, mark_facts};

use super::{engine::engine, row::row};
use crate::{
    General,
    flags::RowArgument,
    input::{ImageArguments, InputImage, Inputs},
    output::Output,
    plural::counted,
    report,
    runtime::blocking,
};

/// Tell whether the marks on images can be read, and what they hide
///
/// Each row marks every image. What the digits come to in the sight of each model of the settings is
/// told as well; nothing is asked.
#[derive(Args)]
pub(super) struct Options {
    /// Images: files, folders (with their subfolders) or patterns
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    /// How images are marked: segmenter=ID with its parameters, styles=A+B, options of marks; may be
    /// given several times [default: as the settings have it]
    #[arg(long = "row", value_name = "KEY=VALUE,…")]
    rows: Vec<RowArgument>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Marks and tells.
pub(super) async fn run(
    options: Options,
    general: &General,
    stop: &Cancellation,
) -> Result<ExitCode> {
    let inputs = Inputs::find(&ImageArguments {
        images: options.images,
        keep_endings: false,
    })?;
    let mut rows = options.rows.iter().map(row).collect::<Result<Vec<_>>>()?;
    if rows.is_empty() {
        rows.push(som_eval::run::Row::default());
    }
    let engine = Arc::new(engine(&rows, 1, general)?);
    let mut images: Vec<SharedImage> = Vec::new();
    for input in &inputs.images {
        let (input, settings) = (input.clone(), engine.settings().clone());
        let read = move || {
            let image = InputImage::read(&input, &settings.limits)?;
            image
                .decode(&settings.decoding())
                .map_err(|error| error.at(&input))
        };
        images.push(blocking(read).await?.pixels);
    }
    let mut all = Vec::new();
    for row in &rows {
        let request = |image| MarkRequest {
            regions: RegionSource::Segmenter(SegmenterChoice {
                id: row.segmenter.clone(),
                params: row.params.clone(),
                granularity: row.granularity,
            }),
            layers: row.layers(),
            options: row.marks.clone(),
            ..MarkRequest::new(image)
        };
        let facts = mark_facts(&engine, images.iter().cloned(), request, stop).await?;
        all.push((row.title_of_marks(), facts));
    }
    let text = match options.json {
        true => {
            let all = all
                .iter()
                .map(|(row, facts)| json!({"row": row, "facts": facts}));
            report::to_lines(&all.collect::<Vec<_>>())?
        }
        false => all.iter().map(text).collect::<String>().into_bytes(),
    };
    Output::Stdout.write(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn text((row, facts): &(String, MarkFacts)) -> String {
    let MarkFacts {
        images,
        marks,
        unmarked,
        pages,
        overlapping,
        on_own_region,
        with_leader,
        least_contrast,
        hidden_by_labels,
        changed,
        readable,
    } = facts;
    let percent = |share: &f64| 100.0 * share;
    let mut text = format!(
        "{row}: {} on {}, {}, {unmarked} regions without one\n",
        counted(*marks, "mark"),
        counted(*images, "image"),
        counted(*pages, "page")
    );
    for (what, share) in [
        ("labels that overlap", overlapping),
        ("labels on their own region", on_own_region),
        ("labels with a leader", with_leader),
        ("of a page hidden by labels", hidden_by_labels),
        ("of a page changed by ink", changed),
    ] {
        text += &format!("  {what:<28} {:>6.2} %\n", percent(share));
    }
    text += &format!("  {:<28} {least_contrast:>6.2}\n", "least contrast");
    for (model, share) in readable {
        let what = format!("readable by {model}");
        text += &format!("  {what:<28} {:>6.2} %\n", percent(share));
    }
    text
}
