//! Who lost what: segmenter, marks, model and parsing, adding up to all that is missing to 1.

use std::ops::AddAssign;

use serde::Serialize;

use crate::results::Reading;

/// What was reached of a metric, and what each stage lost; together 1 for each sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Losses {
    /// What the run got.
    pub reached: f64,
    /// The best region there was misses so much of the truth.
    pub segmenter: f64,
    /// The best region got no mark: so much worse is the best one that did.
    pub marks: f64,
    /// The answer could be read, but meant something worse.
    pub model: f64,
    /// The answer named nothing, too much, or could not be read.
    pub parsing: f64,
}

impl Losses {
    /// Of one sample, each number in [0, 1]: what was `reached`, what the best region would have
    /// reached (`ceiling`), and the best one with a mark. An answer of several regions may reach
    /// more than any one of them; then that is the ceiling.
    pub(super) fn new(reached: f64, ceiling: f64, marked: f64, reading: Reading) -> Self {
        let marked = marked.max(reached);
        let ceiling = ceiling.max(marked);
        let rest = marked - reached;
        let (model, parsing) = match reading {
            Reading::Read => (rest, 0.0),
            Reading::Nothing | Reading::TooMuch | Reading::Unreadable => (0.0, rest),
        };
        Self {
            reached,
            segmenter: 1.0 - ceiling,
            marks: ceiling - marked,
            model,
            parsing,
        }
    }

    /// All parts, as shares of `samples`.
    pub(super) fn over(self, samples: f64) -> Self {
        Self {
            reached: self.reached / samples,
            segmenter: self.segmenter / samples,
            marks: self.marks / samples,
            model: self.model / samples,
            parsing: self.parsing / samples,
        }
    }

    /// All parts together.
    pub fn total(self) -> f64 {
        self.reached + self.segmenter + self.marks + self.model + self.parsing
    }
}

impl AddAssign for Losses {
    fn add_assign(&mut self, other: Self) {
        self.reached += other.reached;
        self.segmenter += other.segmenter;
        self.marks += other.marks;
        self.model += other.model;
        self.parsing += other.parsing;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn losses_add_up(reached in 0.0..=1.0, ceiling in 0.0..=1.0, marked in 0.0..=1.0) {
            for reading in [Reading::Read, Reading::Nothing] {
                let losses = Losses::new(reached, ceiling, marked, reading);
                prop_assert!((losses.total() - 1.0).abs() < 1e-12);
                let parts = [losses.segmenter, losses.marks, losses.model, losses.parsing];
                prop_assert!(parts.iter().all(|part| *part >= 0.0), "{:?}", losses);
            }
        }
    }
}
