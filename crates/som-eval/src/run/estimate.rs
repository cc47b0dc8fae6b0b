//! What a run would ask, told before anything is asked.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{StreamExt, stream};
use serde::Serialize;
use som_core::{
    AnswerEvent, AnswerStream, Cancellation, Finish, LmmProvider, Prompt, ProviderInfo, Result,
};
use som_engine::Engine;

use super::{
    Plan, ReadRegions, asker::Asker, cache::Cache, check, fault::Fault, folder::Manifest, grid,
    kept, sources, tokens::tokens,
};
use crate::data::Dataset;

/// So many samples of a row are marked to see what they take; of more it is reckoned.
const LOOKED_AT: usize = 24;

/// What a row would ask.
#[derive(Clone, Debug, Serialize)]
pub struct Estimate {
    /// What people call the row.
    pub row: String,
    /// Samples that have no outcome yet.
    pub samples: usize,
    /// Samples that this was reckoned from.
    pub looked_at: usize,
    /// Requests that would be sent.
    pub requests: f64,
    /// Images in them.
    pub images: f64,
    /// Tokens of their prompts, about.
    pub input_tokens: f64,
    /// Tokens of their answers, at most.
    pub max_output_tokens: f64,
    /// US dollars for the prompts, about; `None` without prices.
    pub input_cost: Option<f64>,
    /// US dollars for answers as long as they may be; `None` without prices.
    pub max_output_cost: Option<f64>,
    /// Why samples that were looked at could not be asked about.
    pub problems: Vec<String>,
}

/// What a model was to be asked so far.
#[derive(Clone, Copy, Default)]
struct Counted {
    requests: f64,
    images: f64,
    input: f64,
    output: f64,
}

/// Counts what a model is to be asked, and answers nothing.
struct Counting {
    info: ProviderInfo,
    max_tokens: u32,
    counted: Arc<Mutex<Counted>>,
}

impl LmmProvider for Counting {
    fn info(&self) -> &ProviderInfo {
        &self.info
    }

    fn ask<'a>(&'a self, prompt: &'a Prompt, _: &'a Cancellation) -> AnswerStream<'a> {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.requests += 1.0;
        counted.images += prompt.images().count() as f64;
        counted.input += tokens(prompt, &self.info.images);
        counted.output += f64::from(prompt.max_tokens.unwrap_or(self.max_tokens));
        // What broke off is not kept.
        let nothing = Finish::Partial("nothing was asked".to_owned());
        stream::iter([Ok(AnswerEvent::Done(nothing))]).boxed()
    }
}

/// What `plan` would ask that is not on file in `folder`, row by row. Images are cut and marked, and
/// what was cut is kept; no model is asked.
///
/// # Errors
/// As [`run`](super::run).
pub async fn estimate(
    engine: Engine,
    given: Arc<dyn ReadRegions>,
    plan: &Plan,
    folder: &Path,
    stop: &Cancellation,
) -> Result<Vec<Estimate>> {
    grid::check(&plan.rows)?;
    let data = Dataset::open(&plan.data)?;
    let chosen = plan.selection.choose(&data.samples);
    let cache = Cache::open(plan.cache_in(folder))?;
    let counted = Arc::new(Mutex::new(Counted::default()));
    let engine = kept(engine, plan, &cache, |engine, inner| {
        let info = inner.info().clone();
        let settings = engine.settings().lmm.get(&info.name);
        Ok(Arc::new(Counting {
            max_tokens: settings.cloned().unwrap_or_default().max_tokens,
            counted: Arc::clone(&counted),
            info,
        }))
    })?;
    let sources = sources(engine, given, data, cache);
    check(plan, &sources).await?;
    let asker = Asker {
        sources: Arc::clone(&sources),
        keeps_images: false,
    };
    let mut estimates = Vec::new();
    for row in &plan.rows {
        let done = Manifest::done(folder, row)?;
        let is_left = |at: &&usize| !done.contains(&sources.data.samples[**at].id);
        let left: Vec<usize> = chosen.iter().filter(is_left).copied().collect();
        *counted.lock().unwrap_or_else(PoisonError::into_inner) = Counted::default();
        let mut problems = Vec::new();
        let looked_at = spread(&left);
        for at in &looked_at {
            match asker.outcome(row, *at, folder, stop).await {
                Err(fault) if fault.is_cancelled() => return Err(som_core::Error::cancelled()),
                Err(Fault::LeftOut(error) | Fault::Failed(error)) => {
                    problems.push(error.to_string());
                }
                Ok(_) => {}
            }
        }
        let counted = *counted.lock().unwrap_or_else(PoisonError::into_inner);
        let all = left.len() as f64 / looked_at.len().max(1) as f64;
        let name = row
            .lmm
            .as_deref()
            .unwrap_or(&sources.engine.settings().ask.lmm);
        let prices = match row.specialist {
            true => None,
            false => sources.engine.lmms().get(name)?.info().prices,
        };
        let cost = |tokens: f64, price: fn(&som_core::Prices) -> f64| {
            prices.map(|prices| tokens * all * price(&prices) / 1e6)
        };
        estimates.push(Estimate {
            row: row.title(),
            samples: left.len(),
            looked_at: looked_at.len(),
            requests: counted.requests * all,
            images: counted.images * all,
            input_tokens: counted.input * all,
            max_output_tokens: counted.output * all,
            input_cost: cost(counted.input, |prices| prices.input),
            max_output_cost: cost(counted.output, |prices| prices.output),
            problems,
        });
    }
    Ok(estimates)
}

/// Some of `all`, evenly from the first to the last.
fn spread(all: &[usize]) -> Vec<usize> {
    let count = all.len().min(LOOKED_AT);
    (0..count).map(|at| all[at * all.len() / count]).collect()
}
