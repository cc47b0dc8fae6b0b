//! Which number, and which label, each region gets.

use std::collections::BTreeSet;

use super::AllocateOptions;
use crate::{Error, Result};

/// The numbers of marks from 0, by the rank of their regions.
pub(super) struct Numbering {
    /// Ids: those that regions have, or the largest region first; then the appended ones in the order
    /// given.
    pub(super) ids: Vec<u32>,
    /// Labels: the same, or a permutation of it.
    pub(super) labels: Vec<u32>,
}

impl Numbering {
    /// For the regions with these indices, ranked by area; those from `appended` on come last.
    pub(super) fn new(ranked: &[usize], appended: usize, options: &AllocateOptions) -> Self {
        let mut order: Vec<usize> = (0..ranked.len()).collect();
        order.sort_by_key(|&rank| match ranked[rank] {
            index if index < appended => (0, rank),
            index => (1, index),
        });
        let mut ids = vec![0; ranked.len()];
        // From where the ids that regions have end.
        let mut next = options.ids.iter().copied().max().unwrap_or(0);
        for rank in order {
            ids[rank] = match options.ids.get(ranked[rank]) {
                Some(id) => id.saturating_sub(1),
                None => {
                    next = next.saturating_add(1);
                    next - 1
                }
            };
        }
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        let shuffled = permutation(ranked.len(), options.shuffle);
        let label = |id: &u32| {
            let place = sorted.partition_point(|other| other < id);
            sorted[shuffled[place] as usize]
        };
        let labels = ids.iter().map(label).collect();
        Self { ids, labels }
    }
}

/// Checks the `ids` of so many regions.
///
/// # Errors
/// Invalid, if there are some but not one for each, or not all are different and from 1.
pub(super) fn check(ids: &[u32], regions: usize) -> Result<()> {
    if !ids.is_empty() && ids.len() != regions {
        return Err(Error::invalid(format!(
            "there are {} ids for {regions} regions (each needs one)",
            ids.len()
        )));
    }
    let mut seen = BTreeSet::new();
    for (index, &id) in ids.iter().enumerate() {
        if id == 0 || id == u32::MAX {
            return Err(Error::invalid(format!(
                "region {index} has the id {id} (ids count from 1 to {})",
                u32::MAX - 1
            )));
        }
        if !seen.insert(id) {
            return Err(Error::invalid(format!(
                "region {index} has the id {id}, as one before it has"
            )));
        }
    }
    Ok(())
}

/// The numbers below `count`, in an order that `seed` chooses; in their own for 0.
fn permutation(count: usize, seed: u64) -> Vec<u32> {
    let mut numbers: Vec<u32> = (0..count as u32).collect();
    if seed != 0 {
        let mut chance = Chance(seed);
        for last in (1..count).rev() {
            numbers.swap(last, chance.below(last as u64 + 1) as usize);
        }
    }
    numbers
}

/// Numbers that look random and are the same on every machine: SplitMix64 (Steele, Lea and Flood,
/// *Fast Splittable Pseudorandom Number Generators*, 2014).
pub(super) struct Chance(pub(super) u64);

impl Chance {
    /// A number below `end`, which is small: the bias is far below what anybody can see.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % end.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ranked: &[usize], appended: usize, given: &[u32], shuffle: u64) -> Numbering {
        let options = AllocateOptions {
            ids: given.to_vec(),
            shuffle,
            ..AllocateOptions::default()
        };
        Numbering::new(ranked, appended, &options)
    }

    #[test]
    fn numbers_go_by_area_unless_regions_have_some() {
        assert_eq!(ids(&[2, 0, 1], 3, &[], 0).ids, [0, 1, 2]);
        assert_eq!(ids(&[2, 0, 1], 3, &[7, 3, 90], 0).ids, [89, 6, 2]);
        // The last one is appended.
        assert_eq!(ids(&[2, 0, 1], 2, &[7, 3], 0).ids, [7, 6, 2]);
    }

    #[test]
    fn a_shuffle_deals_out_the_numbers_that_there_are() {
        let numbering = ids(&[0, 1, 2, 3], 4, &[5, 9, 2, 40], 3);
        let mut labels = numbering.labels;
        labels.sort_unstable();
        assert_eq!(labels, [1, 4, 8, 39]);
    }

    #[test]
    fn ids_are_different_and_one_for_each_region() {
        assert!(check(&[], 3).is_ok());
        assert!(check(&[3, 1], 2).is_ok());
        for (given, why) in [
            (&[1][..], "there are 1 ids for 2 regions"),
            (&[0, 1], "region 0 has the id 0"),
            (&[4, 4], "region 1 has the id 4, as one before it has"),
        ] {
            let error = check(given, 2).unwrap_err();
            assert!(error.message().starts_with(why), "{error}");
        }
    }
}
