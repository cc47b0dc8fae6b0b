//! Samples, asked row by row → results on file.
//!
//! > data set + [`Row`]s → [`Plan`] → [`run`] → `RUN/rows/ROW/results.jsonl`
//!
//! Every outcome is on file as soon as it is there, regions and answers by what they came of: a run that
//! was stopped goes on where it was, and one that is done asks nobody.

mod selection;
mod row;
mod grid;
mod files;
mod folder;
mod picture;
mod golden;
mod cache;
mod source;
mod tokens;
mod purse;
mod question;
mod reading;
mod specialist;
mod fault;
mod asked;
mod track;
mod asker;
mod estimate;
mod cutting;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::{StreamExt, stream};
use som_core::{Cancellation, Error, ErrorKind, LmmProvider, ProviderInfo, Result, with_causes};
use som_engine::Engine;

use self::{
    asker::Asker,
    cache::Cache,
    fault::Fault,
    folder::{Folder, RowFile},
    golden::Golden,
    purse::{Metered, Purse},
    source::Sources,
};
pub use self::{
    cutting::{Cutting, CuttingPlan, cuttings},
    estimate::{Estimate, estimate},
    folder::Manifest,
    grid::Grid,
    row::{Row, Style},
    selection::Selection,
    source::ReadRegions,
};
use crate::{
    data::{Dataset, Place},
    results::{Outcome, Reading, Trace},
};

/// After so many failures without one success a row is given up.
const MAX_FAILURES: usize = 8;

/// What is run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The data set.
    pub data: Place,
    /// Which of its samples.
    pub selection: Selection,
    /// In which ways each of them is asked.
    pub rows: Vec<Row>,
    /// Samples at a time, at least 1.
    pub jobs: usize,
    /// US dollars that are never passed; `None` for no limit.
    pub max_cost: Option<f64>,
    /// Where regions and answers are kept; `None` for the folder of the run.
    pub cache: Option<PathBuf>,
    /// Whether marked images are kept, for reports.
    pub keeps_images: bool,
}

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The row of the sample that is done.
    pub row: &'a str,
    /// Samples that are done, over all rows, those of an earlier run included.
    pub done: usize,
    /// Of how many.
    pub of: usize,
    /// How many of them failed.
    pub failed: usize,
    /// US dollars that answers of this run cost.
    pub spent: f64,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Ran {
    /// In the order of the plan.
    pub rows: Vec<RowRan>,
    /// Answers that were asked for, and not on file.
    pub asked: u64,
    /// US dollars that they cost.
    pub spent: f64,
    /// Why it ended before everything was asked.
    pub cut_short: Option<String>,
    /// Entries of the data set that were left out, and why.
    pub problems: Vec<String>,
}

/// What came of a row.
#[derive(Clone, Debug, Default)]
pub struct RowRan {
    /// What people call it.
    pub title: String,
    /// Samples that were on file before.
    pub before: usize,
    /// Samples that are done now.
    pub done: usize,
    /// Samples that failed, which will be asked again.
    pub failed: usize,
    /// Why the first of them did.
    pub failure: Option<(ErrorKind, String)>,
    /// Samples that could not be asked, and why.
    pub left_out: Vec<String>,
    /// True if nothing but failures came of it, so that the rest was not asked.
    pub is_given_up: bool,
}

/// Asks what `plan` says and is not on file in `folder` yet; `watch` is told of every sample.
///
/// # Errors
/// What opening the data set reports; Invalid or NotFound for a row that does not make sense or names
/// what is not there; Unavailable, if another run writes to the folder; Invalid, if the folder holds
/// another run; Unsupported for a cache of another version; Cancelled once called off. A sample that
/// fails is no error.
pub async fn run(
    engine: Engine,
    given: Arc<dyn ReadRegions>,
    plan: &Plan,
    folder: &Path,
    stop: &Cancellation,
    mut watch: impl FnMut(&Progress<'_>),
) -> Result<Ran> {
    grid::check(&plan.rows)?;
    let data = Dataset::open(&plan.data)?;
    let chosen = plan.selection.choose(&data.samples);
    let problems = data.problems.iter().map(ToString::to_string).collect();
    let cache = Cache::open(plan.cache_in(folder))?;
    let purse = Purse::new(plan.max_cost);
    let engine = kept(engine, plan, &cache, |engine, inner| {
        let info = inner.info();
        if plan.max_cost.is_some() {
            has_prices(info)?;
        }
        let settings = engine.settings().lmm.get(&info.name);
        let most = settings.cloned().unwrap_or_default().max_tokens;
        Ok(Arc::new(Metered::new(inner, Arc::clone(&purse), most)))
    })?;
    let sources = sources(engine, given, data, cache);
    check(plan, &sources).await?;
    let folder = Folder::open(folder, &plan.manifest())?;
    let mut rows = Rows::open(plan, &folder, &sources, &chosen)?;

    let asker = Asker {
        sources: Arc::clone(&sources),
        keeps_images: plan.keeps_images,
    };
    let is_over = AtomicBool::new(false);
    let work = rows.work(&chosen, &sources);
    let folders: Vec<PathBuf> = rows.files.iter().map(|file| file.folder.clone()).collect();
    let given_up: Vec<AtomicBool> = folders.iter().map(|_| AtomicBool::new(false)).collect();
    let is_left =
        |row: usize| !is_over.load(Ordering::Relaxed) && !given_up[row].load(Ordering::Relaxed);
    let outcomes = stream::iter(work).map(|(row, at)| {
        let (asker, folder, is_left) = (&asker, &folders[row], &is_left);
        async move {
            if !is_left(row) {
                return None;
            }
            Some((
                row,
                at,
                asker.outcome(&plan.rows[row], at, folder, stop).await,
            ))
        }
    });
    let mut outcomes = outcomes.buffer_unordered(plan.jobs.max(1));
    let mut cut_short = None;
    while let Some(outcome) = outcomes.next().await {
        let Some((row, at, outcome)) = outcome else {
            continue;
        };
        match outcome {
            Err(fault) if fault.is_cancelled() => return Err(Error::cancelled()),
            // What is under way is still waited for.
            Err(Fault::Failed(error)) if purse.is_used_up() => {
                is_over.store(true, Ordering::Relaxed);
                cut_short.get_or_insert(error.to_string());
                continue;
            }
            outcome => rows.take(row, &sources.data.samples[at].id, outcome)?,
        }
        given_up[row].store(rows.ran[row].is_given_up, Ordering::Relaxed);
        watch(&rows.progress(row, chosen.len(), purse.spent()));
    }
    drop(outcomes);
    Ok(Ran {
        rows: rows.ran,
        asked: purse.asked(),
        spent: purse.spent(),
        cut_short,
        problems,
    })
}

/// The engine with the answers of every model that `plan` asks in its cache; what is not there is
/// asked of what `ask` makes of the model.
fn kept(
    mut engine: Engine,
    plan: &Plan,
    cache: &Cache,
    ask: impl Fn(&Engine, Arc<dyn LmmProvider>) -> Result<Arc<dyn LmmProvider>>,
) -> Result<Engine> {
    for name in plan.models(engine.settings().ask.lmm.clone()) {
        let answers = cache.answers(&name, engine.settings().lmm.get(&name));
        let asked = ask(&engine, engine.lmms().get(&name)?.clone())?;
        engine = engine.with_answers_kept(&name, answers, |_| asked)?;
    }
    Ok(engine)
}

fn sources(
    engine: Engine,
    given: Arc<dyn ReadRegions>,
    data: Dataset,
    cache: Cache,
) -> Arc<Sources> {
    Arc::new(Sources {
        engine: Arc::new(engine),
        golden: Golden::of(&data),
        given,
        data,
        cache,
    })
}

/// Checks that there is what the rows name.
///
/// # Errors
/// As the registry has it, naming the row.
async fn check(plan: &Plan, sources: &Sources) -> Result<()> {
    for row in &plan.rows {
        let at = |error: Error| error.at(format!("row \"{}\"", row.title()));
        sources.check(&row.source()).await.map_err(at)?;
        for layer in row.layers().into_iter().flatten() {
            let style = sources.engine.registry().style(&layer.style).map_err(at)?;
            style.resolve(&layer.params).map_err(at)?;
        }
    }
    Ok(())
}

fn has_prices(info: &ProviderInfo) -> Result<()> {
    match info.prices {
        Some(_) => Ok(()),
        None => Err(Error::invalid(format!(
            "max_cost needs the prices of lmm \"{0}\" (set lmm.{0}.prices)",
            info.name
        ))),
    }
}

impl Plan {
    fn manifest(&self) -> Manifest {
        Manifest::new(self.data.clone(), self.selection.clone(), self.rows.clone())
    }

    fn cache_in(&self, folder: &Path) -> PathBuf {
        self.cache.clone().unwrap_or_else(|| folder.join("cache"))
    }

    /// The models that are asked, each once; `usual` is that of rows which name none.
    fn models(&self, usual: String) -> Vec<String> {
        let asking = self.rows.iter().filter(|row| !row.specialist);
        let names = asking.map(|row| row.lmm.clone().unwrap_or_else(|| usual.clone()));
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// The rows of a run, with what has come of them.
struct Rows {
    files: Vec<RowFile>,
    ran: Vec<RowRan>,
}

impl Rows {
    fn open(plan: &Plan, folder: &Folder, sources: &Sources, chosen: &[usize]) -> Result<Self> {
        let files = plan.rows.iter().map(|row| folder.row(row));
        let files: Vec<RowFile> = files.collect::<Result<_>>()?;
        let ran = plan.rows.iter().zip(&files).map(|(row, file)| RowRan {
            title: row.title(),
            before: left(file, sources, chosen, true).count(),
            ..RowRan::default()
        });
        let ran = ran.collect();
        Ok(Self { files, ran })
    }

    /// What is left to do: rows and samples.
    fn work(&self, chosen: &[usize], sources: &Sources) -> Vec<(usize, usize)> {
        let rows = self.files.iter().enumerate();
        let work = rows
            .flat_map(|(row, file)| left(file, sources, chosen, false).map(move |at| (row, at)));
        work.collect()
    }

    /// Puts what came of a sample on file.
    fn take(&mut self, row: usize, sample: &str, outcome: Result<Outcome, Fault>) -> Result<()> {
        let ran = &mut self.ran[row];
        let outcome = match outcome {
            Ok(outcome) => {
                ran.done += 1;
                outcome
            }
            Err(Fault::LeftOut(error)) => {
                let why = with_causes(&error);
                ran.left_out.push(format!("sample {sample}: {why}"));
                return Ok(());
            }
            Err(Fault::Failed(error)) => {
                ran.failed += 1;
                let why = || {
                    (
                        error.kind(),
                        format!("sample {sample}: {}", with_causes(&error)),
                    )
                };
                ran.failure.get_or_insert_with(why);
                ran.is_given_up = ran.before + ran.done == 0 && ran.failed >= MAX_FAILURES;
                Outcome {
                    sample: sample.to_owned(),
                    reading: Reading::Unreadable,
                    trace: Some(Trace::of_failure(&error)),
                    ..Outcome::default()
                }
            }
        };
        self.files[row].add(&outcome)
    }

    fn progress(&self, row: usize, chosen: usize, spent: f64) -> Progress<'_> {
        let sum = |of: fn(&RowRan) -> usize| self.ran.iter().map(of).sum();
        Progress {
            row: &self.ran[row].title,
            done: sum(|ran| ran.before + ran.done + ran.failed + ran.left_out.len()),
            of: chosen * self.ran.len(),
            failed: sum(|ran| ran.failed),
            spent,
        }
    }
}

/// Those of the chosen samples that are on file, or are not.
fn left<'a>(
    file: &'a RowFile,
    sources: &'a Sources,
    chosen: &'a [usize],
    is_done: bool,
) -> impl Iterator<Item = usize> + 'a {
    let is_on_file = |at: usize| file.done.contains(&sources.data.samples[at].id);
    let chosen = chosen.iter().copied();
    chosen.filter(move |at| is_on_file(*at) == is_done)
}
