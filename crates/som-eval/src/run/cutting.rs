//! Segmenters by themselves: what they cut, held against what a data set outlines.

use std::{collections::HashSet, path::PathBuf, sync::Arc, time::Instant};

use futures_util::{StreamExt, stream};
use serde::Serialize;
use som_core::{Cancellation, Error, Mask, Region, Result};
use som_engine::Engine;

use super::{
    ReadRegions, Row, Selection, cache::Cache, golden::Golden, grid, row::Regions, source::Sources,
    sources,
};
use crate::{
    data::{Dataset, Place},
    metrics::{Ratio, Spread, cutting::BestOverlaps, video::f_of_all},
    score::{Options, Score},
};

/// How far boundaries may be apart, as a part of the diagonal (BSDS500, `maxDist` of `boundaryPR`).
const TOLERANCE: f64 = 0.0075;
/// Recall is told for so many regions, the surest ones.
const RECALLS: [(usize, &str); 5] = [
    (1, "recall of 1"),
    (10, "recall of 10"),
    (50, "recall of 50"),
    (100, "recall of 100"),
    (usize::MAX, "recall of all"),
];

/// Which segmenters are looked at, on which images.
#[derive(Clone, Debug)]
pub struct CuttingPlan {
    /// The data set.
    pub data: Place,
    /// Which of its images.
    pub selection: Selection,
    /// Segmenters with their parameters, or regions that are given.
    pub rows: Vec<Row>,
    /// Images at a time, at least 1.
    pub jobs: usize,
    /// Where regions are kept; `None` for nowhere.
    pub cache: Option<PathBuf>,
}

/// How well a segmenter cuts.
#[derive(Clone, Debug, Serialize)]
pub struct Cutting {
    /// What people call the row.
    pub row: String,
    /// Images that were cut.
    pub images: usize,
    /// Regions of an image, on average.
    pub regions: f64,
    /// Covering, mean best overlap, recall at an IoU of 0.5 of the first N regions, boundary F.
    pub scores: Vec<Score>,
    /// Milliseconds until there were regions; those that were on file took none.
    pub segment_ms: Spread,
    /// Images that could not be cut, and why.
    pub left_out: Vec<String>,
}

/// What came of an image.
struct CutImage {
    measured: Vec<(&'static str, Ratio)>,
    regions: usize,
    took_ms: f64,
}

/// Cuts the images that `plan` chooses in every one of its ways. Each image is taken once, whatever
/// samples it has.
///
/// # Errors
/// What opening the data set reports; Invalid or NotFound for a row that does not make sense or names
/// what is not there; Unsupported for a cache of another version; Cancelled once called off.
pub async fn cuttings(
    engine: Engine,
    given: Arc<dyn ReadRegions>,
    plan: &CuttingPlan,
    options: &Options,
    stop: &Cancellation,
) -> Result<Vec<Cutting>> {
    grid::check(&plan.rows)?;
    let mut data = Dataset::open(&plan.data)?;
    let whole = Golden::of(&data);
    let mut seen = HashSet::new();
    data.samples
        .retain(|sample| seen.insert(sample.group.clone()));
    let chosen = plan.selection.choose(&data.samples);
    // Held until all is cut.
    let nowhere = tempfile::tempdir();
    let nowhere = nowhere.map_err(|error| {
        Error::unavailable("no temporary folder could be made").caused_by(error)
    })?;
    let cache = plan
        .cache
        .clone()
        .unwrap_or_else(|| nowhere.path().to_owned());
    let mut all = sources(engine, given, data, Cache::open(cache)?);
    if let Some(sources) = Arc::get_mut(&mut all) {
        // What other samples of the image outline counts, too.
        sources.golden = whole;
    }
    let mut cuttings = Vec::new();
    for row in &plan.rows {
        let at = |error: Error| error.at(format!("row \"{}\"", row.title()));
        if row.source() == Regions::Golden {
            return Err(at(Error::invalid(
                "golden regions are what the others are held against",
            )));
        }
        all.check(&row.source()).await.map_err(at)?;
        let images = stream::iter(&chosen).map(|place| {
            let sources = &all;
            async move { (*place, cut(sources, row, *place, stop).await) }
        });
        let mut images = images.buffered(plan.jobs.max(1));
        let (mut done, mut left_out) = (Vec::new(), Vec::new());
        while let Some((place, image)) = images.next().await {
            match image {
                Ok(image) => done.push(image),
                Err(error) if stop.is_cancelled() => return Err(error),
                Err(error) => {
                    let id = &all.data.samples[place].group;
                    left_out.push(format!("{id}: {}", som_core::with_causes(&error)));
                }
            }
        }
        cuttings.push(Cutting::new(row, &done, left_out, options));
    }
    Ok(cuttings)
}

async fn cut(
    sources: &Arc<Sources>,
    row: &Row,
    at: usize,
    stop: &Cancellation,
) -> Result<CutImage> {
    let picture = sources.picture(at).await?;
    let truth = sources.cut(Regions::Golden, at, &picture, stop).await?;
    let began = Instant::now();
    let found = sources.cut(row.source(), at, &picture, stop).await?;
    let took_ms = began.elapsed().as_secs_f64() * 1e3;
    let size = picture.pixels.size();
    let regions = found.regions.len();
    let measure = move || {
        let found = surest_first(&found.regions);
        let truth: Vec<&Mask> = truth.regions.iter().map(|region| &region.mask).collect();
        let overlaps = BestOverlaps::new(&truth, &found);
        let mut measured = vec![
            ("covering", overlaps.covering()),
            ("best_overlap", overlaps.mean()),
        ];
        measured.extend(RECALLS.map(|(count, name)| (name, overlaps.recall(count))));
        let f = f_of_all(&truth, &found, size, TOLERANCE);
        measured.push(("boundary_f", Ratio::one(f)));
        Ok(measured)
    };
    Ok(CutImage {
        measured: sources.engine.compute(measure).await?,
        regions,
        took_ms,
    })
}

/// The masks by score, the highest first; of equal ones, and without scores, in the segmenter's order.
fn surest_first(regions: &[Region]) -> Vec<&Mask> {
    let mut regions: Vec<&Region> = regions.iter().collect();
    let score = |region: &Region| region.score.unwrap_or_default();
    regions.sort_by(|a, b| score(b).total_cmp(&score(a)));
    regions.into_iter().map(|region| &region.mask).collect()
}

impl Cutting {
    fn new(row: &Row, images: &[CutImage], left_out: Vec<String>, options: &Options) -> Self {
        let names = images
            .first()
            .map(|image| &image.measured)
            .into_iter()
            .flatten();
        let scores = names.enumerate().filter_map(|(at, (metric, _))| {
            let sums: Vec<Ratio> = images.iter().map(|image| image.measured[at].1).collect();
            Score::of(*metric, None, &sums, options)
        });
        let regions: usize = images.iter().map(|image| image.regions).sum();
        Self {
            row: row.title_of_regions(),
            images: images.len(),
            regions: regions as f64 / images.len().max(1) as f64,
            scores: scores.collect(),
            segment_ms: Spread::of(images.iter().map(|image| image.took_ms).collect()),
            left_out,
        }
    }
}
