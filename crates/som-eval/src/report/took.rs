//! What a row took: time, tokens, money.

use std::path::Path;

use serde::Serialize;

use crate::{
    Result,
    metrics::Spread,
    results::{self, Trace},
};

/// What a row took.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Took {
    /// Samples without an answer, because something failed.
    pub failed: usize,
    /// Requests that were answered.
    pub rounds: u64,
    /// Tokens of the prompts, as far as they were told.
    pub input_tokens: u64,
    /// Tokens of the answers.
    pub output_tokens: u64,
    /// US dollars; `None` without prices.
    pub cost: Option<f64>,
    /// Marks that there were.
    pub marks: u64,
    /// Names in the answers that no mark has.
    pub invented: u64,
    /// Milliseconds until there were regions; those that were on file took none.
    pub segment_ms: Spread,
    /// Milliseconds until they were marked.
    pub mark_ms: Spread,
    /// Milliseconds until there was an answer.
    pub answer_ms: Spread,
}

impl Took {
    /// What the outcomes in a file took together.
    ///
    /// # Errors
    /// [`Error::Unreadable`](crate::Error::Unreadable), if there is no such file.
    pub(super) fn of(results: &Path) -> Result<Self> {
        let mut took = Self::default();
        let mut times = [const { Vec::new() }; 3];
        let outcomes = results::read(results)?.filter_map(|(_, outcome)| outcome.ok());
        for trace in outcomes.filter_map(|outcome| outcome.trace) {
            took.add(&trace);
            if trace.failure.is_none() {
                let each = [trace.segment_ms, trace.mark_ms, trace.answer_ms];
                times
                    .iter_mut()
                    .zip(each)
                    .for_each(|(all, time)| all.push(time));
            }
        }
        [took.segment_ms, took.mark_ms, took.answer_ms] = times.map(Spread::of);
        Ok(took)
    }

    fn add(&mut self, trace: &Trace) {
        self.failed += usize::from(trace.failure.is_some());
        self.rounds += u64::from(trace.rounds);
        self.marks += trace.marks as u64;
        self.invented += trace.invented as u64;
        if let Some(usage) = trace.usage {
            self.input_tokens = self.input_tokens.saturating_add(usage.input_tokens);
            self.output_tokens = self.output_tokens.saturating_add(usage.output_tokens);
        }
        if let Some(cost) = trace.cost {
            *self.cost.get_or_insert_default() += cost;
        }
    }
}
