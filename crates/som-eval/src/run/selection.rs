//! Which samples of a data set are run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Sample, random::SplitMix};

/// Which samples of a data set are run. The same seed chooses the same ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Selection {
    /// At most so many, chosen at random; `None` for all.
    pub limit: Option<usize>,
    /// What the choice begins with.
    pub seed: u64,
    /// True if every kind of sample gets its share of them.
    pub stratified: bool,
}

impl Selection {
    /// The indices of the chosen `samples`, in order.
    pub fn choose(&self, samples: &[Sample]) -> Vec<usize> {
        let limit = self.limit.unwrap_or(samples.len()).min(samples.len());
        let mut random = SplitMix::new(self.seed);
        let mut chosen = Vec::new();
        let strata = self.strata(samples);
        let shares = shares(strata.iter().map(Vec::len), samples.len(), limit);
        for (mut stratum, share) in strata.into_iter().zip(shares) {
            random.shuffle(&mut stratum);
            chosen.extend(stratum.into_iter().take(share));
        }
        chosen.sort_unstable();
        chosen
    }

    /// The indices of the samples of each kind; all together, unless that is asked for.
    fn strata(&self, samples: &[Sample]) -> Vec<Vec<usize>> {
        let mut strata: BTreeMap<Vec<&str>, Vec<usize>> = BTreeMap::new();
        for (index, sample) in samples.iter().enumerate() {
            let kinds = sample.kinds.iter().map(String::as_str);
            let stratum = kinds.filter(|_| self.stratified).collect();
            strata.entry(stratum).or_default().push(index);
        }
        strata.into_values().collect()
    }
}

/// How many of `limit` each of `counts`, `all` together, gets: as near to its share as whole numbers
/// are (largest remainders; of equal ones the first).
fn shares(counts: impl Iterator<Item = usize>, all: usize, limit: usize) -> Vec<usize> {
    let products: Vec<u128> = counts.map(|count| count as u128 * limit as u128).collect();
    let all = all.max(1) as u128;
    // Neither a quotient nor their sum is more than the limit.
    let mut shares: Vec<usize> = products.iter().map(|part| (part / all) as usize).collect();
    let mut order: Vec<usize> = (0..products.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(products[at] % all));
    let missing = limit - shares.iter().sum::<usize>();
    for at in order.into_iter().take(missing) {
        shares[at] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Question, Rect, Truth};

    fn samples(kinds: &[&str]) -> Vec<Sample> {
        let sample = |(index, kind): (usize, &&str)| Sample {
            id: index.to_string(),
            group: index.to_string(),
            image: "a.png".into(),
            size: None,
            question: Question::Click("go".to_owned()),
            truth: Truth::Click(Rect::default()),
            kinds: vec![(*kind).to_owned()],
        };
        kinds.iter().enumerate().map(sample).collect()
    }

    #[test]
    fn a_seed_chooses_always_the_same() {
        let all = samples(&["icon"; 100]);
        let choose = |seed| {
            let selection = Selection {
                limit: Some(10),
                seed,
                stratified: false,
            };
            selection.choose(&all)
        };
        assert_eq!(choose(1), choose(1));
        assert_ne!(choose(1), choose(2));
        assert_eq!(choose(1).len(), 10);
        assert!(choose(1).is_sorted());
        assert_eq!(Selection::default().choose(&all).len(), 100);
    }

    #[test]
    fn strata_get_their_shares() {
        let kinds = [&["icon"; 70][..], &["text"; 20], &["both"; 10]].concat();
        let all = samples(&kinds);
        let selection = Selection {
            limit: Some(10),
            seed: 3,
            stratified: true,
        };
        let chosen = selection.choose(&all);
        let count = |kind: &str| chosen.iter().filter(|at| kinds[**at] == kind).count();
        assert_eq!([count("icon"), count("text"), count("both")], [7, 2, 1]);
    }

    proptest! {
        #[test]
        fn shares_add_up(counts in proptest::collection::vec(0_usize..50, 0..8), limit in 0_usize..400) {
            let all = counts.iter().sum::<usize>();
            let limit = limit.min(all);
            let shares = shares(counts.iter().copied(), all, limit);
            prop_assert_eq!(shares.iter().sum::<usize>(), limit);
            prop_assert!(shares.iter().zip(&counts).all(|(share, count)| share <= count));
        }
    }
}
