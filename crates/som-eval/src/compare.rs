//! Two runs on the same samples: is one better, or is it noise?

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::{
    Error, Result,
    data::Dataset,
    metrics::{Ratio, mcnemar, paired},
    score::{Options, Report, SampleScore},
};

/// The JSON Schema of a comparison.
pub const SCHEMA: &str = include_str!("../schemas/comparison.schema.json");

/// Two results on the same samples.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// What people call the first.
    pub first: String,
    /// What people call the second.
    pub second: String,
    /// Samples that both have; the others are left out.
    pub samples: usize,
    /// Every metric that both have.
    pub metrics: Vec<Compared>,
}

/// A metric of two results.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// The metric.
    pub metric: &'static str,
    /// Its value in the first.
    pub first: f64,
    /// Its value in the second.
    pub second: f64,
    /// How much better the second is.
    pub difference: f64,
    /// The lower end of the difference's 95 % interval: the same images drawn for both.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Two-sided: how often a draw falls on the other side of 0.
    pub p: f64,
    /// McNemar's test, where every sample is right or wrong.
    pub mcnemar: Option<McNemar>,
}

/// McNemar's exact test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct McNemar {
    /// Samples that the first alone got right.
    pub only_first: u64,
    /// Samples that the second alone got right.
    pub only_second: u64,
    /// Two-sided.
    pub p: f64,
}

/// Results, and the data set that they are of.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// What people call them.
    pub name: &'a str,
    /// The data set.
    pub data: &'a Dataset,
    /// The scores.
    pub scores: &'a Report,
}

/// Holds two results against each other, over the samples that both have.
///
/// # Errors
/// [`Error::Invalid`], if they are of different data sets or have no sample in common.
pub fn compare(first: Side<'_>, second: Side<'_>, options: &Options) -> Result<Comparison> {
    if first.data.kind != second.data.kind {
        return Err(Error::Invalid(format!(
            "{} is of {}, but {} of {}: only runs over the same data are compared",
            first.name, first.data.kind, second.name, second.data.kind
        )));
    }
    let of_first: HashMap<&str, &SampleScore> = first.by_id().collect();
    let pairs: Vec<Pair<'_>> = second
        .by_id()
        .filter_map(|(id, score)| {
            let first = of_first.get(id)?;
            let group = second.data.samples[score.place].group.as_str();
            Some(Pair {
                group,
                scores: [first, score],
            })
        })
        .collect();
    if pairs.is_empty() {
        return Err(Error::Invalid(format!(
            "{} and {} have no sample in common",
            first.name, second.name
        )));
    }
    let metrics: BTreeMap<&'static str, ()> = pairs
        .iter()
        .flat_map(|pair| pair.scores[0].metrics.keys().map(|metric| (*metric, ())))
        .collect();
    let metrics = metrics.into_keys();
    Ok(Comparison {
        first: first.name.to_owned(),
        second: second.name.to_owned(),
        samples: pairs.len(),
        metrics: metrics
            .filter_map(|metric| compared(metric, &pairs, options))
            .collect(),
    })
}

/// A sample that both have.
struct Pair<'a> {
    group: &'a str,
    scores: [&'a SampleScore; 2],
}

impl<'a> Side<'a> {
    fn by_id(self) -> impl Iterator<Item = (&'a str, &'a SampleScore)> {
        let each = self.scores.each.iter();
        each.map(move |score| (self.data.samples[score.place].id.as_str(), score))
    }
}

fn compared(metric: &'static str, pairs: &[Pair<'_>], options: &Options) -> Option<Compared> {
    let mut groups: BTreeMap<&str, [Ratio; 2]> = BTreeMap::new();
    let (mut only_first, mut only_second) = (0, 0);
    let mut is_of_hits = true;
    for pair in pairs {
        let ratios = pair.scores.map(|score| score.metrics.get(metric).copied());
        let [Some(first), Some(second)] = ratios else {
            continue;
        };
        let group = groups.entry(pair.group).or_default();
        group[0] += first;
        group[1] += second;
        let is_hit = |ratio: Ratio| ratio.of == 1.0 && (ratio.sum == 0.0 || ratio.sum == 1.0);
        is_of_hits &= is_hit(first) && is_hit(second);
        only_first += u64::from(first.sum > second.sum);
        only_second += u64::from(second.sum > first.sum);
    }
    let (first, second): (Vec<Ratio>, Vec<Ratio>) = groups
        .into_values()
        .map(|[first, second]| (first, second))
        .unzip();
    let difference = paired(&first, &second, options.draws, options.seed)?;
    Some(Compared {
        metric,
        first: first.iter().sum::<Ratio>().value()?,
        second: second.iter().sum::<Ratio>().value()?,
        difference: difference.value,
        low: difference.interval.low,
        high: difference.interval.high,
        p: difference.p,
        mcnemar: is_of_hits.then(|| McNemar {
            only_first,
            only_second,
            p: mcnemar(only_first, only_second),
        }),
    })
}
