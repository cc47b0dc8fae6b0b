//! What came of the rows of a comparison: each asked once for every trial.

use std::{sync::Arc, time::Duration};

use som_core::{Error, Timings};
use som_engine::ask::AskOutcome;

use crate::session::ComparedRow;

/// One way to ask, and what came of it.
pub(super) struct Row<'a> {
    /// As the user wrote it.
    pub(super) name: &'a str,
    /// In the order of the trials.
    pub(super) trials: Vec<ComparedRow>,
}

/// Mean and spread of a number over trials.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) mean: f64,
    /// The sample standard deviation; `None` for a single trial.
    pub(super) deviation: Option<f64>,
}

impl Row<'_> {
    /// What was answered in the trials that did not fail.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = &AskOutcome> {
        let trials = self.trials.iter();
        trials.filter_map(|trial| trial.outcome.as_ref().ok())
    }

    /// Why trials failed.
    pub(super) fn failures(&self) -> impl Iterator<Item = &Arc<Error>> {
        let trials = self.trials.iter();
        trials.filter_map(|trial| trial.outcome.as_ref().err())
    }

    /// Seconds of one stage, over the trials that were answered; `None`, if none was.
    pub(super) fn seconds(&self, stage: impl Fn(&Timings) -> Option<Duration>) -> Option<Spread> {
        let took = |outcome: &AskOutcome| stage(&outcome.timings).unwrap_or_default().as_secs_f64();
        Spread::of(&self.outcomes().map(took).collect::<Vec<_>>())
    }

    /// Seconds that all stages took, waiting left out; of a row that was never answered, until it
    /// failed.
    pub(super) fn took(&self) -> Option<Spread> {
        let is_answered = self.outcomes().next().is_some();
        let trials = self.trials.iter();
        let trials = trials.filter(|trial| trial.outcome.is_ok() == is_answered);
        let took = trials.map(|trial| trial.took.as_secs_f64());
        Spread::of(&took.collect::<Vec<_>>())
    }

    /// How many marks the images of a trial have.
    pub(super) fn marks(&self) -> Option<Spread> {
        let marks = self.trials.iter().map(|trial| {
            let images = trial.images.iter();
            let marks: usize = images.map(|image| image.allocation.marks.len()).sum();
            marks as f64
        });
        Spread::of(&marks.collect::<Vec<_>>())
    }

    /// Tokens of all prompts and of all answers; `None`, if a provider does not say.
    pub(super) fn tokens(&self) -> Option<(u64, u64)> {
        let usages = self.outcomes().map(|outcome| outcome.usage);
        let (mut input, mut output, mut is_any) = (0, 0, false);
        for usage in usages {
            let usage = usage?;
            input += usage.input_tokens;
            output += usage.output_tokens;
            is_any = true;
        }
        is_any.then_some((input, output))
    }

    /// US dollars of all answers; `None`, if there are none or they have no price.
    pub(super) fn cost(&self) -> Option<f64> {
        let costs: Option<Vec<f64>> = self.outcomes().map(|outcome| outcome.cost).collect();
        let costs = costs.filter(|costs| !costs.is_empty())?;
        Some(costs.into_iter().sum())
    }
}

impl Spread {
    /// Of these numbers; `None`, if there are none.
    pub(super) fn of(numbers: &[f64]) -> Option<Self> {
        let count = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / count;
        let squares = numbers.iter().map(|number| (number - mean).powi(2));
        let deviation = (squares.sum::<f64>() / (count - 1.0)).sqrt();
        (!numbers.is_empty()).then_some(Self {
            mean,
            deviation: (numbers.len() > 1).then_some(deviation),
        })
    }

    /// With so many decimals, such as `1.20 ± 0.05`.
    pub(super) fn told(self, decimals: usize) -> String {
        let Self { mean, deviation } = self;
        match deviation {
            None => format!("{mean:.decimals$}"),
            Some(deviation) => format!("{mean:.decimals$} ± {deviation:.decimals$}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_a_mean_and_several_a_spread() {
        assert_eq!(Spread::of(&[]), None);
        let one = Spread::of(&[3.0]).unwrap();
        assert_eq!(one.told(1), "3.0");
        let several = Spread::of(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        assert_eq!(several.mean, 2.5);
        // The root of 5 / 3.
        assert_eq!(several.told(2), "2.50 ± 1.29");
    }
}
