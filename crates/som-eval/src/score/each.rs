//! One sample's own scores.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Losses, tally::Tally};
use crate::metrics::Ratio;

/// One sample's own scores.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleScore {
    /// Its index in the data set.
    pub place: usize,
    /// Each metric, as a sum over what it is a share of.
    pub metrics: BTreeMap<&'static str, Ratio>,
    /// Who lost what, by metric.
    pub losses: BTreeMap<&'static str, Losses>,
    /// True if there is no answer.
    pub has_failed: bool,
}

/// How a sample went: right, or who lost most of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Next to nothing is lost.
    Right,
    /// No region was good enough.
    Segmenter,
    /// The best region got no mark.
    Marks,
    /// The model meant something else.
    Model,
    /// The answer could not be read.
    Parsing,
    /// There is no answer.
    Failed,
    /// It is wrong, and nobody tells why.
    Wrong,
}

/// The metrics that tables are sorted by.
const LEADING: [&str; 7] = [
    "acc@0.5",
    "miou",
    "giou",
    "precision",
    "recall@1 any-box",
    "point_in_box",
    "j&f",
];

/// What is less is no loss, but rounding and ragged edges.
const LEAST_LOSS: f64 = 0.05;

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Right,
        Self::Segmenter,
        Self::Marks,
        Self::Model,
        Self::Parsing,
        Self::Failed,
        Self::Wrong,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Segmenter => "segmenter",
            Self::Marks => "marks",
            Self::Model => "model",
            Self::Parsing => "parsing",
            Self::Failed => "failed",
            Self::Wrong => "wrong",
        }
    }
}

impl SampleScore {
    pub(super) fn new(place: usize, tally: &Tally, has_failed: bool) -> Self {
        Self {
            place,
            metrics: tally.totals(),
            losses: tally.losses(),
            has_failed,
        }
    }

    /// What it is sorted and judged by: of the metrics that are told in tables the first that it has.
    pub fn leading(&self) -> Option<&'static str> {
        let mut leading = LEADING.into_iter();
        let known = leading.find(|metric| self.metrics.contains_key(metric));
        known.or_else(|| self.metrics.keys().next().copied())
    }

    /// The value of a metric; `None` if the sample has none.
    pub fn value(&self, metric: &str) -> Option<f64> {
        self.metrics.get(metric)?.value()
    }

    /// How it went.
    pub fn verdict(&self) -> Verdict {
        if self.has_failed {
            return Verdict::Failed;
        }
        let Some(losses) = self.losses.values().next() else {
            let value = self.leading().and_then(|metric| self.value(metric));
            return match value {
                Some(value) if value < 1.0 - LEAST_LOSS => Verdict::Wrong,
                _ => Verdict::Right,
            };
        };
        if losses.reached > 1.0 - LEAST_LOSS {
            return Verdict::Right;
        }
        let parts = [
            (losses.parsing, Verdict::Parsing),
            (losses.model, Verdict::Model),
            (losses.marks, Verdict::Marks),
            (losses.segmenter, Verdict::Segmenter),
        ];
        let most = parts
            .into_iter()
            .reduce(|a, b| if b.0 > a.0 { b } else { a });
        most.map_or(Verdict::Wrong, |(_, verdict)| verdict)
    }
}
