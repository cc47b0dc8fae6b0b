//! Which number, and which label, each region gets.

use super::AllocateOptions;

/// The numbers of marks from 0, by the rank of their regions.
pub(super) struct Numbering {
    /// Ids: the largest region first, then the appended ones in the order given.
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
        for (number, rank) in (0..).zip(order) {
            ids[rank] = number;
        }
        let shuffled = permutation(ranked.len(), options.shuffle);
        let labels = ids.iter().map(|&id| shuffled[id as usize]).collect();
        Self { ids, labels }
    }
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
