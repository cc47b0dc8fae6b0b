//! Sums of every metric, by what samples hang together with.

use std::collections::{BTreeMap, HashMap};

use super::Losses;
use crate::{Sample, metrics::Ratio};

/// Which samples a sum is over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// All of them.
    All,
    /// Those of a kind.
    Kind(String),
    /// Those answered with the truth's own regions marked.
    Oracle,
}

/// Metrics of one sample, by their names.
pub(super) type Measured = Vec<(&'static str, Ratio)>;

/// What was measured so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    groups: HashMap<String, usize>,
    sums: BTreeMap<(Scope, &'static str), Vec<Ratio>>,
    losses: BTreeMap<&'static str, (Losses, f64)>,
    counts: BTreeMap<&'static str, u64>,
}

impl Tally {
    /// Adds the metrics of a sample, to all and to each of `kinds`.
    pub(super) fn add(
        &mut self,
        sample: &Sample,
        kinds: &[String],
        measured: &[(&'static str, Ratio)],
    ) {
        self.add_to(&Scope::All, sample, measured);
        for kind in kinds {
            self.add_to(&Scope::Kind(kind.clone()), sample, measured);
        }
    }

    /// Adds the metrics of a sample to one scope.
    pub(super) fn add_to(
        &mut self,
        scope: &Scope,
        sample: &Sample,
        measured: &[(&'static str, Ratio)],
    ) {
        let group = match self.groups.get(&sample.group) {
            Some(group) => *group,
            None => self.group(sample.group.clone()),
        };
        for (metric, ratio) in measured {
            let sums = self.sums.entry((scope.clone(), *metric)).or_default();
            if sums.len() <= group {
                sums.resize(group + 1, Ratio::default());
            }
            sums[group] += *ratio;
        }
    }

    /// Adds who lost what of a metric.
    pub(super) fn lose(&mut self, metric: &'static str, losses: Losses) {
        let (sum, samples) = self.losses.entry(metric).or_default();
        *sum += losses;
        *samples += 1.0;
    }

    /// Adds all that another one has measured.
    pub(super) fn merge(&mut self, other: Self) {
        let mut places = vec![0; other.groups.len()];
        for (name, place) in other.groups {
            places[place] = self.group(name);
        }
        for (key, sums) in other.sums {
            let own = self.sums.entry(key).or_default();
            for (ratio, place) in sums.into_iter().zip(&places) {
                if own.len() <= *place {
                    own.resize(place + 1, Ratio::default());
                }
                own[*place] += ratio;
            }
        }
        for (metric, (losses, samples)) in other.losses {
            let (sum, count) = self.losses.entry(metric).or_default();
            *sum += losses;
            *count += samples;
        }
        for (what, count) in other.counts {
            *self.counts.entry(what).or_default() += count;
        }
    }

    fn group(&mut self, name: String) -> usize {
        let next = self.groups.len();
        *self.groups.entry(name).or_insert(next)
    }

    /// Every metric over all samples.
    pub(super) fn totals(&self) -> BTreeMap<&'static str, Ratio> {
        let of_all = self
            .sums
            .iter()
            .filter(|((scope, _), _)| *scope == Scope::All);
        of_all
            .map(|((_, metric), sums)| (*metric, sums.iter().sum()))
            .collect()
    }

    /// Counts something that is told beside the scores.
    pub(super) fn count(&mut self, what: &'static str, more: usize) {
        if more > 0 {
            *self.counts.entry(what).or_default() += more as u64;
        }
    }

    /// The sums of each metric by group; groups that it does not have are left out.
    pub(super) fn sums(&self) -> impl Iterator<Item = (&Scope, &'static str, Vec<Ratio>)> {
        self.sums.iter().map(|((scope, metric), sums)| {
            let there = sums
                .iter()
                .filter(|ratio| ratio.of > 0.0 || ratio.sum > 0.0);
            (scope, *metric, there.copied().collect())
        })
    }

    /// Who lost what, as shares of the samples that tell.
    pub(super) fn losses(&self) -> BTreeMap<&'static str, Losses> {
        let share = |(metric, (losses, samples)): (&&'static str, &(Losses, f64))| {
            (*metric, losses.over(*samples))
        };
        self.losses.iter().map(share).collect()
    }

    /// What was counted beside the scores.
    pub(super) const fn counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }
}
