//! `som eval segment`: segmenters held against what a data set outlines.

use std::{path::PathBuf, process::ExitCode, sync::Arc, thread};

use clap::Args;
use som_core::{Cancellation, Result};
use som_eval::{
    run::{Cutting, CuttingPlan, Selection, cuttings},
    score,
};

use super::{Part, engine::engine, given::GivenFiles, row::row};
use crate::{General, flags::RowArgument, output::Output, plural::counted, report};

/// Tell how well segmenters cut the images of a data set, without any model
///
/// Covering, the mean best overlap of what is outlined, recall at an IoU of 0.5 of the first N regions
/// by score, and the F of boundaries within 0.75 % of the diagonal. The intervals are of 95 %, over
/// images.
#[derive(Args)]
pub(super) struct Options {
    /// Which data set, and the folder that holds it
    #[arg(long, value_name = "KIND:FOLDER")]
    data: String,
    #[command(flatten)]
    part: Part,
    /// A segmenter: segmenter=ID with its parameters, granularity=G, or regions=FILE; may be given
    /// several times
    #[arg(long = "row", value_name = "KEY=VALUE,…", required = true)]
    rows: Vec<RowArgument>,
    /// At most so many images, chosen at random
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// What the choice of images begins with
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Images at a time [default: as many as there are cores]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Where regions are kept, for several runs
    #[arg(long, value_name = "FOLDER")]
    cache: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Cuts and tells.
pub(super) async fn run(
    options: Options,
    general: &General,
    stop: &Cancellation,
) -> Result<ExitCode> {
    let rows = options.rows.iter().map(row).collect::<Result<Vec<_>>>()?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let jobs = options.jobs.map_or(cores, usize::from);
    let engine = engine(&rows, jobs, general)?;
    let plan = CuttingPlan {
        data: options.part.place(&options.data)?,
        selection: Selection {
            limit: options.limit,
            seed: options.seed,
            stratified: false,
        },
        rows,
        jobs,
        cache: options.cache,
    };
    let given = Arc::new(GivenFiles::default());
    let how = score::Options::default();
    let cuttings = cuttings(engine, given, &plan, &how, stop).await?;
    let text = match options.json {
        true => report::to_lines(&cuttings)?,
        false => cuttings.iter().map(text).collect::<String>().into_bytes(),
    };
    Output::Stdout.write(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn text(cutting: &Cutting) -> String {
    let Cutting {
        row,
        images,
        regions,
        scores,
        segment_ms,
        left_out,
    } = cutting;
    let mut text = format!(
        "{row}: {}, {regions:.1} regions each, {:.0} ms at the median\n",
        counted(*images, "image"),
        segment_ms.median
    );
    for score in scores {
        text += &format!(
            "  {:<16} {:.4}  [{:.4}, {:.4}]\n",
            score.metric, score.value, score.low, score.high
        );
    }
    text.extend(left_out.iter().map(|why| format!("  left out: {why}\n")));
    text
}
